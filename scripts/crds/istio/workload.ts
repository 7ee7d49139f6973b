import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { atMostOne, int32, labels, list, map, object, oneWord, string, strings, uint32 } from '../schema.ts';
import type { Fields, Rule } from '../schema.ts';
import { chartLabels, istioStatus, networking, networkingVersions } from './common.ts';

const portNumber = (description: string) => uint32(description, { minimum: 1, maximum: 65_535 });

/** Fields of a workload outside the cluster, or of an endpoint of a ServiceEntry. */
export const endpointFields: Fields = {
  address: string('IP address, DNS name, or unix:// path.', { maxLength: 256 }),
  ports: map('Port number by port name of the service.', portNumber('Port on which the endpoint listens.'), {
    maxProperties: 128,
    rules: [
      {
        rule: "self.all(key, size(key) < 63 && key.matches('^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$'))",
        message: 'port name must be valid',
      },
    ],
  }),
  labels: labels('Labels of the endpoint.', { maxProperties: 256 }),
  network: string('Network in which the address is reachable.', { maxLength: 2048 }),
  locality: string('region/zone/subzone.', { maxLength: 2048 }),
  weight: uint32('Share of the load, relative to the other endpoints.'),
  serviceAccount: string('Service account that the workload runs as.', { maxLength: 253 }),
};

/** The address may be left out only where the network's gateway stands for it. */
export const endpointRules: readonly Rule[] = [
  { rule: 'has(self.address) || has(self.network)', message: 'address is required' },
  {
    rule: "!has(self.address) || !self.address.startsWith('unix://') || !has(self.ports)",
    message: 'a unix:// address may not have ports',
  },
];

export const workloadEntry: Kind = {
  group: 'networking.istio.io',
  kind: 'WorkloadEntry',
  plural: 'workloadentries',
  shortNames: ['we'],
  categories: networking,
  description: 'A workload outside the cluster, such as a virtual machine.',
  columns: [{ ...age }, { name: 'Address', path: '.spec.address', description: 'Address of the workload.' }],
  versions: versions(networkingVersions, {
    spec: object('The workload.', endpointFields, { rules: endpointRules }),
    status: istioStatus(),
  }),
  stored: 'v1',
  labels: chartLabels,
};

const probe = object(
  'How the health of the workloads is found out.',
  {
    initialDelaySeconds: int32('Seconds before the first probe.', { minimum: 0 }),
    timeoutSeconds: int32('Seconds after which a probe has failed.', { minimum: 0 }),
    periodSeconds: int32('Seconds between probes.', { minimum: 0 }),
    successThreshold: int32('Successes in a row that make a workload healthy.', { minimum: 0 }),
    failureThreshold: int32('Failures in a row that make it unhealthy.', { minimum: 0 }),
    httpGet: object(
      'An HTTP request that must be answered with a success.',
      {
        path: string('Path of the request.'),
        port: portNumber('Port of the request.'),
        host: string('Host to connect to.'),
        scheme: oneWord('Scheme of the request.', ['', 'HTTP', 'HTTPS']),
        httpHeaders: list(
          'Headers of the request.',
          object('One header.', {
            name: string('Name of the header.', { pattern: '^[-_A-Za-z0-9]+$' }),
            value: string('Value of the header.'),
          }),
        ),
      },
      { required: ['port'] },
    ),
    tcpSocket: object(
      'A TCP connection that must be accepted.',
      { host: string('Host to connect to.'), port: portNumber('Port to connect to.') },
      { required: ['port'] },
    ),
    exec: object(
      'A command that must end with status 0.',
      { command: strings('The command and its arguments.') },
      { required: ['command'] },
    ),
    grpc: object('A gRPC health check.', {
      port: portNumber('Port to connect to.'),
      service: string('Service to ask about.'),
    }),
  },
  { oneOf: atMostOne('httpGet', 'tcpSocket', 'exec', 'grpc') },
);

export const workloadGroup: Kind = {
  group: 'networking.istio.io',
  kind: 'WorkloadGroup',
  plural: 'workloadgroups',
  shortNames: ['wg'],
  categories: networking,
  description: 'A template for WorkloadEntries of like machines.',
  columns: [{ ...age }],
  versions: versions(networkingVersions, {
    spec: object(
      'The group.',
      {
        metadata: object('Metadata of the WorkloadEntries.', {
          labels: labels('Labels to attach.', { maxProperties: 256 }),
          annotations: labels('Annotations to attach.', { maxProperties: 256 }),
        }),
        template: object('What the WorkloadEntries have in common.', endpointFields),
        probe,
      },
      { required: ['template'] },
    ),
    status: istioStatus(),
  }),
  stored: 'v1',
  labels: chartLabels,
};
