import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { authorize, explainVerdict } from './authorize.ts';
import type { AuthorizeStep } from './authorize.ts';
import type { PolicyConnection } from './compile-policy.ts';
import { matchWith, policyWith, workloadWith } from './defaults.ts';
import { Cidr } from './ip.ts';
import { MeshStore } from './store.ts';
import type { Policy, PolicyMatch, PolicyRule, StringMatch } from './types.ts';

const client = { trustDomain: 'td', namespace: 'shop', serviceAccount: 'cart' };
const plaintext: PolicyConnection = {
  principal: undefined,
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  destinationPort: 8080,
};
const mtls: PolicyConnection = { ...plaintext, principal: client };
const target = workloadWith({ uid: 't', name: 'pod', namespace: 'app' });

const rule = (...clauses: PolicyMatch[][]): PolicyRule => ({
  clauses: clauses.map((matches) => ({ matches })),
});
const allow = (name: string, rules: PolicyRule[], fields: Partial<Policy> = {}) =>
  policyWith({ namespace: 'app', name, rules, ...fields });
const deny = (name: string, rules: PolicyRule[], fields: Partial<Policy> = {}) =>
  allow(name, rules, { action: 'DENY', ...fields });
const exact = (value: string): StringMatch => ({ kind: 'exact', value });
const prefix = (value: string): StringMatch => ({ kind: 'prefix', value });
const suffix = (value: string): StringMatch => ({ kind: 'suffix', value });
const presence: StringMatch = { kind: 'presence', value: '' };

function storeOf(...policies: Policy[]): MeshStore {
  const store = new MeshStore();
  store.apply(
    policies.map((policy) => ({ kind: 'policy', key: `${policy.namespace}/${policy.name}`, policy })),
  );
  return store;
}

const everything = rule([]);
const matching = rule([matchWith({ destinationPorts: [8080] })]);
const other = rule([matchWith({ destinationPorts: [1] })]);

describe('authorize: which policies apply and in what order', () => {
  const cases: [string, Policy[], string[], boolean, string | undefined][] = [
    ['no policy at all allows', [], [], true, undefined],
    ['DENY alone that does not match allows', [deny('d', [other])], [], true, undefined],
    ['DENY that matches denies, and names the policy', [deny('d', [matching])], [], false, 'app/d'],
    ['DENY beats ALLOW', [allow('a', [matching]), deny('d', [matching])], [], false, 'app/d'],
    ['ALLOW that matches allows, and names the policy', [allow('a', [matching])], [], true, 'app/a'],
    ['ALLOW that does not match denies', [allow('a', [other])], [], false, undefined],
    [
      'one of several ALLOW policies is enough',
      [allow('a', [other]), allow('b', [matching])],
      [],
      true,
      'app/b',
    ],
    ['ALLOW without rules denies all that it selects', [allow('a', [])], [], false, undefined],
    ['DENY without rules denies nothing', [deny('d', [])], [], true, undefined],
    [
      'a policy of another namespace does not apply',
      [deny('d', [everything], { namespace: 'x' })],
      [],
      true,
      undefined,
    ],
    [
      'a global policy applies',
      [deny('d', [everything], { namespace: 'root', scope: 'GLOBAL' })],
      [],
      false,
      'root/d',
    ],
    [
      'a selector policy does not apply to a workload that does not name it',
      [deny('d', [everything], { scope: 'WORKLOAD_SELECTOR' })],
      [],
      true,
      undefined,
    ],
    [
      'a selector policy applies to a workload that names it',
      [deny('d', [everything], { scope: 'WORKLOAD_SELECTOR' })],
      ['app/d'],
      false,
      'app/d',
    ],
    [
      'a named policy of another namespace applies',
      [deny('d', [everything], { namespace: 'root', scope: 'WORKLOAD_SELECTOR' })],
      ['root/d'],
      false,
      'root/d',
    ],
    ['a named policy that is missing is skipped', [], ['app/gone'], true, undefined],
    ['a missing ALLOW policy does not make ALLOW apply', [deny('d', [other])], ['app/gone'], true, undefined],
    ['a dry-run DENY has no effect', [deny('d', [everything], { dryRun: true })], [], true, undefined],
    [
      'a dry-run ALLOW neither allows nor makes others deny',
      [allow('a', [other], { dryRun: true })],
      [],
      true,
      undefined,
    ],
    [
      'a dry-run ALLOW does not help where an enforced one fails',
      [allow('a', [everything], { dryRun: true }), allow('b', [other])],
      [],
      false,
      undefined,
    ],
  ];
  for (const [name, policies, named, allowed, policy] of cases) {
    it(name, () => {
      const verdict = authorize(storeOf(...policies), { ...target, authorizationPolicies: named }, mtls);
      expect(verdict).to.deep.include({ allowed, policy });
    });
  }

  it('tells a denying policy from the lack of an allowing one', () => {
    expect(authorize(storeOf(deny('d', [everything])), target, mtls)).to.include({
      reason: 'denied-by-policy',
    });
    expect(authorize(storeOf(allow('a', [])), target, mtls)).to.include({
      reason: 'not-allowed-by-any-policy',
    });
  });
});

