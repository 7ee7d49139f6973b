import { validatePolicy, validateService, validateWorkload } from '@ambient/mesh';
import type { MeshUpdate } from '@ambient/mesh';
import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { istio } from '@ambient/wire';
import { expect } from 'chai';
import fc from 'fast-check';

import { RejectedResourceError } from '../errors.ts';
import { policyToWire, serviceToWire, workloadToWire } from './from-mesh.ts';
import { addressResourceToMesh, authorizationResourceToMesh } from './to-mesh.ts';
import { wirePolicy, wireService, wireWorkload } from './wire-arbitraries.test-data.ts';

const { Address } = istio.workload;
const { Authorization } = istio.security;

const addresses = fc
  .oneof(
    wireWorkload.map((workload) => ({ workload })),
    wireService.map((service) => ({ service })),
  )
  .map((address) => Address.encode(address).finish());
const authorizations = wirePolicy.map((policy) => Authorization.encode(policy).finish());

/** The update, or undefined when the bytes were refused for what they hold: a fault of the converter fails the test. */
function convert(read: (resource: object) => MeshUpdate, value: Uint8Array): MeshUpdate | undefined {
  try {
    return read({ name: 'fuzz', resource: { value } });
  } catch (error) {
    if (!(error instanceof RejectedResourceError)) throw error;
    if (error.cause instanceof TypeError || error.cause instanceof ReferenceError) throw error.cause;
    return undefined;
  }
}

function expectUsable(update: MeshUpdate): void {
  expect(structuredClone(update)).to.deep.equal(update);
  if (update.kind === 'workload') {
    expect(validateWorkload(update.workload)).to.deep.equal([]);
    const value = Address.encode({ workload: workloadToWire(update.workload) }).finish();
    expect(convert(addressResourceToMesh, value)).to.deep.equal(update);
  } else if (update.kind === 'service') {
    expect(validateService(update.service)).to.deep.equal([]);
    const value = Address.encode({ service: serviceToWire(update.service) }).finish();
    expect(convert(addressResourceToMesh, value)).to.deep.equal(update);
  } else if (update.kind === 'policy') {
    expect(validatePolicy(update.policy)).to.deep.equal([]);
    const value = Authorization.encode(policyToWire(update.policy)).finish();
    expect(convert(authorizationResourceToMesh, value)).to.deep.equal(update);
  } else expect.fail(update.kind);
}

describe('discovery resources under fuzz', () => {
  for (const [what, messages, read] of [
    ['addresses', addresses, addressResourceToMesh],
    ['authorizations', authorizations, authorizationResourceToMesh],
  ] as const) {
    it(`${what}: well-formed ones are refused by name, or fit the store and read back the same [fuzz]`, () => {
      let accepted = 0;
      fc.assert(
        fc.property(messages, (value) => {
          const update = convert(read, value);
          if (update === undefined) return;
          accepted++;
          expectUsable(update);
        }),
        fuzzBudget(),
      );
      expect(accepted, 'messages that got through').to.be.above(20);
    });

    it(`${what}: damaged ones too [fuzz]`, () => {
      fc.assert(
        fc.property(damagedBytes(messages), (value) => {
          const update = convert(read, value);
          if (update !== undefined) expectUsable(update);
        }),
        fuzzBudget(),
      );
    });
  }
});
