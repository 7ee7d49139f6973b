import { istio } from '@ambient/wire';
import { expect } from 'chai';
import { authorizationPolicy, mesh } from './objects.test-data.ts';
import { translateAuthorizationPolicy } from './authorization-policy.ts';

const { Action, Scope } = istio.security;
const never = {};
const fromA = { source: { namespaces: ['a'] } };
const matchA = { namespaces: [{ exact: 'a' }] };

function rulesOf(spec: object): istio.security.IRule[] {
  return translateAuthorizationPolicy(authorizationPolicy(spec), mesh).authorization!.rules!;
}

/** Clauses, each a list of its matches. */
function clausesOf(action: 'ALLOW' | 'DENY', rule: unknown): unknown[] | undefined {
  const [only] = rulesOf({ action, rules: [rule] });
  return only?.clauses?.map((clause) => clause.matches);
}

describe('scope and action of an AuthorizationPolicy', () => {
  const selector = { matchLabels: { app: 'web' } };
  const cases: [string, object, string, keyof typeof Scope][] = [
    ['no selector: its namespace', {}, 'app', 'NAMESPACE'],
    ['no selector in the root namespace: the mesh', {}, 'istio-system', 'GLOBAL'],
    ['a selector: workloads that name it', { selector }, 'app', 'WORKLOAD_SELECTOR'],
    ['a selector in the root namespace too', { selector }, 'istio-system', 'WORKLOAD_SELECTOR'],
    ['an empty selector is none, where Istio attaches it to nothing', { selector: {} }, 'app', 'NAMESPACE'],
    ['a selector without labels is none', { selector: { matchLabels: {} } }, 'app', 'NAMESPACE'],
    ['no targets are none', { targetRefs: [] }, 'app', 'NAMESPACE'],
  ];
  for (const [name, spec, namespace, scope] of cases)
    it(name, () => {
      const { authorization } = translateAuthorizationPolicy(authorizationPolicy(spec, { namespace }), mesh);
      expect(authorization).to.include({
        scope: Scope[scope],
        action: Action.ALLOW,
        dryRun: false,
        namespace,
      });
    });

  it('ALLOW is the default, and a policy without a spec allows nothing', () => {
    const { authorization, ztunnel } = translateAuthorizationPolicy(authorizationPolicy(undefined), mesh);
    expect(authorization).to.deep.include({ action: Action.ALLOW, rules: [] });
    expect(ztunnel?.reason).to.equal('Accepted');
  });

  it('an empty rule matches everything', () => {
    expect(rulesOf({ rules: [{}] })).to.deep.equal([{ clauses: [] }]);
  });
});

describe('AuthorizationPolicies that ztunnel does not get', () => {
  const gateway = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'w' };
  const dryRun = (value: string) => ({ annotations: { 'istio.io/dry-run': value } });
  const cases: [string, object, object, RegExp | undefined][] = [
    ['targetRefs', { targetRefs: [gateway] }, {}, undefined],
    ['the older targetRef', { targetRef: gateway }, {}, undefined],
    [
      'CUSTOM',
      { action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] },
      {},
      /does not support the CUSTOM action/,
    ],
    ['AUDIT', { action: 'AUDIT', rules: [{}] }, {}, /does not support the AUDIT action/],
    ['a dry run', { rules: [{}] }, dryRun('true'), /AMBIENT_ENABLE_DRY_RUN/],
    ['a dry run, as Go spells it', { rules: [{}] }, dryRun('T'), /AMBIENT_ENABLE_DRY_RUN/],
    ['a dry run is told before targets', { targetRefs: [gateway] }, dryRun('1'), /AMBIENT_ENABLE_DRY_RUN/],
    ['an action that does not exist', { action: 'REJECT' }, {}, /spec\.action: "REJECT" is not one of/],
    [
      'a selector that cannot be read',
      { selector: { matchLabels: { a: 1 } } },
      {},
      /spec\.selector\.matchLabels\["a"\]/,
    ],
  ];
  for (const [name, spec, metadata, message] of cases)
    it(name, () => {
      const { authorization, ztunnel } = translateAuthorizationPolicy(
        authorizationPolicy(spec, metadata),
        mesh,
      );
      expect(authorization).to.equal(undefined);
      expect(ztunnel?.accepted ?? false).to.equal(false);
      if (message === undefined) expect(ztunnel).to.equal(undefined);
      else expect(ztunnel?.message).to.match(message);
    });

  it('a dry run is sent where the mesh allows it', () => {
    const policy = authorizationPolicy({ action: 'DENY', rules: [{}] }, dryRun('true'));
    const { authorization } = translateAuthorizationPolicy(policy, { ...mesh, dryRunPolicies: true });
    expect(authorization).to.include({ dryRun: true, action: Action.DENY });
  });

  it('a dry run that is neither true nor false stays enforced', () => {
    const policy = authorizationPolicy({ action: 'DENY', rules: [{}] }, dryRun('maybe'));
    const { authorization, ztunnel } = translateAuthorizationPolicy(policy, mesh);
    expect(authorization).to.include({ dryRun: false });
    expect(ztunnel?.message).to.include('stays enforced');
  });
});

