import { expect } from 'chai';
import fc from 'fast-check';
import { workloadWith } from './defaults.ts';
import { WorkloadInterner } from './intern.ts';
import { someWorkload } from './mesh-arbitraries.test-data.ts';
import { plainWorkload } from './stored-workload.ts';
import type { Workload } from './types.ts';

const pod = (name: string, fields: Partial<Workload> = {}): Workload =>
  workloadWith({ uid: `Kubernetes//Pod/shop/${name}`, namespace: 'shop', name, ...fields });

describe('a stored workload', () => {
  it('says of every field what the workload said', () => {
    const name = fc.constantFrom('', '1', '2', 'web', 'a/b');
    const named = fc.record({ name, workloadName: name, canonicalName: name });
    fc.assert(
      fc.property(fc.array(fc.tuple(someWorkload, named), { maxLength: 12 }), (all) => {
        const interner = new WorkloadInterner();
        for (const [workload, names] of all) {
          const given = { ...workload, ...names };
          const stored = interner.intern(given);
          expect(plainWorkload(stored)).deep.equal(given);
          expect(stored.addresses).deep.equal(given.addresses);
          for (const field of ['name', 'workloadName', 'canonicalName'] as const)
            expect(stored[field], field).equal(given[field]);
        }
      }),
    );
  });

  it('shares a family with its siblings, also where telemetry calls each by its own name', () => {
    const interner = new WorkloadInterner();
    const made = [pod('web-1', { workloadName: 'web' }), pod('web-2', { workloadName: 'web' })];
    const [first, second] = made.map((workload) => interner.intern(workload));
    expect(first!.family).equal(second!.family);
    const bare = ['db-1', 'db-2'].map((name) => pod(name, { workloadName: name, canonicalName: name }));
    const [third, fourth] = bare.map((workload) => interner.intern(workload));
    expect(third!.family).equal(fourth!.family).not.equal(first!.family);
    expect([third!.workloadName, fourth!.workloadName]).deep.equal(['db-1', 'db-2']);
    expect([third!.canonicalName, fourth!.canonicalName]).deep.equal(['db-1', 'db-2']);
  });

  it('has a family of its own once anything else differs', () => {
    const interner = new WorkloadInterner();
    const family = (fields: Partial<Workload>): unknown => interner.intern(pod('web', fields)).family;
    const usual = family({});
    expect(family({})).equal(usual);
    expect(family({ workloadName: 'web' })).not.equal(usual);
    expect(family({ status: 'UNHEALTHY' })).not.equal(usual);
    expect(family({ services: { 'shop/web': [] } })).not.equal(usual);
  });
});
