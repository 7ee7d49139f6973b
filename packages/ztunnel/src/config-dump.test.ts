import { MeshStore, policyWith, serviceWith, workloadWith } from '@ambient/mesh';
import { expect } from 'chai';
import type { NodePodStatus } from './capture/node-pods.ts';
import { configDump } from './config-dump.ts';
import { dedicatedSettings } from './testing/dedicated-settings.ts';
import type { ConnectionReport } from './worker/messages.ts';

const connection: ConnectionReport = {
  direction: 'outbound',
  source: '10.0.0.1:40000',
  destination: '10.1.0.1:80',
  actualDestination: '10.0.0.2:15008',
  protocol: 'HBONE',
  sourceIdentity: 'spiffe://cluster.local/ns/a/sa/client',
  destinationIdentity: undefined,
  sourceWorkload: 'client',
  destinationWorkload: undefined,
  bytesSent: 1,
  bytesReceived: 2,
  openedAtMs: 0,
};

async function dump(
  env: Record<string, string> = {},
  pods?: readonly NodePodStatus[],
  connections: readonly ConnectionReport[] = [connection],
) {
  const store = new MeshStore();
  const port = { servicePort: 80, targetPort: 8080, appProtocol: 'UNKNOWN' } as const;
  store.apply([
    {
      kind: 'workload',
      workload: workloadWith({
        uid: 'w2',
        name: 'server',
        services: { 'b/web.b': [port], 'b/later.b': [port] },
      }),
    },
    {
      kind: 'workload',
      workload: workloadWith({
        uid: 'w1',
        name: 'client',
        namespace: 'a',
        serviceAccount: 'client',
        node: 'n1',
      }),
    },
    { kind: 'service', service: serviceWith({ namespace: 'b', hostname: 'web.b' }) },
    { kind: 'policy', key: 'b/deny', policy: policyWith({ namespace: 'b', name: 'deny' }) },
  ]);
  const certificate = { state: 'Available', certChain: [], rootCerts: [] } as const;
  const object = configDump({
    settings: await dedicatedSettings(env),
    store,
    certificates: [
      { identity: 'spiffe://z', ...certificate },
      { identity: 'spiffe://a', ...certificate },
    ],
    connections,
    pods,
    discovery: {},
  });
  return JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
}

