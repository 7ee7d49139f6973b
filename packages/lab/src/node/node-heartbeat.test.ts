import { KubeConfig } from '@kubernetes/client-node';
import type { Condition } from '@ambient/kube';
import { builtInPath, KubeClient, KubeConnection, patchType } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { LabApi } from '../api/lab-api.ts';
import { NodeHeartbeat } from './node-heartbeat.ts';

const facts = {
  name: 'one',
  addresses: ['172.30.0.11'],
  podCidrs: ['10.244.1.0/24'],
  labels: {},
  zone: undefined,
  capacity: { cpu: '2', memory: '4Gi', pods: '110' },
  machine: { kernel: '6', architecture: 'amd64', system: 'linux', bootId: 'b' },
};
const path = builtInPath('Node', undefined, 'one');

describe('NodeHeartbeat', () => {
  let clock: ManualClock;
  let api: LabApi;
  let connection: KubeConnection;
  let client: KubeClient;
  let heartbeat: NodeHeartbeat;

  beforeEach(async () => {
    clock = new ManualClock();
    api = await LabApi.start({ host: '127.0.0.1', port: 0 });
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig);
    connection = new KubeConnection(config);
    client = new KubeClient(connection);
    heartbeat = new NodeHeartbeat({
      client,
      facts,
      clock,
      log: testLog(),
      health: () => Promise.resolve({ ready: true, message: '' }),
    });
    await heartbeat.start();
  });
  afterEach(async () => {
    await heartbeat.stop();
    connection[Symbol.dispose]();
    await api.stop();
  });

  async function ready(): Promise<string | undefined> {
    const node = await client.request<{ status: { conditions: Condition[] } }>({ path });
    return node.status.conditions.find(({ type }) => type === 'Ready')?.status;
  }

  it('says that the node is ready', async () => {
    expect(await ready()).to.equal('True');
  });

  it('says so again when the node was given up meanwhile, as after a time without the API server', async () => {
    await client.request({
      method: 'PATCH',
      path: `${path}/status`,
      contentType: patchType.strategicMerge,
      body: { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    });
    expect(await ready()).to.equal('Unknown');
    clock.advance(10_000);
    await heartbeat.stop(); // settles when the beat has ended
    expect(await ready()).to.equal('True');
  });
});