describe('authorize: empty levels', () => {
  const matches = (rules: PolicyRule[]) => !authorize(storeOf(deny('d', rules)), target, mtls).allowed;
  const cases: [string, PolicyRule[], boolean][] = [
    ['no rules never match', [], false],
    ['a rule without clauses matches', [rule()], true],
    ['a clause without matches matches', [rule([])], true],
    ['an empty match never matches', [rule([matchWith({})])], false],
    [
      'an empty match does not hide its neighbour in the clause',
      [rule([matchWith({}), matchWith({ destinationPorts: [8080] })])],
      true,
    ],
    ['an empty match makes its whole rule never match', [rule([], [matchWith({})])], false],
    ['an empty match does not touch other rules', [rule([matchWith({})]), rule()], true],
    ['rules are OR', [other, matching], true],
    [
      'clauses are AND',
      [rule([matchWith({ destinationPorts: [8080] })], [matchWith({ destinationPorts: [1] })])],
      false,
    ],
    [
      'clauses are AND: all hold',
      [rule([matchWith({ destinationPorts: [8080] })], [matchWith({ namespaces: [exact('shop')] })])],
      true,
    ],
    [
      'matches are OR',
      [rule([matchWith({ destinationPorts: [1] }), matchWith({ destinationPorts: [8080] })])],
      true,
    ],
    [
      'fields of a match are AND',
      [rule([matchWith({ destinationPorts: [8080], namespaces: [exact('x')] })])],
      false,
    ],
    ['values of a field are OR', [rule([matchWith({ destinationPorts: [1, 8080] })])], true],
  ];
  for (const [name, rules, expected] of cases) {
    it(name, () => {
      expect(matches(rules)).to.equal(expected);
    });
  }
});

describe('authorize: fields of a match', () => {
  const id = 'td/ns/shop/sa/cart';
  const cases: [string, Partial<PolicyMatch>, boolean, boolean][] = [
    // name, match, with the identity, without one
    ['principals exact', { principals: [exact(id)] }, true, false],
    [
      'principals exact with spiffe:// does not match',
      { principals: [exact(`spiffe://${id}`)] },
      false,
      false,
    ],
    ['principals prefix', { principals: [prefix('td/ns/shop/')] }, true, false],
    ['principals empty prefix needs an identity', { principals: [prefix('')] }, true, false],
    ['principals suffix', { principals: [suffix('/sa/cart')] }, true, false],
    ['principals presence', { principals: [presence] }, true, false],
    ['notPrincipals exact', { notPrincipals: [exact(id)] }, false, true],
    ['notPrincipals presence is plaintext', { notPrincipals: [presence] }, false, true],
    ['notPrincipals of another', { notPrincipals: [exact('td/ns/x/sa/y')] }, true, true],
    ['namespaces exact', { namespaces: [exact('shop')] }, true, false],
    ['namespaces presence', { namespaces: [presence] }, true, false],
    ['namespaces exact empty is plaintext', { namespaces: [exact('')] }, false, true],
    ['namespaces empty prefix holds for both', { namespaces: [prefix('')] }, true, true],
    ['notNamespaces', { notNamespaces: [exact('shop')] }, false, true],
    [
      'serviceAccounts ignore the trust domain',
      { serviceAccounts: [{ namespace: 'shop', serviceAccount: 'cart' }] },
      true,
      false,
    ],
    [
      'serviceAccounts need the namespace',
      { serviceAccounts: [{ namespace: 'x', serviceAccount: 'cart' }] },
      false,
      false,
    ],
    [
      'notServiceAccounts',
      { notServiceAccounts: [{ namespace: 'shop', serviceAccount: 'cart' }] },
      false,
      true,
    ],
    ['sourceIps', { sourceIps: [{ ip: '10.0.0.0', length: 24 }] }, true, true],
    ['sourceIps of a host', { sourceIps: [{ ip: '10.0.0.2', length: 32 }] }, false, false],
    ['sourceIps of the other family', { sourceIps: [{ ip: '::', length: 0 }] }, false, false],
    ['notSourceIps', { notSourceIps: [{ ip: '10.0.0.0', length: 24 }] }, false, false],
    ['destinationIps are the pod address', { destinationIps: [{ ip: '10.0.0.2', length: 32 }] }, true, true],
    ['notDestinationIps', { notDestinationIps: [{ ip: '10.0.0.2', length: 32 }] }, false, false],
    ['destinationPorts', { destinationPorts: [8080] }, true, true],
    ['notDestinationPorts', { notDestinationPorts: [8080] }, false, false],
    [
      'a field and its negation are AND',
      { destinationPorts: [8080], notDestinationPorts: [8080] },
      false,
      false,
    ],
  ];
  for (const [name, match, withIdentity, without] of cases) {
    it(name, () => {
      const store = storeOf(deny('d', [rule([matchWith(match)])]));
      expect(!authorize(store, target, mtls).allowed, 'with identity').to.equal(withIdentity);
      expect(!authorize(store, target, plaintext).allowed, 'plaintext').to.equal(without);
    });
  }

  it('matches IPv6 sources by range', () => {
    const store = storeOf(deny('d', [rule([matchWith({ sourceIps: [{ ip: 'fd00::', length: 8 }] })])]));
    expect(authorize(store, target, { ...mtls, sourceIp: 'fd12::1' }).allowed).to.equal(false);
    expect(authorize(store, target, { ...mtls, sourceIp: '2001::1' }).allowed).to.equal(true);
  });
});

