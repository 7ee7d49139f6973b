import { policyWith, serviceWith, workloadWith } from '@ambient/mesh';
import type { MeshUpdate } from '@ambient/mesh';
import { expect } from 'chai';
import { SnapshotBridge } from './snapshot-bridge.ts';

const workload = (uid: string): MeshUpdate => ({ kind: 'workload', workload: workloadWith({ uid }) });
const service: MeshUpdate = { kind: 'service', service: serviceWith({ namespace: 'a', hostname: 'web' }) };
const policy = (key: string): MeshUpdate => ({
  kind: 'policy',
  key,
  policy: policyWith({ namespace: 'a', name: 'p' }),
});

describe('SnapshotBridge', () => {
  it('takes nothing from the snapshot that a source has spoken about, also if it is gone', () => {
    const bridge = new SnapshotBridge();
    bridge.note([workload('w1'), { kind: 'remove-address', key: 'w2' }]);
    expect(bridge.borrow([workload('w1'), workload('w2'), workload('w3')])).deep.equal([workload('w3')]);
  });

  it('gives back what no source has spoken about, of each kind', () => {
    const bridge = new SnapshotBridge();
    bridge.borrow([policy('a/p'), policy('a/q'), service, workload('w1'), workload('w2')]);
    bridge.note([workload('w1'), policy('a/q')]);
    expect(bridge.giveBack()).deep.equal([
      { kind: 'remove-policy', key: 'a/p' },
      { kind: 'remove-address', key: 'a/web' },
      { kind: 'remove-address', key: 'w2' },
    ]);
    expect(bridge.giveBack()).deep.equal([]);
  });

  it('tells a policy from a service of the same key', () => {
    const bridge = new SnapshotBridge();
    bridge.note([policy('a/web')]);
    expect(bridge.borrow([service])).deep.equal([service]);
  });
});