describe('configDump', () => {
  it('has the keys that istioctl reads', async () => {
    expect(await dump()).keys(
      'workloads',
      'services',
      'policies',
      'stagedServices',
      'staticConfig',
      'version',
      'config',
      'certificates',
      'workloadState',
      'discovery',
    );
  });

  it('lists what is in force in a stable order, endpoints of services that have not come apart', async () => {
    const { workloads, services, policies, certificates, stagedServices } = await dump();
    expect((workloads as { uid: string }[]).map(({ uid }) => uid)).deep.equal(['w1', 'w2']);
    expect(services).nested.property('[0].endpoints.w2.port.80', 8080);
    expect(policies).nested.property('[0].name', 'deny');
    expect((certificates as { identity: string }[]).map(({ identity }) => identity)).deep.equal([
      'spiffe://a',
      'spiffe://z',
    ]);
    expect(stagedServices).deep.equal({ 'b/later.b': { w2: { workloadUid: 'w2', port: { 80: 8080 } } } });
  });

  it('shows the connections of the one workload, without a state', async () => {
    const { workloadState } = await dump();
    expect(workloadState).deep.equal({
      w1: {
        connections: {
          inbound: [],
          outbound: [
            {
              src: '10.0.0.1:40000',
              originalDst: '10.1.0.1:80',
              actualDst: '10.0.0.2:15008',
              protocol: 'HBONE',
              sourceIdentity: 'spiffe://cluster.local/ns/a/sa/client',
              sourceWorkload: 'client',
              bytesSent: 1,
              bytesReceived: 2,
              openedAt: '1970-01-01T00:00:00.000Z',
            },
          ],
        },
        info: { name: 'client', namespace: 'a', serviceAccount: 'client' },
      },
    });
  });

  it('shows the pods of the node by their UID, each with its state and its own connections', async () => {
    const name = { namespace: 'a', name: 'client', serviceAccount: 'client' };
    const { workloadState } = await dump(
      {},
      [
        { uid: 'pod-1', name, state: 'Up', captureId: 7 },
        { uid: 'pod-2', name: { ...name, name: 'other' }, state: 'Pending', captureId: undefined },
      ],
      [
        { ...connection, pod: 7 },
        { ...connection, pod: 7, direction: 'inbound', source: '10.0.0.9:1' },
        { ...connection, pod: 6 },
        connection,
      ],
    );
    const info = { namespace: 'a', name: 'client', serviceAccount: 'client' };
    expect(workloadState).nested.property('pod-1.connections.inbound[0].src', '10.0.0.9:1');
    expect(workloadState).nested.property('pod-1.connections.outbound').length(1);
    expect(workloadState).deep.nested.include({ 'pod-1.state': 'Up', 'pod-1.info': info });
    expect(workloadState).deep.property('pod-2', {
      state: 'Pending',
      connections: { inbound: [], outbound: [] },
      info: { ...info, name: 'other' },
    });
  });

  it('tells what a client meant and where it got to, as istioctl reads both', async () => {
    const shown = async (report: Partial<ConnectionReport>): Promise<unknown> => {
      const name = { namespace: 'a', name: 'client', serviceAccount: 'client' };
      const pod: NodePodStatus = { uid: 'p', name, state: 'Up', captureId: 1 };
      const { workloadState } = await dump({}, [pod], [{ ...connection, pod: 1, ...report }]);
      const { inbound, outbound } = (workloadState as { p: { connections: Record<string, object[]> } }).p
        .connections;
      const { src, originalDst, actualDst, protocol } = [...inbound!, ...outbound!][0] as Record<
        string,
        string
      >;
      return [src, originalDst, actualDst, protocol];
    };
    const from = '10.0.0.1:40000';
    const service = 'web.b.svc.cluster.local';
    const next = { destination: '10.0.0.2:8080', actualDestination: '10.0.0.2:15008' };
    const table: readonly [Partial<ConnectionReport>, unknown][] = [
      [{ ...next, originalDestination: '10.1.0.1:80' }, [from, '10.1.0.1:80', '10.0.0.2:15008', 'HBONE']],
      [
        { protocol: 'double-HBONE', originalDestination: '10.1.0.1:80' },
        [from, '10.1.0.1:80', '10.0.0.2:15008', 'DOUBLEHBONE'],
      ],
      [
        {
          protocol: 'plaintext',
          destination: '1.1.1.1:443',
          actualDestination: '1.1.1.1:443',
          originalDestination: '1.1.1.1:443',
        },
        [from, '1.1.1.1:443', '1.1.1.1:443', 'TCP'],
      ],
      [
        { direction: 'inbound', ...next, originalDestination: service },
        [from, service, '10.0.0.2:8080', 'HBONE'],
      ],
      [{ direction: 'inbound', ...next }, [from, null, '10.0.0.2:8080', 'HBONE']],
      [
        {
          direction: 'inbound',
          protocol: 'plaintext',
          destination: '10.0.0.2:8080',
          actualDestination: '10.0.0.2:8080',
        },
        [from, null, '10.0.0.2:8080', 'TCP'],
      ],
    ];
    for (const [report, expected] of table) expect(await shown(report)).deep.equal(expected);
  });

  it('shows the local mesh, or why it cannot be read', async () => {
    const good = await dump({
      LOCAL_XDS: 'workloads: [{uid: u, name: n, namespace: a, workloadIps: [], protocol: TCP}]',
    });
    expect(good['staticConfig']).nested.property('workloads[0].uid', 'u');
    const bad = await dump({ LOCAL_XDS_PATH: '/nowhere/mesh.yaml' });
    expect(bad['staticConfig'])
      .property('error')
      .match(/ENOENT/);
  });

  it('hides the token', async () => {
    expect(JSON.stringify(await dump({ AUTH_TOKEN: 'sesame' }))).not.contain('sesame');
  });
});
