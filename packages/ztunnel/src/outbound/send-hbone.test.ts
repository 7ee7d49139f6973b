import type { TcpSocket } from '@ambient/linux';
import type { HboneRoute } from '@ambient/mesh';
import { serviceWith, workloadWith } from '@ambient/mesh';
import { bare } from '@ambient/runtime';
import { expect } from 'chai';
import { TunnelRelay } from '../relay/tunnel-relay.ts';
import type { TestWorker } from '../testing/worker-context.ts';
import { testWorker } from '../testing/worker-context.ts';
import { connectRequest, tunnelFacts } from './send-hbone.ts';

const source = workloadWith({
  uid: 'c',
  name: 'client-1',
  namespace: 'a',
  serviceAccount: 'client',
  workloadName: 'client',
});
const waypoint = workloadWith({
  uid: 'w',
  name: 'waypoint-1',
  namespace: 'b',
  serviceAccount: 'waypoint',
  workloadName: 'waypoint',
});
const service = serviceWith({ name: 'web', namespace: 'b', hostname: 'web.b.svc.cluster.local' });
const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;

describe('a connection by way of a waypoint', () => {
  let worker: TestWorker;
  beforeEach(async () => {
    worker = await testWorker();
  });
  afterEach(() => worker.close());

  const call = {
    socket: undefined as unknown as TcpSocket,
    source,
    peer: { ip: '10.0.0.1', port: 4711 },
    destination: { ip: '10.1.0.1', port: 80 },
  };
  const route: HboneRoute = {
    kind: 'hbone',
    via: 'service-waypoint',
    gateway: waypoint,
    dial: { ip: '10.0.0.9', port: 15008 },
    hostnameToResolve: undefined,
    authority: '10.1.0.1:80',
    expectedIdentities: [],
    upstream: undefined,
    service,
  };

  it('asks for what was dialled, and names the service', () => {
    expect(connectRequest(worker, call, route.authority, route.service, trace)).to.deep.equal({
      authority: '10.1.0.1:80',
      forwardedFor: '10.0.0.1:4711',
      forwardedHost: 'web.b.svc.cluster.local',
      baggage: 'k8s.workload=client-1',
      traceparent: trace,
    });
  });

  it('is told of with the waypoint as destination, and the service that was called', () => {
    const relay = new TunnelRelay(worker.reactor, {
      onTunnelOpen: () => undefined,
      onRelayEnd: () => undefined,
    });
    const live = worker.connections.open(tunnelFacts(call, route, relay, trace), () => undefined);
    worker.connections.close(live, undefined);
    const { fields } = worker.lines.at(-1)!;
    expect(fields).to.deep.include({
      'dst.addr': bare('10.0.0.9:15008'),
      'dst.hbone_addr': bare('10.1.0.1:80'),
      'dst.service': 'web.b.svc.cluster.local',
      'dst.workload': 'waypoint-1',
      'dst.namespace': 'b',
      'dst.identity': 'spiffe://cluster.local/ns/b/sa/waypoint',
    });
    const opened = worker.metrics().find(({ metric }) => metric === 'istio_tcp_connections_opened_total');
    expect(opened!.labels.filter((label) => label !== 'unknown')).to.deep.equal(
      ['source', 'client', 'a', 'spiffe://cluster.local/ns/a/sa/client', 'Kubernetes']
        .concat('waypoint', 'b', 'spiffe://cluster.local/ns/b/sa/waypoint', 'Kubernetes')
        .concat('web.b.svc.cluster.local', 'b', 'web', 'tcp', '-', 'mutual_tls'),
    );
  });
});