describe('fields that ztunnel knows', () => {
  const ip = (...bytes: number[]) => Uint8Array.from(bytes);
  const sources: [string, object, object][] = [
    [
      'principals',
      { principals: ['td/ns/a/sa/b', 'td/*', '*/sa/b', '*'] },
      { principals: [{ exact: 'td/ns/a/sa/b' }, { prefix: 'td/' }, { suffix: '/sa/b' }, { presence: {} }] },
    ],
    ['notPrincipals', { notPrincipals: ['x'] }, { notPrincipals: [{ exact: 'x' }] }],
    [
      'namespaces, a star inside is a character',
      { namespaces: ['a*b', '**'] },
      { namespaces: [{ exact: 'a*b' }, { suffix: '*' }] },
    ],
    ['notNamespaces', { notNamespaces: ['a'] }, { notNamespaces: [{ exact: 'a' }] }],
    [
      'serviceAccounts of its own and of another namespace',
      { serviceAccounts: ['web', 'b/web'] },
      {
        serviceAccounts: [
          { namespace: 'app', serviceAccount: 'web' },
          { namespace: 'b', serviceAccount: 'web' },
        ],
      },
    ],
    [
      'notServiceAccounts',
      { notServiceAccounts: ['b/web'] },
      { notServiceAccounts: [{ namespace: 'b', serviceAccount: 'web' }] },
    ],
    [
      'ipBlocks keep their host bits',
      { ipBlocks: ['10.1.5.7/24', '1.2.3.4', '::1'] },
      {
        sourceIps: [
          { address: ip(10, 1, 5, 7), length: 24 },
          { address: ip(1, 2, 3, 4), length: 32 },
          { address: ip(...new Array<number>(15).fill(0), 1), length: 128 },
        ],
      },
    ],
    [
      'notIpBlocks',
      { notIpBlocks: ['10.0.0.0/8'] },
      { notSourceIps: [{ address: ip(10, 0, 0, 0), length: 8 }] },
    ],
    [
      'a mapped range is the IPv4 range',
      { ipBlocks: ['::ffff:10.0.0.0/104'] },
      { sourceIps: [{ address: ip(10, 0, 0, 0), length: 8 }] },
    ],
  ];
  for (const [name, source, match] of sources)
    for (const action of ['ALLOW', 'DENY'] as const)
      it(`${action} by source: ${name}`, () => {
        expect(clausesOf(action, { from: [{ source }] })).to.deep.equal([[match]]);
      });

  it('by operation: ports and notPorts', () => {
    const rule = { to: [{ operation: { ports: ['80', '0443'], notPorts: ['8080'] } }] };
    expect(clausesOf('ALLOW', rule)).to.deep.equal([
      [{ destinationPorts: [80, 443], notDestinationPorts: [8080] }],
    ]);
  });

  const conditions: [string, string, object, object][] = [
    [
      'source.ip',
      '10.0.0.0/8',
      { sourceIps: [{ address: ip(10, 0, 0, 0), length: 8 }] },
      { notSourceIps: [{ address: ip(10, 0, 0, 0), length: 8 }] },
    ],
    ['source.namespace', 'a', { namespaces: [{ exact: 'a' }] }, { notNamespaces: [{ exact: 'a' }] }],
    ['source.principal', '*', { principals: [{ presence: {} }] }, { notPrincipals: [{ presence: {} }] }],
    [
      'destination.ip',
      '1.2.3.4',
      { destinationIps: [{ address: ip(1, 2, 3, 4), length: 32 }] },
      { notDestinationIps: [{ address: ip(1, 2, 3, 4), length: 32 }] },
    ],
    ['destination.port', '80', { destinationPorts: [80] }, { notDestinationPorts: [80] }],
  ];
  for (const [key, value, positive, negative] of conditions)
    it(`by condition: ${key}`, () => {
      const rule = {
        when: [
          { key, values: [value] },
          { key, notValues: [value] },
          { key, values: [value], notValues: [value] },
        ],
      };
      expect(clausesOf('DENY', rule)).to.deep.equal([[positive], [negative], [{ ...positive, ...negative }]]);
    });

  it('to, from and each condition are clauses, entries are alternatives', () => {
    const rule = {
      from: [fromA, { source: { namespaces: ['b'] } }],
      to: [{ operation: { ports: ['1'] } }, { operation: { ports: ['2'] } }],
      when: [{ key: 'destination.port', values: ['3'] }],
    };
    expect(clausesOf('ALLOW', rule)).to.deep.equal([
      [{ destinationPorts: [1] }, { destinationPorts: [2] }],
      [matchA, { namespaces: [{ exact: 'b' }] }],
      [{ destinationPorts: [3] }],
    ]);
  });
});

