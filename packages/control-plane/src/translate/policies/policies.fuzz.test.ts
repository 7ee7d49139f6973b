// Policies of any form, and the meaning of those of layer 4 held against a reading of the API of its own.
import { authorize, Cidr, MeshStore, principalName, workloadWith } from '@ambient/mesh';
import type { PolicyConnection } from '@ambient/mesh';
import { fuzzBudget } from '@ambient/testkit';
import { istio } from '@ambient/wire';
import { policyToMesh } from '@ambient/xds';
import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryCluster } from '../../cluster/memory-cluster.test-data.ts';
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from '@ambient/kube';
import { translateAuthorizationPolicy } from './authorization-policy.ts';
import { authorizationPolicy, mesh, peerAuthentication } from './objects.test-data.ts';
import { policiesOf } from './of-workload.ts';
import { translatePeerAuthentication } from './peer-authentication.ts';

const target = { namespace: 'app', labels: { app: 'web', tier: 'front' } };

const namespace = fc.constantFrom('app', 'a', 'ab', 'b');
const account = fc.constantFrom('web', 'batch');
const principal = fc.constantFrom(
  'cluster.local/ns/a/sa/web',
  'cluster.local/ns/app/sa/batch',
  'cluster.local/ns/ab/*',
  '*/sa/web',
  'other/*',
  '*',
);
const block = fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', 'fd00::/8', 'fd00::1', '0.0.0.0/0');
const port = fc.constantFrom('80', '443', '8080');
const list = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 });
const pattern = fc.oneof(namespace, fc.constantFrom('a*', '*b', '*'));
const accountName = fc.oneof(
  account,
  fc.tuple(namespace, account).map((parts) => parts.join('/')),
);

const source: fc.Arbitrary<AuthorizationSource> = fc
  .record(
    {
      principals: list(principal),
      notPrincipals: list(principal),
      namespaces: list(pattern),
      notNamespaces: list(pattern),
      serviceAccounts: list(accountName),
      notServiceAccounts: list(accountName),
      ipBlocks: list(block),
      notIpBlocks: list(block),
    },
    { requiredKeys: [] },
  )
  .filter((fields) => Object.keys(fields).length > 0);
const operation: fc.Arbitrary<AuthorizationOperation> = fc
  .record({ ports: list(port), notPorts: list(port) }, { requiredKeys: [] })
  .filter((fields) => Object.keys(fields).length > 0);
const conditionOf = (key: string, value: fc.Arbitrary<string>): fc.Arbitrary<AuthorizationCondition> =>
  fc
    .record({ values: list(value), notValues: list(value) }, { requiredKeys: [] })
    .filter((fields) => Object.keys(fields).length > 0)
    .map((fields) => ({ key, ...fields }));
const condition = fc.oneof(
  conditionOf('source.principal', principal),
  conditionOf('source.namespace', pattern),
  conditionOf('source.ip', block),
  conditionOf('destination.ip', block),
  conditionOf('destination.port', port),
);
const rule: fc.Arbitrary<AuthorizationRule> = fc.record(
  {
    from: list(source.map((fields) => ({ source: fields }))),
    to: list(operation.map((fields) => ({ operation: fields }))),
    when: list(condition),
  },
  { requiredKeys: [] },
);
const spec: fc.Arbitrary<AuthorizationPolicySpec> = fc.record(
  {
    action: fc.constantFrom('ALLOW', 'DENY'),
    rules: fc.array(rule, { maxLength: 3 }),
    selector: fc.constantFrom({ matchLabels: { app: 'web' } }, { matchLabels: { app: 'other' } }, {}),
  },
  { requiredKeys: [] },
);
const policies = fc
  .array(fc.tuple(spec, fc.constantFrom('app', 'istio-system', 'elsewhere')), { maxLength: 4 })
  .map((list) =>
    list.map(([fields, where], i) => authorizationPolicy(fields, { name: `p${i}`, namespace: where })),
  );