describe('authorize: converted PeerAuthentication', () => {
  const strict = deny('istio_converted_static_strict', [rule([matchWith({ notPrincipals: [presence] })])], {
    namespace: 'istio-system',
    scope: 'WORKLOAD_SELECTOR',
  });
  const exempting = deny(
    'converted',
    [rule([matchWith({ notPrincipals: [presence] })], [matchWith({ notDestinationPorts: [9090] })])],
    { scope: 'WORKLOAD_SELECTOR' },
  );
  it('STRICT refuses plaintext and lets mTLS through', () => {
    const workload = { ...target, authorizationPolicies: ['istio-system/istio_converted_static_strict'] };
    expect(authorize(storeOf(strict), workload, plaintext).allowed).to.equal(false);
    expect(authorize(storeOf(strict), workload, mtls).allowed).to.equal(true);
  });
  it('a port exempt from STRICT takes plaintext', () => {
    const workload = { ...target, authorizationPolicies: ['app/converted'] };
    expect(authorize(storeOf(exempting), workload, plaintext).allowed).to.equal(false);
    expect(authorize(storeOf(exempting), workload, { ...plaintext, destinationPort: 9090 }).allowed).to.equal(
      true,
    );
  });
});

describe('authorize: trace', () => {
  it('reports tested policies, dry-run results and missing names', () => {
    const steps: AuthorizeStep[] = [];
    const store = storeOf(
      deny('dry', [everything], { dryRun: true }),
      deny('d', [other]),
      allow('a', [matching]),
    );
    const workload = { ...target, authorizationPolicies: ['app/gone'] };
    const verdict = authorize(store, workload, mtls, (step) => steps.push(step));
    expect(steps).to.deep.equal([
      { kind: 'missing-policy', key: 'app/gone' },
      { kind: 'policy', key: 'app/dry', scope: 'NAMESPACE', action: 'DENY', dryRun: true, matched: true },
      { kind: 'policy', key: 'app/d', scope: 'NAMESPACE', action: 'DENY', dryRun: false, matched: false },
      { kind: 'policy', key: 'app/a', scope: 'NAMESPACE', action: 'ALLOW', dryRun: false, matched: true },
    ]);
    expect(explainVerdict(verdict, workload, mtls, steps)).to.deep.equal([
      'td/ns/shop/sa/cart at 10.0.0.1 to app/pod at 10.0.0.2:8080',
      '  app/gone: named by the workload but unknown here, skipped; check that the control plane still has it',
      '  DENY app/dry (namespace, dry run, no effect): matches',
      '  DENY app/d (namespace, enforced): does not match',
      '  ALLOW app/a (namespace, enforced): matches',
      'allowed by app/a',
    ]);
  });

  it('explains each outcome', () => {
    const last = (...policies: Policy[]) =>
      explainVerdict(authorize(storeOf(...policies), target, plaintext), target, plaintext).at(-1);
    expect(last()).to.match(/^allowed: no ALLOW policy applies/);
    expect(last(deny('d', [everything]))).to.match(/^denied by app\/d/);
    expect(last(allow('a', []))).to.match(/^denied: ALLOW policies apply/);
  });
});