describe('parts of a rule that only a waypoint can enforce', () => {
  const http: [string, object][] = [
    ['requestPrincipals', { from: [{ source: { requestPrincipals: ['*'] } }] }],
    ['notRequestPrincipals', { from: [{ source: { notRequestPrincipals: ['*'] } }] }],
    ['remoteIpBlocks', { from: [{ source: { remoteIpBlocks: ['10.0.0.0/8'] } }] }],
    ['notRemoteIpBlocks', { from: [{ source: { notRemoteIpBlocks: ['10.0.0.0/8'] } }] }],
    ...['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'].map((name): [string, object] => [
      name,
      { to: [{ operation: { [name]: ['x'] } }] },
    ]),
    ...[
      'request.headers[x]',
      'request.auth.claims[a][b]',
      'request.auth.principal',
      'remote.ip',
      'connection.sni',
      'source.serviceAccount',
      'source.trustDomain',
      'experimental.envoy.filters.x[y]',
    ].map((key): [string, object] => [key, { when: [{ key, values: ['1.2.3.4'] }] }]),
  ];
  for (const [name, rule] of http) {
    it(`ALLOW leaves the rule out: ${name}`, () => {
      expect(rulesOf({ rules: [{ ...rule }, { from: [fromA] }] })).to.deep.equal([
        { clauses: [{ matches: [matchA] }] },
      ]);
    });

    it(`DENY keeps a clause that never holds, as Istio sends it: ${name}`, () => {
      expect(clausesOf('DENY', rule)).to.deep.equal([[never]]);
      const { ztunnel } = translateAuthorizationPolicy(
        authorizationPolicy({ action: 'DENY', rules: [rule] }),
        mesh,
      );
      expect(ztunnel).to.include({ accepted: true, reason: 'UnsupportedValue' });
      expect(ztunnel?.message)
        .to.include('spec.rules[0].')
        .and.to.include('no rule of this policy has an effect');
      expect(ztunnel?.message).to.include('targetRefs');
    });
  }

  it('DENY keeps the part of an entry that ztunnel knows', () => {
    const rule = {
      to: [{ operation: { methods: ['GET'], ports: ['80'] } }, { operation: { paths: ['/x'] } }],
    };
    expect(clausesOf('DENY', rule)).to.deep.equal([[{ destinationPorts: [80] }, never]]);
  });

  it('ALLOW of which no rule is left is sent, and denies', () => {
    const spec = { rules: [{ to: [{ operation: { paths: ['/x'] } }] }] };
    const { authorization, ztunnel } = translateAuthorizationPolicy(authorizationPolicy(spec), mesh);
    expect(authorization?.rules).to.deep.equal([]);
    expect(ztunnel?.message).to.include('spec.rules[0].to[0].operation.paths');
  });
});