const connection: fc.Arbitrary<PolicyConnection> = fc.record({
  principal: fc.option(
    fc.record({ trustDomain: fc.constantFrom('cluster.local', 'other'), namespace, serviceAccount: account }),
    { nil: undefined },
  ),
  sourceIp: fc.constantFrom('10.0.0.1', '10.1.2.3', '192.0.2.1', 'fd00::1', 'fe80::1'),
  destinationIp: fc.constantFrom('10.1.2.3', 'fd00::1'),
  destinationPort: fc.constantFrom(80, 443, 8080, 9),
});

// The API's words read once more, straight from the manifest and without the forms of the wire.

function anyPattern(patterns: readonly string[], value: string | undefined): boolean {
  return patterns.some((text) => {
    if (value === undefined || (text === '*' && value === '')) return false;
    if (text === '*') return true;
    if (text.startsWith('*')) return value.endsWith(text.slice(1));
    return text.endsWith('*') ? value.startsWith(text.slice(0, -1)) : value === text;
  });
}

function anyBlock(blocks: readonly string[], ip: string): boolean {
  return blocks.some((text) => {
    const [address, length] = text.split('/');
    const bits = length === undefined ? (text.includes(':') ? 128 : 32) : Number(length);
    return Cidr.from(address!, bits)!.containsText(ip);
  });
}

function anyAccount(
  accounts: readonly string[],
  own: string,
  client: PolicyConnection['principal'],
): boolean {
  return accounts.some((text) => {
    const [ns, name] = text.includes('/') ? text.split('/') : [own, text];
    return client !== undefined && client.namespace === ns && client.serviceAccount === name;
  });
}

/** A field and its twin: both hold where they are there. */
function holds<T>(yes: T | undefined, no: T | undefined, test: (values: T) => boolean): boolean {
  return (yes === undefined || test(yes)) && (no === undefined || !test(no));
}

function ruleHolds(written: AuthorizationRule, own: string, call: PolicyConnection): boolean {
  const id = call.principal === undefined ? undefined : principalName(call.principal);
  const clientNamespace = call.principal?.namespace ?? '';
  const byPrincipal = (values: readonly string[]) => anyPattern(values, id);
  const byNamespace = (values: readonly string[]) => anyPattern(values, clientNamespace);
  const byPort = (values: readonly string[]) => values.includes(String(call.destinationPort));
  const bySource = (values: readonly string[]) => anyBlock(values, call.sourceIp);
  const byDestination = (values: readonly string[]) => anyBlock(values, call.destinationIp);
  const from = written.from?.some(
    ({ source: s = {} }) =>
      holds(s.principals, s.notPrincipals, byPrincipal) &&
      holds(s.namespaces, s.notNamespaces, byNamespace) &&
      holds(s.serviceAccounts, s.notServiceAccounts, (values) => anyAccount(values, own, call.principal)) &&
      holds(s.ipBlocks, s.notIpBlocks, bySource),
  );
  const to = written.to?.some(({ operation: o = {} }) => holds(o.ports, o.notPorts, byPort));
  const tests: Record<string, (values: readonly string[]) => boolean> = {
    'source.principal': byPrincipal,
    'source.namespace': byNamespace,
    'source.ip': bySource,
    'destination.ip': byDestination,
    'destination.port': byPort,
  };
  const when = written.when?.every(({ key, values, notValues }) => holds(values, notValues, tests[key!]!));
  return (from ?? true) && (to ?? true) && (when ?? true);
}

function isAllowed(written: ReturnType<typeof authorizationPolicy>[], call: PolicyConnection): boolean {
  const applicable = written.filter(({ metadata, spec: fields }) => {
    if (metadata.namespace !== target.namespace && metadata.namespace !== mesh.rootNamespace) return false;
    const wanted = Object.entries(fields?.selector?.matchLabels ?? {});
    return wanted.every(([key, value]) => (target.labels as Record<string, string>)[key] === value);
  });
  const matches = ({ metadata, spec: fields }: (typeof written)[number]) =>
    (fields?.rules ?? []).some((each) => ruleHolds(each, metadata.namespace!, call));
  const deny = applicable.filter((policy) => policy.spec?.action === 'DENY');
  const allow = applicable.filter((policy) => policy.spec?.action !== 'DENY');
  if (deny.some(matches)) return false;
  return allow.length === 0 || allow.some(matches);
}

