import { istio } from '@ambient/wire';
import { expect } from 'chai';

import { policyToMesh } from './policy-to-mesh.ts';

describe('a policy off the wire', () => {
  const { Authorization } = istio.security;

  it('has one empty list for all, here and in the copy of another thread', () => {
    const matches = [{ principals: [{ exact: 'a' }] }, { destinationPorts: [80] }];
    const rules = [{ clauses: [{ matches }] }, { clauses: [{ matches }] }];
    const bytes = Authorization.encode({ name: 'p', namespace: 'shop', scope: 1, action: 1, rules }).finish();
    const policy = policyToMesh(Authorization.decode(bytes));
    for (const each of [policy, structuredClone(policy)]) {
      const lists = each.rules.flatMap(({ clauses }) =>
        clauses.flatMap((clause) => clause.matches.flatMap((match) => Object.values(match) as unknown[][])),
      );
      const empty = lists.filter(({ length }) => length === 0);
      expect(empty).to.have.length(4 * 11);
      expect(new Set(empty).size).to.equal(1);
    }
  });

  it('is rejected by the name of the entry that is wrong', () => {
    const matches = [{ namespaces: [{ exact: 'a' }, {}] }];
    const wire = { name: 'p', namespace: 'shop', scope: 1, action: 1, rules: [{ clauses: [{ matches }] }] };
    const decoded = Authorization.decode(Authorization.encode(wire).finish());
    expect(() => policyToMesh(decoded)).throws('clauses[0].matches[0].namespaces[1]');
  });
});