describe('names of the trust domain of the mesh', () => {
  const renamed = { ...mesh, trustDomain: 'corp', trustDomainAliases: ['old'] };
  const names = ['old/ns/a/sa/b', 'cluster.local/ns/a/*', 'other/ns/a/sa/b', 'old'];
  const written = [
    { exact: 'old/ns/a/sa/b' },
    { prefix: 'cluster.local/ns/a/' },
    { exact: 'other/ns/a/sa/b' },
    { exact: 'old' },
  ];
  const shutOut = [
    written[0],
    { exact: 'corp/ns/a/sa/b' },
    written[1],
    { prefix: 'corp/ns/a/' },
    ...written.slice(2),
  ];
  const cases: [string, 'ALLOW' | 'DENY', object, object][] = [
    [
      'DENY shuts out by all, where Istio denies nobody by an old one',
      'DENY',
      { principals: names },
      { principals: shutOut },
    ],
    ['so does an exception of ALLOW', 'ALLOW', { notPrincipals: names }, { notPrincipals: shutOut }],
    ['ALLOW lets in by the name that is written', 'ALLOW', { principals: names }, { principals: written }],
    ['an exception of DENY as well', 'DENY', { notPrincipals: names }, { notPrincipals: written }],
  ];
  for (const [name, action, source, match] of cases)
    it(name, () => {
      const policy = authorizationPolicy({ action, rules: [{ from: [{ source }] }] });
      const { authorization } = translateAuthorizationPolicy(policy, renamed);
      expect(authorization?.rules?.[0]?.clauses?.[0]?.matches).to.deep.equal([match]);
    });

  it('conditions too', () => {
    const rule = { when: [{ key: 'source.principal', values: ['old/ns/a/sa/b'] }] };
    const policy = authorizationPolicy({ action: 'DENY', rules: [rule] });
    const { authorization } = translateAuthorizationPolicy(policy, renamed);
    expect(authorization?.rules?.[0]?.clauses?.[0]?.matches?.[0]?.principals).to.have.length(2);
  });
});

describe('trust domains in a source', () => {
  it('ALLOW with nothing else never holds, as in Istio', () => {
    expect(clausesOf('ALLOW', { from: [{ source: { trustDomains: ['td'] } }] })).to.deep.equal([[never]]);
  });

  it('ALLOW beside other fields never holds, where Istio lets every trust domain in', () => {
    const rule = { from: [{ source: { namespaces: ['a'], trustDomains: ['td'] } }] };
    expect(clausesOf('ALLOW', rule)).to.deep.equal([[never]]);
    const { ztunnel } = translateAuthorizationPolicy(authorizationPolicy({ rules: [rule] }), mesh);
    expect(ztunnel?.message).to.include('spec.rules[0].from[0].source.trustDomains');
  });

  it('DENY with nothing else goes by the principal, where Istio denies nothing', () => {
    const denied = (source: object) => clausesOf('DENY', { from: [{ source }] });
    expect(denied({ trustDomains: ['td', 'x*', '*'] })).to.deep.equal([
      [{ principals: [{ prefix: 'td/' }, { prefix: 'x' }, { presence: {} }] }],
    ]);
    expect(denied({ notTrustDomains: ['td'] })).to.deep.equal([[{ notPrincipals: [{ prefix: 'td/' }] }]]);
  });

  it('DENY beside other fields denies every trust domain, as in Istio', () => {
    const rule = { from: [{ source: { namespaces: ['a'], trustDomains: ['td'] } }] };
    expect(clausesOf('DENY', rule)).to.deep.equal([[matchA]]);
  });
});

