import { MeshStore, policyWith, serviceWith, UpdateUnpacker, workloadWith } from '@ambient/mesh';
import type { MeshUpdate } from '@ambient/mesh';
import { expect } from 'chai';
import { recordingLink } from '../testing/links.ts';
import type { ToWorker } from '../worker/messages.ts';
import { MeshReplicator } from './mesh-replicator.ts';

const workload = (n: number): MeshUpdate => ({
  kind: 'workload',
  workload: workloadWith({ uid: `w${n}`, addresses: [`10.0.${n >> 8}.${n & 255}`] }),
});

function updatesIn(messages: readonly ToWorker[]): MeshUpdate[] {
  const unpacker = new UpdateUnpacker();
  return messages.flatMap((message) => (message.kind === 'mesh' ? unpacker.unpack(message.updates) : []));
}

describe('MeshReplicator', () => {
  it('applies updates to its own copy, tells the workers, and then says what changed', () => {
    const sent: ToWorker[] = [];
    const events: string[] = [];
    const mesh = new MeshReplicator(
      (message) => void sent.push(message),
      (change) => events.push(`${change.workloads.length} after ${sent.length} messages`),
    );
    mesh.apply(Array.from({ length: 1001 }, (_, n) => workload(n)));
    mesh.apply([{ kind: 'remove-address', key: 'w3' }]);
    expect(events).deep.equal(['1001 after 3 messages', '1 after 4 messages']);
    expect(mesh.store.workloadCount).equal(1000);
    expect(updatesIn(sent)).length(1002);
  });

  it('makes the copy of a new worker equal to that of the others', () => {
    const mesh = new MeshReplicator(
      () => {},
      () => {},
    );
    mesh.apply([
      workload(1),
      { kind: 'service', service: serviceWith({ namespace: 'b', hostname: 'web.b' }) },
      { kind: 'policy', key: 'b/deny', policy: policyWith({ namespace: 'b', name: 'deny' }) },
      workload(2),
      { kind: 'remove-address', key: 'w1' },
    ]);
    const link = recordingLink();
    mesh.introduce(link);
    const updates = updatesIn(structuredClone(link.posted));
    expect(updates.map(({ kind }) => kind)).deep.equal(['policy', 'service', 'workload']);
    const copy = new MeshStore();
    copy.apply(updates);
    expect([...copy.allWorkloads()]).deep.equal([...mesh.store.allWorkloads()]);
    expect(copy.service('b/web.b')?.service).deep.equal(mesh.store.service('b/web.b')?.service);
  });

  it('goes on with old and new workers alike after one was introduced', () => {
    const [old, young] = [recordingLink(0), recordingLink(1)];
    const links = [old];
    const mesh = new MeshReplicator(
      (message) => links.forEach((link) => link.post(structuredClone(message))),
      () => {},
    );
    mesh.introduce(old);
    mesh.apply([workload(1), workload(2)]);
    links.push(young);
    mesh.introduce(young);
    mesh.apply([workload(3), { kind: 'remove-address', key: 'w1' }]);
    for (const { posted } of links) {
      const copy = new MeshStore({ shared: true });
      copy.apply(updatesIn(posted));
      expect([...copy.allWorkloads()]).deep.equal([...mesh.store.allWorkloads()]);
    }
  });

  it('sends a new worker nothing of an empty mesh', () => {
    const link = recordingLink();
    new MeshReplicator(
      () => {},
      () => {},
    ).introduce(link);
    expect(link.posted).deep.equal([]);
  });
});
