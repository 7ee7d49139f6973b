import { expect } from 'chai';
import { matchWith, policyWith, serviceWith, workloadWith } from './defaults.ts';
import type { Policy, PolicyMatch, Service, StringMatch, Workload } from './types.ts';
import { validatePolicy, validateService, validateWorkload } from './validate.ts';

const gateway = (ip: string, hboneMtlsPort = 15008) => ({
  destination: { kind: 'address' as const, address: { network: '', ip } },
  hboneMtlsPort,
});
const port = (servicePort: number, targetPort: number) => ({
  servicePort,
  targetPort,
  appProtocol: 'TCP' as const,
});
const bad = <T>(value: unknown): T => value as T;

describe('validatePolicy', () => {
  const withMatch = (match: Partial<PolicyMatch>, fields: Partial<Policy> = {}) =>
    validatePolicy(
      policyWith({
        namespace: 'ns',
        name: 'p',
        rules: [{ clauses: [{ matches: [matchWith(match)] }] }],
        ...fields,
      }),
    );

  it('accepts what is sound', () => {
    const match: Partial<PolicyMatch> = {
      principals: [{ kind: 'presence', value: '' }],
      sourceIps: [
        { ip: '10.0.0.1', length: 8 },
        { ip: 'fd00::', length: 128 },
      ],
      destinationPorts: [0, 65535],
    };
    expect(withMatch(match)).to.deep.equal([]);
  });

  const untyped = [bad<StringMatch>({ kind: undefined, value: '' })];
  const cases: [string, Partial<PolicyMatch>, string, RegExp][] = [
    [
      'a range that is no address',
      { sourceIps: [{ ip: 'x', length: 8 }] },
      'sourceIps[0]',
      /not an IP address/,
    ],
    [
      'a range that is too long',
      { notSourceIps: [{ ip: '10.0.0.0', length: 33 }] },
      'notSourceIps[0]',
      /33 .*0\.\.32/,
    ],
    [
      'an IPv6 range that is too long',
      { destinationIps: [{ ip: '::', length: 129 }] },
      'destinationIps[0]',
      /129 .*0\.\.128/,
    ],
    [
      'the second of a list',
      {
        notDestinationIps: [
          { ip: '::', length: 0 },
          { ip: '', length: 0 },
        ],
      },
      'notDestinationIps[1]',
      /""/,
    ],
    ['a port above 65535', { destinationPorts: [80, 65536] }, 'destinationPorts[1]', /65536/],
    ['a port that is no number', { notDestinationPorts: [Number.NaN] }, 'notDestinationPorts[0]', /NaN/],
    [
      'a string match without a type in principals',
      { principals: untyped },
      'principals[0]',
      /not one of exact/,
    ],
    [
      'a string match without a type in notPrincipals',
      { notPrincipals: untyped },
      'notPrincipals[0]',
      /not one of/,
    ],
    ['a string match without a type in namespaces', { namespaces: untyped }, 'namespaces[0]', /not one of/],
    [
      'a string match without a type in notNamespaces',
      { notNamespaces: untyped },
      'notNamespaces[0]',
      /not one of/,
    ],
  ];
  for (const [name, match, field, problem] of cases) {
    it(`names ${name}`, () => {
      const found = withMatch(match);
      expect(found).to.have.length(1);
      expect(found[0]!.path).to.equal(`rules[0].clauses[0].matches[0].${field}`);
      expect(found[0]!.problem).to.match(problem);
    });
  }

  it('names an unknown scope and action', () => {
    expect(withMatch({}, { scope: bad('x'), action: bad('AUDIT') }).map((found) => found.path)).to.deep.equal(
      ['scope', 'action'],
    );
  });
});

