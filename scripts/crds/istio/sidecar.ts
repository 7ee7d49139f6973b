import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { list, object, oneWord, string, strings, uint32 } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { chartLabels, istioStatus, labelSelector, networking, networkingVersions } from './common.ts';
import { clientTls, connectionPool } from './destination-rule.ts';
import { serverTls } from './gateway.ts';

const listenPort = (description: string): Schema =>
  object(description, {
    number: uint32('Port number.'),
    protocol: string('HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.'),
    name: string('Name of the port.'),
    targetPort: uint32('Old field, not used.'),
  });

const captureMode = oneWord('How traffic gets to the listener.', ['DEFAULT', 'IPTABLES', 'NONE']);

const spec = object('The settings.', {
  workloadSelector: labelSelector('The workloads; without it, all of the namespace.'),
  ingress: list(
    'Listeners for traffic to the workload.',
    object(
      'One listener.',
      {
        port: listenPort('Port of the listener.'),
        bind: string('Address to listen on.'),
        captureMode,
        defaultEndpoint: string('Where the traffic goes.'),
        tls: serverTls,
        connectionPool,
      },
      { required: ['port'] },
    ),
  ),
  egress: list(
    'Listeners for traffic from the workload.',
    object(
      'One listener.',
      {
        port: listenPort('Port of the listener.'),
        bind: string('Address to listen on.'),
        captureMode,
        hosts: strings('Hosts that may be reached, as namespace/host.'),
      },
      { required: ['hosts'] },
    ),
  ),
  inboundConnectionPool: connectionPool,
  outboundTrafficPolicy: object('Traffic to unknown hosts.', {
    mode: oneWord('Whether it is let through.', ['REGISTRY_ONLY', 'ALLOW_ANY']),
    egressProxy: object(
      'Proxy that it goes through.',
      {
        host: string('Host of the proxy.'),
        subset: string('Part of it.'),
        port: object('Its port.', { number: uint32('Port number.') }),
      },
      { required: ['host'] },
    ),
  }),
  tls: clientTls,
});

export const sidecar: Kind = {
  group: 'networking.istio.io',
  kind: 'Sidecar',
  plural: 'sidecars',
  categories: networking,
  description: 'Settings of sidecar proxies: what they listen on and may reach. Ambient workloads have none.',
  columns: [{ ...age }],
  versions: versions(networkingVersions, { spec, status: istioStatus() }),
  stored: 'v1',
  labels: chartLabels,
};