/** What ztunnel decides by what it gets, over the bytes of the wire. */
function verdict(written: ReturnType<typeof authorizationPolicy>[], call: PolicyConnection): boolean {
  const store = new MeshStore();
  for (const policy of written) {
    const { name, authorization } = translateAuthorizationPolicy(policy, mesh);
    const bytes = istio.security.Authorization.encode(authorization!).finish();
    store.apply([
      { kind: 'policy', key: name, policy: policyToMesh(istio.security.Authorization.decode(bytes)) },
    ]);
  }
  const authorizationPolicies = policiesOf(target, new MemoryCluster(written), mesh);
  return authorize(store, workloadWith({ uid: 't', namespace: 'app', authorizationPolicies }), call).allowed;
}

describe('policies under fuzz', () => {
  it('of layer 4 mean on ztunnel what their manifest says [fuzz]', () => {
    fc.assert(
      fc.property(policies, connection, (written, call) => {
        expect(verdict(written, call)).to.equal(isAllowed(written, call));
      }),
      fuzzBudget(),
    );
  });

  it('of the API in its order have no errors [fuzz]', () => {
    fc.assert(
      fc.property(policies, (written) => {
        for (const policy of written) {
          const { problems } = translateAuthorizationPolicy(policy, mesh);
          const expected = /serviceAccounts and not|DENY without rules/;
          for (const { severity, message } of problems)
            if (severity === 'error') expect(message).to.match(expected);
        }
      }),
      fuzzBudget(),
    );
  });

  const names = [
    'rules',
    'from',
    'to',
    'when',
    'source',
    'operation',
    'principals',
    'notPorts',
    'ports',
    'ipBlocks',
    'key',
    'values',
    'selector',
    'matchLabels',
    'action',
    'mtls',
    'mode',
    'portLevelMtls',
    'targetRefs',
    '80',
    'trustDomains',
    'notTrustDomains',
  ];
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(null, '', '*', 'DENY', 'STRICT', 'a', '80', 'source.ip', 80, true, {}, []),
    fc.string(),
  );
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { depthSize: 'medium' },
      leaf,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4 }),
    ),
  }));

  it('of any JSON are read, and what is sent can be read by ztunnel [fuzz]', () => {
    fc.assert(
      fc.property(any, (fields) => {
        const policy = authorizationPolicy(fields);
        const { authorization } = translateAuthorizationPolicy(policy, mesh);
        if (authorization !== undefined) {
          const bytes = istio.security.Authorization.encode(authorization).finish();
          policyToMesh(istio.security.Authorization.decode(bytes));
        }
        const own = peerAuthentication(fields);
        const cluster = new MemoryCluster([policy, own]);
        translatePeerAuthentication(own, cluster, mesh);
        policiesOf(target, cluster, mesh);
      }),
      fuzzBudget(),
    );
  });

  const damages: readonly [string, (fields: AuthorizationOperation) => AuthorizationOperation][] = [
    ['an exception', (fields) => ({ ...fields, notPorts: [...(fields.notPorts ?? []), 'http'] })],
    ['every value of a field', (fields) => ({ ...fields, ports: ['http'] })],
  ];
  for (const [what, damage] of damages)
    it(`allow no more and deny no less when ${what} cannot be read [fuzz]`, () => {
      // A rule of DENY that has no other clause is the exception: nothing would limit it (see the table test).
      const limited = spec.filter(({ rules = [] }) => rules.every(({ from, when }) => from ?? when));
      fc.assert(
        fc.property(limited, connection, ({ action = 'ALLOW', rules = [] }, call) => {
          const damaged = rules.map(({ to, ...rest }) =>
            to === undefined
              ? rest
              : { ...rest, to: to.map((entry) => ({ operation: damage(entry.operation!) })) },
          );
          const after = verdict([authorizationPolicy({ action, rules: damaged })], call);
          if (after) expect(verdict([authorizationPolicy({ action, rules })], call)).to.equal(true);
        }),
        fuzzBudget(),
      );
    });
});