describe('authorize: against a naive evaluator', () => {
  const text = fc.constantFrom('', 'td', 'shop', 'cart', 'td/ns/shop/sa/cart', 'x');
  const kind = fc.constantFrom('exact' as const, 'prefix' as const, 'suffix' as const, 'presence' as const);
  const strings = fc.array(fc.record({ kind, value: text }), { maxLength: 2 });
  const accounts = fc.array(fc.record({ namespace: text, serviceAccount: text }), { maxLength: 2 });
  const range = fc.record({
    ip: fc.constantFrom('10.0.0.0', '10.0.0.2', 'fd00::'),
    length: fc.integer({ min: 0, max: 32 }),
  });
  const ranges = fc.array(range, { maxLength: 2 });
  const ports = fc.array(fc.constantFrom(80, 8080), { maxLength: 2 });
  const match: fc.Arbitrary<PolicyMatch> = fc
    .record(
      {
        namespaces: strings,
        notNamespaces: strings,
        serviceAccounts: accounts,
        notServiceAccounts: accounts,
        principals: strings,
        notPrincipals: strings,
        sourceIps: ranges,
        notSourceIps: ranges,
        destinationIps: ranges,
        notDestinationIps: ranges,
        destinationPorts: ports,
        notDestinationPorts: ports,
      },
      { requiredKeys: [] },
    )
    .map(matchWith);
  const clause = fc.record({ matches: fc.array(match, { maxLength: 3 }) });
  const rules = fc.array(fc.record({ clauses: fc.array(clause, { maxLength: 3 }) }), { maxLength: 3 });
  const policies = fc
    .array(
      fc.record({
        scope: fc.constantFrom('GLOBAL' as const, 'NAMESPACE' as const, 'WORKLOAD_SELECTOR' as const),
        action: fc.constantFrom('ALLOW' as const, 'DENY' as const),
        namespace: fc.constantFrom('app', 'x'),
        dryRun: fc.boolean(),
        rules,
      }),
      { maxLength: 4 },
    )
    .map((list) => list.map((fields, i) => policyWith({ ...fields, name: `p${i}` })));
  const connection: fc.Arbitrary<PolicyConnection> = fc.record({
    principal: fc.option(fc.record({ trustDomain: text, namespace: text, serviceAccount: text }), {
      nil: undefined,
    }),
    sourceIp: fc.constantFrom('10.0.0.1', 'fd00::1', '192.168.1.1'),
    destinationIp: fc.constantFrom('10.0.0.2', 'fd00::2'),
    destinationPort: fc.constantFrom(80, 8080, 443),
  });

  it('gives the same verdict [fuzz]', () => {
    fc.assert(
      fc.property(
        policies,
        connection,
        fc.subarray(['app/p0', 'x/p1', 'app/p2', 'x/gone']),
        (list, conn, named) => {
          const workload = { ...target, authorizationPolicies: named };
          expect(authorize(storeOf(...list), workload, conn).allowed).to.equal(naive(list, named, conn));
        },
      ),
      fuzzBudget(),
    );
  });

  function naive(list: Policy[], named: string[], conn: PolicyConnection): boolean {
    const applicable = list.filter(
      (policy) =>
        !policy.dryRun &&
        (policy.scope === 'GLOBAL' ||
          (policy.scope === 'NAMESPACE' && policy.namespace === 'app') ||
          named.includes(`${policy.namespace}/${policy.name}`)),
    );
    const hits = (policy: Policy) =>
      policy.rules.some((r) => r.clauses.every((c) => c.matches.length === 0 || c.matches.some(hitsMatch)));
    const hitsMatch = (m: PolicyMatch): boolean => {
      if (Object.values(m).every((list: readonly unknown[]) => list.length === 0)) return false;
      const p = conn.principal;
      const id = p && `${p.trustDomain}/ns/${p.namespace}/sa/${p.serviceAccount}`;
      const field = <T>(yes: readonly T[], no: readonly T[], test: (value: T) => boolean) =>
        (yes.length === 0 || yes.some(test)) && !no.some(test);
      const matchText = (m: StringMatch, value: string) =>
        m.kind === 'exact'
          ? value === m.value
          : m.kind === 'prefix'
            ? value.startsWith(m.value)
            : m.kind === 'suffix'
              ? value.endsWith(m.value)
              : value !== '';
      return (
        field(m.namespaces, m.notNamespaces, (s) => matchText(s, p?.namespace ?? '')) &&
        field(m.principals, m.notPrincipals, (s) => id !== undefined && matchText(s, id)) &&
        field(
          m.serviceAccounts,
          m.notServiceAccounts,
          (s) => p?.namespace === s.namespace && p.serviceAccount === s.serviceAccount,
        ) &&
        field(m.sourceIps, m.notSourceIps, (c) => Cidr.from(c.ip, c.length)!.containsText(conn.sourceIp)) &&
        field(m.destinationIps, m.notDestinationIps, (c) =>
          Cidr.from(c.ip, c.length)!.containsText(conn.destinationIp),
        ) &&
        field(m.destinationPorts, m.notDestinationPorts, (port) => port === conn.destinationPort)
      );
    };
    if (applicable.some((policy) => policy.action === 'DENY' && hits(policy))) return false;
    const allows = applicable.filter((policy) => policy.action === 'ALLOW');
    return allows.length === 0 || allows.some(hits);
  }
});