describe('a policy that cannot be read lets through no more than was written', () => {
  const badIp = { ipBlocks: ['10.0.0.0/33'] };
  const allow: [string, unknown, unknown][] = [
    ['one bad value of several is left out', { from: [{ source: { ipBlocks: ['x', '::1/128'] } }] }, 1],
    ['a field with bad values only never holds', { from: [{ source: badIp }] }, [[never]]],
    [
      'nor does an entry that has it beside others, where Istio ignores it',
      { from: [{ source: { namespaces: ['a'], ...badIp } }] },
      [[never]],
    ],
    [
      'nor one with a bad exception, where Istio ignores that',
      { from: [{ source: { namespaces: ['a'], notIpBlocks: ['x'] } }] },
      [[never]],
    ],
    ['an empty namespace does not let plaintext in', { from: [{ source: { namespaces: [''] } }] }, [[never]]],
    [
      'a misspelt field of a source',
      { from: [{ source: { namespaces: ['a'], principal: ['b'] } }] },
      [[never]],
    ],
    ['a misspelt exception', { to: [{ operation: { ports: ['80'], notports: ['81'] } }] }, [[never]]],
    ['no source', { from: [{}] }, [[never]]],
    ['an empty source', { from: [{ source: {} }] }, [[never]]],
    ['a source with empty lists', { from: [{ source: { principals: [] } }] }, [[never]]],
    ['a list that is a string', { from: [{ source: { namespaces: 'a' } }] }, [[never]]],
    ['numbers for ports', { to: [{ operation: { ports: [80] } }] }, [[never]]],
    ['a service account with a wildcard', { from: [{ source: { serviceAccounts: ['a/*'] } }] }, [[never]]],
    ['a condition without values', { when: [{ key: 'source.ip' }] }, [[never]]],
    ['a condition that does not exist', { when: [{ key: 'source.ipp', values: ['1.2.3.4'] }] }, undefined],
    ['a condition without a key', { when: [{ values: ['x'] }] }, undefined],
    ['an empty from', { from: [] }, undefined],
    ['a misspelt from', { form: [fromA] }, undefined],
    ['a rule that is null', null, undefined],
    ['a rule that is a list', [], undefined],
  ];
  for (const [name, rule, clauses] of allow)
    it(`ALLOW: ${name}`, () => {
      const { authorization, problems, ztunnel } = translateAuthorizationPolicy(
        authorizationPolicy({ rules: [rule] }),
        mesh,
      );
      if (clauses === undefined) expect(authorization?.rules).to.deep.equal([]);
      else if (typeof clauses === 'number')
        expect(authorization?.rules?.[0]?.clauses).to.have.length(clauses);
      else expect(authorization?.rules?.[0]?.clauses?.map(({ matches }) => matches)).to.deep.equal(clauses);
      expect(problems[0]?.path).to.match(/^spec\.rules\[0\]/);
      expect(ztunnel).to.include({ accepted: false, reason: 'Invalid' });
      expect(ztunnel?.message).to.include(problems[0]!.path);
    });

  const deny: [string, unknown, unknown][] = [
    ['the good values of a field are denied', { from: [{ source: { namespaces: ['a', 5] } }] }, [[matchA]]],
    [
      'an entry loses a field that has no good value',
      { from: [{ source: { namespaces: ['a'], ...badIp } }] },
      [[matchA]],
    ],
    [
      'a bad exception is no exception',
      { from: [{ source: { namespaces: ['a'], notIpBlocks: ['x'] } }] },
      [[matchA]],
    ],
    [
      'a clause without meaning does not narrow the rule, where Istio denies nothing',
      { from: [fromA], to: [{ operation: { ports: ['http'] } }] },
      [[matchA]],
    ],
    [
      'nor does one with a meaningless alternative',
      { from: [fromA], to: [{ operation: { ports: ['http'] } }, { operation: { ports: ['1'] } }] },
      [[matchA]],
    ],
    ['nor an unknown condition', { from: [fromA], when: [{ key: 'nothing', values: ['x'] }] }, [[matchA]]],
    [
      'an empty from does not narrow the rule',
      { from: [], to: [{ operation: { ports: ['1'] } }] },
      [[{ destinationPorts: [1] }]],
    ],
    ['a rule without any meaning denies nothing, as in Istio', { from: [{ source: badIp }] }, [[never]]],
    ['a rule that is null denies nothing', null, undefined],
  ];
  for (const [name, rule, clauses] of deny)
    it(`DENY: ${name}`, () => {
      const spec = { action: 'DENY', rules: [rule] };
      const { authorization, ztunnel } = translateAuthorizationPolicy(authorizationPolicy(spec), mesh);
      if (clauses === undefined) expect(authorization?.rules).to.deep.equal([]);
      else expect(authorization?.rules?.[0]?.clauses?.map(({ matches }) => matches)).to.deep.equal(clauses);
      expect(ztunnel).to.include({ accepted: false, reason: 'Invalid' });
    });

  it('the condition says which rule of DENY is wider, and which has no effect', () => {
    const rules = [
      { from: [fromA], to: [{ operation: { ports: ['http'] } }] },
      { from: [{ source: badIp }] },
    ];
    const { ztunnel } = translateAuthorizationPolicy(authorizationPolicy({ action: 'DENY', rules }), mesh);
    expect(ztunnel?.message).to.include('spec.rules[0] without the part that cannot be read');
    expect(ztunnel?.message).to.include('spec.rules[1] denies nothing');
  });
});