describe('validateWorkload', () => {
  it('accepts what is sound', () => {
    const workload = workloadWith({
      uid: 'u',
      addresses: ['10.0.0.1', 'fd00::1'],
      waypoint: gateway('10.0.0.9'),
      networkGateway: { destination: { kind: 'hostname', namespace: '', hostname: 'gw' }, hboneMtlsPort: 0 },
      services: { 'ns/h': [port(80, 0)], '/h': [] },
      applicationTunnel: { protocol: 'PROXY', port: 0 },
    });
    expect(validateWorkload(workload)).to.deep.equal([]);
  });
  const cases: [string, Partial<Workload>, string][] = [
    ['an empty uid', { uid: '' }, 'uid'],
    ['a bad address', { addresses: ['10.0.0.1', '10.0.0'] }, 'addresses[1]'],
    ['an address that is not canonical', { addresses: ['::ffff:10.0.0.1'] }, 'addresses[0]'],
    ['an unknown tunnel protocol', { tunnelProtocol: bad('LEGACY_ISTIO_MTLS') }, 'tunnelProtocol'],
    ['an unknown status', { status: bad('x') }, 'status'],
    ['an unknown network mode', { networkMode: bad('x') }, 'networkMode'],
    ['a trust domain with a slash', { trustDomain: 'a/ns/b' }, 'trustDomain'],
    ['a namespace with a slash', { namespace: 'a/sa/b' }, 'namespace'],
    ['a service account with a slash', { serviceAccount: 'a/b' }, 'serviceAccount'],
    ['a bad waypoint address', { waypoint: gateway('') }, 'waypoint.destination'],
    ['a bad gateway port', { networkGateway: gateway('10.0.0.1', 70000) }, 'networkGateway.hboneMtlsPort'],
    [
      'a gateway without a hostname',
      {
        networkGateway: {
          destination: { kind: 'hostname', namespace: 'ns', hostname: '' },
          hboneMtlsPort: 1,
        },
      },
      'networkGateway.destination.hostname',
    ],
    [
      'an unknown application tunnel',
      { applicationTunnel: { protocol: bad('x'), port: 0 } },
      'applicationTunnel.protocol',
    ],
    ['a bad tunnel port', { applicationTunnel: { protocol: 'PROXY', port: -1 } }, 'applicationTunnel.port'],
    ['a service key without a slash', { services: { h: [] } }, 'services["h"]'],
    ['a bad service port', { services: { 'ns/h': [port(0, 1)] } }, 'services["ns/h"][0].servicePort'],
    ['a bad target port', { services: { 'ns/h': [port(1, 65536)] } }, 'services["ns/h"][0].targetPort'],
    ['a fractional capacity', { capacity: 0.5 }, 'capacity'],
  ];
  for (const [name, fields, path] of cases) {
    it(`names ${name}`, () => {
      expect(
        validateWorkload(workloadWith({ uid: 'u', ...fields })).map((found) => found.path),
      ).to.deep.equal([path]);
    });
  }
});

describe('validateService', () => {
  it('accepts what is sound', () => {
    const service = serviceWith({
      namespace: 'ns',
      hostname: '*.example',
      addresses: [{ network: '', ip: '10.1.0.1' }],
      cidrAddresses: [{ network: '', ip: '10.2.0.0', length: 16 }],
      ports: [port(80, 0)],
      loadBalancing: { mode: 'FAILOVER', routingPreference: ['NETWORK', 'ZONE'], healthPolicy: 'ALLOW_ALL' },
      weightedWaypoints: [{ destination: gateway('10.0.0.9'), weight: 0 }],
    });
    expect(validateService(service)).to.deep.equal([]);
  });
  const balancing = { mode: 'STRICT', routingPreference: [], healthPolicy: 'ONLY_HEALTHY' } as const;
  const cases: [string, Partial<Service>, string][] = [
    ['an empty hostname', { hostname: '' }, 'hostname'],
    ['a namespace with a slash', { namespace: 'a/b' }, 'namespace'],
    ['a bad VIP', { addresses: [{ network: '', ip: '1' }] }, 'addresses[0]'],
    ['a bad range', { cidrAddresses: [{ network: '', ip: '10.0.0.0', length: 64 }] }, 'cidrAddresses[0]'],
    ['a bad port', { ports: [port(80, 80), port(70000, 80)] }, 'ports[1].servicePort'],
    ['a bad waypoint', { waypoint: gateway('x') }, 'waypoint.destination'],
    [
      'a bad weighted waypoint',
      { weightedWaypoints: [{ destination: gateway('x'), weight: 1 }] },
      'weightedWaypoints[0].destination',
    ],
    [
      'a bad weight',
      { weightedWaypoints: [{ destination: gateway('10.0.0.1'), weight: -1 }] },
      'weightedWaypoints[0].weight',
    ],
    ['an unknown IP family', { ipFamilies: bad('x') }, 'ipFamilies'],
    ['an unknown mode', { loadBalancing: { ...balancing, mode: bad('x') } }, 'loadBalancing.mode'],
    [
      'an unknown scope',
      { loadBalancing: { ...balancing, routingPreference: [bad('UNSPECIFIED_SCOPE')] } },
      'loadBalancing.routingPreference[0]',
    ],
    [
      'an unknown health policy',
      { loadBalancing: { ...balancing, healthPolicy: bad('x') } },
      'loadBalancing.healthPolicy',
    ],
  ];
  for (const [name, fields, path] of cases) {
    it(`names ${name}`, () => {
      expect(
        validateService(serviceWith({ namespace: 'ns', hostname: 'h', ...fields })).map(
          (found) => found.path,
        ),
      ).to.deep.equal([path]);
    });
  }
  it('tells of every problem, each with its path', () => {
    const problems = validateService(serviceWith({ namespace: 'ns', hostname: '', ports: [port(0, 0)] }));
    expect(problems.map(({ path, problem }) => `${path} ${problem}`)).to.deep.equal([
      'hostname is empty',
      'ports[0].servicePort is 0, not 1..65535',
    ]);
  });
});
