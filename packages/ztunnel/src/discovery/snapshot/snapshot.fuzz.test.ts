import { MeshStore, policyWith, workloadWith } from '@ambient/mesh';
import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { SnapshotError } from './errors.ts';
import { readRecords, snapshotRecords } from './records.ts';
import { openSnapshot, SnapshotSealer } from './sealed-format.ts';

const key = Buffer.alloc(32, 7);
const header = { writtenAtMs: 1, nodeName: 'n', clusterId: 'c', network: '', trustDomain: 't' };

const store = new MeshStore();
store.apply([
  { kind: 'policy', key: 'a/p', policy: policyWith({ namespace: 'a', name: 'p' }) },
  { kind: 'workload', workload: workloadWith({ uid: 'w', addresses: ['10.0.0.1', 'fd00::1'] }) },
]);
const plain = Buffer.concat([...snapshotRecords(store, [])]);
const sealer = new SnapshotSealer(key, header);
const sealed = Buffer.concat([sealer.head, sealer.update(plain), sealer.final()]);

/** Whether it is refused by name; anything else that is thrown is a failure. */
function refused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    return true;
  }
}

describe('a snapshot of the mesh', () => {
  it('[fuzz] that is not as it was written is refused', () => {
    const property = fc.property(damagedBytes(fc.constant(sealed)), (file) => {
      expect(refused(() => openSnapshot(key, file))).equal(!file.equals(sealed));
    });
    fc.assert(property, fuzzBudget());
  });

  it('[fuzz] is read as a whole, or refused, whatever its records hold', () => {
    const property = fc.property(damagedBytes(fc.constant(plain)), (bytes) => {
      refused(() => [...readRecords(bytes)]);
    });
    fc.assert(property, fuzzBudget());
  });
});
