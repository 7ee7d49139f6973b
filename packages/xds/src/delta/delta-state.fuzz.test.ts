import { MeshStore } from '@ambient/mesh';
import type { MeshUpdate } from '@ambient/mesh';
import { fuzzBudget } from '@ambient/testkit';
import { typeUrl } from '@ambient/wire';
import { expect } from 'chai';
import fc from 'fast-check';

import { addressResourceToMesh, authorizationResourceToMesh, updateKey } from '../convert/to-mesh.ts';
import {
  addressOf,
  authorizationOf,
  wirePolicy,
  wireService,
  wireWorkload,
} from '../convert/wire-arbitraries.test-data.ts';
import { DeltaState } from './delta-state.ts';
import type { DeltaResponse } from './delta-state.ts';

/** Names on the wire: mostly the key itself, but a server may use others, and the same for another thing later. */
const alias = fc.constantFrom('', '', '', 'alias-1', 'alias-2', 'c//Pod/a/1', 'c//Pod/a/2');
const version = fc.constantFrom('1', '2', '');
const gone = fc.constantFrom('c//Pod/a/1', 'c//Pod/a/2', 'alias-1', 'alias-2', 'shop/b', 'a/a', 'never-was');

const addressResponse = fc.record({
  typeUrl: fc.constant(typeUrl.address),
  nonce: fc.constantFrom('n', ''),
  resources: fc.array(
    fc.oneof(
      fc
        .tuple(wireWorkload, alias, version)
        .map(([it, as, v]) => addressOf('workload', it, as || it.uid!, v)),
      fc
        .tuple(wireService, alias, version)
        .map(([it, as, v]) => addressOf('service', it, as || `${it.namespace ?? ''}/${it.hostname!}`, v)),
    ),
    { maxLength: 5 },
  ),
  removedResources: fc.array(gone, { maxLength: 3, size: '-1' }),
});
const policyResponse = fc.record({
  typeUrl: fc.constant(typeUrl.authorization),
  nonce: fc.constant('n'),
  resources: fc.array(
    fc
      .tuple(wirePolicy, fc.constantFrom('a/a', 'shop/b', 'x/y'), version)
      .map(([it, as, v]) => authorizationOf(it, as, v)),
    { maxLength: 4 },
  ),
  removedResources: fc.array(gone, { maxLength: 2, size: '-1' }),
});
const anyResponse: fc.Arbitrary<DeltaResponse> = fc.oneof(
  { weight: 6, arbitrary: addressResponse },
  { weight: 3, arbitrary: policyResponse },
  { weight: 1, arbitrary: fc.record({ typeUrl: fc.constantFrom('', 'other'), nonce: fc.constant('n') }) },
);

/** What the server has sent and not taken back, by name on the wire. */
class Model {
  readonly held = new Map<string, { version: string; update: MeshUpdate; at: number }>();
  #count = 0;

  take(response: DeltaResponse, read: (resource: object) => MeshUpdate): void {
    for (const resource of response.resources ?? []) {
      let update: MeshUpdate;
      try {
        update = read(resource);
      } catch {
        continue; // what was in force stays
      }
      this.held.set(resource.name!, { version: resource.version!, update, at: this.#count++ });
    }
    for (const name of response.removedResources ?? []) this.held.delete(name);
  }

  get keys(): string[] {
    return [...new Set([...this.held.values()].map(({ update }) => updateKey(update)))].sort();
  }
}

describe('DeltaState under fuzz', () => {
  it('keeps a store in step with what the server holds, whatever it sends [fuzz]', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(anyResponse, { maxLength: 12, size: 'max' }),
        (onDemand, responses) => {
          const state = new DeltaState({ node: { id: 'n' }, onDemand });
          const store = new MeshStore();
          const addresses = new Model();
          const policies = new Model();
          let ready = 0;
          for (const response of responses) {
            const reception = state.receive(response);
            const change = store.apply(reception.updates);
            if (change.policies.length > 0) expect(change.policiesChanged).to.equal(true);
            expect(reception.reply.typeUrl).to.equal(response.typeUrl);
            expect(reception.reply.responseNonce).to.equal(response.nonce);
            const known = response.typeUrl!.startsWith('type.googleapis.com/');
            expect(reception.reply.errorDetail === undefined).to.equal(
              known && reception.rejected.length === 0,
            );
            if (reception.becameReady) ready++;
            if (response.typeUrl === typeUrl.address) addresses.take(response, addressResourceToMesh);
            if (response.typeUrl === typeUrl.authorization)
              policies.take(response, authorizationResourceToMesh);

            const uids = [...store.allWorkloads()].map(({ uid }) => uid);
            const services = [...store.allServices()].map(({ key }) => key);
            expect([...new Set([...uids, ...services])].sort()).to.deep.equal(addresses.keys);
            expect([...store.allPolicies()].map(({ key }) => key).sort()).to.deep.equal(policies.keys);
          }
          expect(ready).to.equal(state.ready ? 1 : 0);
          const [first, second] = state.open();
          const versions = (model: Model): object =>
            Object.fromEntries([...model.held].map(([name, held]) => [name, held.version]));
          expect(first!.initialResourceVersions).to.deep.equal(versions(addresses));
          expect(second!.initialResourceVersions).to.deep.equal(versions(policies));
        },
      ),
      fuzzBudget(),
    );
  });
});
