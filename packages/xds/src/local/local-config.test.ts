import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzBudget } from '@ambient/testkit';
import type { MeshUpdate, Policy, Service, Workload } from '@ambient/mesh';
import { stringify } from 'yaml';

import { samplePolicy, sampleService, sampleWorkload } from '../convert/samples.test-data.ts';
import { dumpPolicy, dumpService, dumpWorkload } from '../dump.ts';
import { LocalSourceError } from '../errors.ts';
import { parseLocalConfig } from './local-config.ts';

function updates(yaml: string): MeshUpdate[] {
  const config = parseLocalConfig(yaml);
  expect(config.rejected.map((error) => error.message)).to.deep.equal([]);
  return [...config.updates.values()];
}

function workload(yaml: string): Workload {
  const [update] = updates(yaml);
  if (update?.kind !== 'workload') throw new Error('no workload');
  return update.workload;
}

function service(yaml: string): Service {
  const [update] = updates(yaml);
  if (update?.kind !== 'service') throw new Error('no service');
  return update.service;
}

function policy(yaml: string): Policy {
  const [update] = updates(yaml);
  if (update?.kind !== 'policy') throw new Error('no policy');
  return update.policy;
}

function rejections(yaml: string): string[] {
  return parseLocalConfig(yaml).rejected.map((error) => error.message);
}

describe('a local mesh document', () => {
  it('may be empty', () => {
    for (const yaml of ['', '{}', 'workloads:', 'workloads: []\nservices: []\npolicies: []'])
      expect(updates(yaml)).to.deep.equal([]);
  });

  it('describes a workload in the words of ztunnel', () => {
    expect(
      workload(`
workloads:
- uid: cluster1//v1/Pod/default/local
  name: local
  namespace: default
  workloadIps: [127.0.0.1, "::FFFF:10.0.0.1", "FD00::1"]
  protocol: HBONE
  node: local
  network: net
  serviceAccount: sa
  trustDomain: td
  networkMode: HostNetwork
  hostname: h
  workloadName: wn
  workloadType: pod
  canonicalName: cn
  canonicalRevision: cr
  nativeTunnel: true
  status: Unhealthy
  clusterId: c1
  capacity: 4
  locality: {region: r, zone: z, subzone: s}
  waypoint: {destination: "net/10.0.0.9", hboneMtlsPort: 15008}
  networkGateway: {destination: ns/gw.example, hboneMtlsPort: 15009}
  applicationTunnel: {protocol: PROXY, port: 15088}
  authorizationPolicies: [default/p]
  services:
    default/echo.default.svc.cluster.local: {80: 8080, 443: 0}
`),
    ).to.deep.equal({
      uid: 'cluster1//v1/Pod/default/local',
      name: 'local',
      namespace: 'default',
      addresses: ['127.0.0.1', '10.0.0.1', 'fd00::1'],
      hostname: 'h',
      network: 'net',
      tunnelProtocol: 'HBONE',
      trustDomain: 'td',
      serviceAccount: 'sa',
      waypoint: {
        destination: { kind: 'address', address: { network: 'net', ip: '10.0.0.9' } },
        hboneMtlsPort: 15008,
      },
      networkGateway: {
        destination: { kind: 'hostname', namespace: 'ns', hostname: 'gw.example' },
        hboneMtlsPort: 15009,
      },
      node: 'local',
      canonicalName: 'cn',
      canonicalRevision: 'cr',
      workloadType: 'POD',
      workloadName: 'wn',
      nativeTunnel: true,
      applicationTunnel: { protocol: 'PROXY', port: 15088 },
      services: {
        'default/echo.default.svc.cluster.local': [
          { servicePort: 80, targetPort: 8080, appProtocol: 'UNKNOWN' },
          { servicePort: 443, targetPort: 0, appProtocol: 'UNKNOWN' },
        ],
      },
      authorizationPolicies: ['default/p'],
      status: 'UNHEALTHY',
      clusterId: 'c1',
      locality: { region: 'r', zone: 'z', subzone: 's' },
      networkMode: 'HOST_NETWORK',
      capacity: 4,
    } satisfies Workload);
  });

  it('gives a workload that says little the defaults, and a uid', () => {
    const little = workload('workloads: [{name: a, namespace: ns, workloadIps: [10.0.0.1], services: {}}]');
    expect(little).to.include({
      uid: 'Kubernetes//Pod/ns/a',
      trustDomain: 'cluster.local',
      serviceAccount: 'default',
      clusterId: 'Kubernetes',
      tunnelProtocol: 'NONE',
      network: '',
      capacity: 1,
    });
    expect(workload('workloads: [{namespace: ns, workloadIps: [10.0.0.1]}]').uid).to.equal(
      'Kubernetes//Pod/ns/10.0.0.1',
    );
  });

  it('describes a service in the words of ztunnel', () => {
    expect(
      service(`
services:
- name: echo
  namespace: default
  hostname: echo.default.svc.cluster.local
  vips: ["/10.96.0.1", "net/fd00::1"]
  cidrVips: ["/10.97.1.1/16"]
  ports: {80: 8080}
  subjectAltNames: ["spiffe://td/ns/a/sa/b"]
  waypoint: {destination: default/wp, hboneMtlsPort: 15008}
  weightedWaypoints: [{destination: {destination: default/wp2, hboneMtlsPort: 15008}, weight: 2}]
  loadBalancer: {routingPreferences: [Network, Region], mode: Failover, healthPolicy: AllowAll}
  ipFamilies: Dual
  canonical: true
  visibility: Namespace
`),
    ).to.deep.equal({
      name: 'echo',
      namespace: 'default',
      hostname: 'echo.default.svc.cluster.local',
      addresses: [
        { network: '', ip: '10.96.0.1' },
        { network: 'net', ip: 'fd00::1' },
      ],
      cidrAddresses: [{ network: '', ip: '10.97.0.0', length: 16 }],
      ports: [{ servicePort: 80, targetPort: 8080, appProtocol: 'UNKNOWN' }],
      subjectAltNames: ['spiffe://td/ns/a/sa/b'],
      waypoint: {
        destination: { kind: 'hostname', namespace: 'default', hostname: 'wp' },
        hboneMtlsPort: 15008,
      },
      weightedWaypoints: [
        {
          destination: {
            destination: { kind: 'hostname', namespace: 'default', hostname: 'wp2' },
            hboneMtlsPort: 15008,
          },
          weight: 2,
        },
      ],
      loadBalancing: {
        mode: 'FAILOVER',
        routingPreference: ['NETWORK', 'REGION'],
        healthPolicy: 'ALLOW_ALL',
      },
      ipFamilies: 'DUAL',
      canonical: true,
      visibility: 'NAMESPACE',
    } satisfies Service);
  });

  it('gives the endpoints that a service lists to their workloads', () => {
    const config = parseLocalConfig(`
workloads:
- {uid: u1, namespace: ns, workloadIps: [10.0.0.1], services: {}}
services:
- name: s
  namespace: ns
  hostname: s.ns
  vips: []
  ports: {80: 8080}
  endpoints:
    u1: {workloadUid: u1, port: {80: 9090}, status: Healthy}
    u2: {workloadUid: u2, port: {80: 9090}, status: Healthy}
`);
    const update = config.updates.get('address u1');
    expect(update?.kind === 'workload' && update.workload.services).to.deep.equal({
      'ns/s.ns': [{ servicePort: 80, targetPort: 9090, appProtocol: 'UNKNOWN' }],
    });
    expect(config.rejected.map((error) => error.message)).to.deep.equal([
      'ns/s.ns: services[0].endpoints: no workload has the uid "u2"',
    ]);
  });

  it('describes a policy with tags', () => {
    expect(
      policy(`
policies:
- name: p
  namespace: ns
  scope: WorkloadSelector
  action: Deny
  dryRun: false
  rules:
  - - - principals: [!Exact td/ns/a/sa/b, !Prefix td/, !Suffix /sa/b, !Presence []]
        notPrincipals: [!Presence ]
        namespaces: [!Exact 5]
        serviceAccounts: [{namespace: a, serviceAccount: b}]
        sourceIps: [10.1.2.3/8, "fd00::/8", 10.0.0.1]
        notDestinationPorts: [9999]
      - {}
    - []
  - []
`),
    ).to.deep.equal({
      name: 'p',
      namespace: 'ns',
      scope: 'WORKLOAD_SELECTOR',
      action: 'DENY',
      dryRun: false,
      rules: [
        {
          clauses: [
            {
              matches: [
                {
                  namespaces: [{ kind: 'exact', value: '5' }],
                  notNamespaces: [],
                  serviceAccounts: [{ namespace: 'a', serviceAccount: 'b' }],
                  notServiceAccounts: [],
                  principals: [
                    { kind: 'exact', value: 'td/ns/a/sa/b' },
                    { kind: 'prefix', value: 'td/' },
                    { kind: 'suffix', value: '/sa/b' },
                    { kind: 'presence', value: '' },
                  ],
                  notPrincipals: [{ kind: 'presence', value: '' }],
                  sourceIps: [
                    { ip: '10.0.0.0', length: 8 },
                    { ip: 'fd00::', length: 8 },
                    { ip: '10.0.0.1', length: 32 },
                  ],
                  notSourceIps: [],
                  destinationIps: [],
                  notDestinationIps: [],
                  destinationPorts: [],
                  notDestinationPorts: [9999],
                },
                {
                  namespaces: [],
                  notNamespaces: [],
                  serviceAccounts: [],
                  notServiceAccounts: [],
                  principals: [],
                  notPrincipals: [],
                  sourceIps: [],
                  notSourceIps: [],
                  destinationIps: [],
                  notDestinationIps: [],
                  destinationPorts: [],
                  notDestinationPorts: [],
                },
              ],
            },
            { matches: [] },
          ],
        },
        { clauses: [] },
      ],
    } satisfies Policy);
  });

  it('takes policies and services as the config dump shows them', () => {
    const { kind: _kind, ...rest } = { kind: 0, services: [dumpService(sampleService, [])] };
    expect(service(stringify(rest))).to.deep.equal({
      ...sampleService,
      ports: sampleService.ports.map((port) => ({ ...port, appProtocol: 'UNKNOWN' })),
    });
    expect(policy(stringify({ policies: [dumpPolicy(samplePolicy)] }))).to.deep.equal(samplePolicy);
    const { services: _services, ...dumped } = dumpWorkload(sampleWorkload) as Record<string, unknown>;
    expect(workload(stringify({ workloads: [dumped] }))).to.deep.equal({ ...sampleWorkload, services: {} });
  });

  it('puts policies before services before workloads', () => {
    const kinds = updates(`
workloads: [{uid: u, namespace: a, workloadIps: []}]
services: [{name: s, namespace: a, hostname: h, vips: [], ports: {}}]
policies: [{name: p, namespace: a, scope: Global, action: Allow, dryRun: false, rules: []}]
`).map((update) => update.kind);
    expect(kinds).to.deep.equal(['policy', 'service', 'workload']);
  });

  const good = '{uid: good, namespace: ns, workloadIps: []}';
  const w = (fields: string): string =>
    `workloads: [{uid: u, namespace: ns, workloadIps: [], ${fields}}, ${good}]`;
  const p = (match: string): string =>
    `policies: [{name: p, namespace: ns, scope: Global, action: Deny, dryRun: false, rules: [[[${match}]]]}]`;
  const m = 'policies[0].rules[0][0][0]';
  const bad: [string, string, string][] = [
    ['an unknown key', w('nmae: x'), 'u: workloads[0].nmae: unknown key'],
    ['a number for text', w('name: 5'), 'u: workloads[0].name: expected text, found number 5'],
    ['nothing for text', w('name: '), 'u: workloads[0].name: expected text, found nothing'],
    ['a wrong word', w('protocol: hbone'), 'u: workloads[0].protocol: expected one of TCP, HBONE'],
    [
      'a bad port',
      w('services: {a/b: {80: 65536}}'),
      'u: workloads[0].services[a/b][80]: expected a whole number',
    ],
    ['a bad port key', w('services: {a/b: {http: 80}}'), 'is not a port number'],
    ['a bad service key', w('services: {ab: {80: 80}}'), 'is not namespace/hostname'],
    ['a prototype for a service key', w('services: {__proto__: {80: 80}}'), 'is not namespace/hostname'],
    [
      'a gateway without port',
      w('waypoint: {destination: a/b}'),
      'workloads[0].waypoint.hboneMtlsPort: required',
    ],
    [
      'a gateway to a bare host',
      w('waypoint: {destination: b, hboneMtlsPort: 1}'),
      'network/ip or namespace/hostname',
    ],
    ['a negative capacity', w('capacity: -1'), 'u: workloads[0].capacity: expected a whole number'],
    [
      'no addresses',
      'workloads: [{uid: u, namespace: ns}]',
      'u: workloads[0].workloadIps: required key is missing',
    ],
    [
      'a bad address',
      'workloads: [{uid: u, namespace: ns, workloadIps: [10.0.0]}]',
      'workloads[0].workloadIps[0]: "10.0.0" is not',
    ],
    [
      'no namespace',
      'workloads: [{name: x, workloadIps: []}]',
      'workloads[0].namespace: required key is missing',
    ],
    [
      'an entry that is no mapping',
      'workloads: [text]',
      'workloads[0]: workloads[0]: expected a mapping, found string "text"',
    ],
    [
      'a service without ports',
      'services: [{name: s, namespace: a, hostname: h, vips: []}]',
      'a/h: services[0].ports: required',
    ],
    [
      'a bad VIP',
      'services: [{name: s, namespace: a, hostname: h, vips: [10.0.0.1], ports: {}}]',
      'services[0].vips[0]: "10.0.0.1" is not network/ip',
    ],
    [
      'a bad range',
      'services: [{name: s, namespace: a, hostname: h, vips: [], cidrVips: ["/10.0.0.0/33"], ports: {}}]',
      'is not ip/length',
    ],
    [
      'half a load balancer',
      'services: [{name: s, namespace: a, hostname: h, vips: [], ports: {}, loadBalancer: {mode: Strict}}]',
      'services[0].loadBalancer.routingPreferences: required',
    ],
    [
      'a policy without dryRun',
      'policies: [{name: p, namespace: ns, scope: Global, action: Deny, rules: []}]',
      'ns/p: policies[0].dryRun: required',
    ],
    ['an untagged match', p('{principals: [td/x]}'), `ns/p: ${m}.principals[0]: expected a tag`],
    ['a misspelt tag', p('{principals: [!Exat td/x]}'), `ns/p: ${m}.principals[0]: expected a tag`],
    ['a key that is no kind', p('{principals: [{exact: x}]}'), `ns/p: ${m}.principals[0]: expected a tag`],
    [
      'a bad match range',
      p('{sourceIps: [10.0.0.0/x]}'),
      `ns/p: ${m}.sourceIps[0]: "10.0.0.0/x" is not ip/length`,
    ],
    [
      'a bad match port',
      p('{destinationPorts: [99999]}'),
      `ns/p: ${m}.destinationPorts[0]: expected a whole number`,
    ],
    ['an unknown match', p('{hosts: [a]}'), `ns/p: ${m}.hosts: unknown key`],
  ];
  for (const [what, yaml, message] of bad) {
    it(`has an entry with ${what} rejected by name and field`, () => {
      const config = parseLocalConfig(yaml);
      expect(config.rejected).to.have.length(1);
      expect(config.rejected[0]!.message).to.include(message);
      expect(config.updates.has('address good')).to.equal(yaml.includes('good'));
    });
  }

  it('keeps the first of two entries with one key and says so', () => {
    const yaml = `workloads:
- {uid: u, name: first, namespace: ns, workloadIps: []}
- {uid: u, name: second, namespace: ns, workloadIps: []}`;
    expect(rejections(yaml)).to.deep.equal([
      'u: workloads[1]: has the same key as workloads[0], which is kept; rename or delete one of them',
    ]);
    const update = parseLocalConfig(yaml).updates.get('address u');
    expect(update?.kind === 'workload' && update.workload.name).to.equal('first');
  });

  const malformed: [string, string][] = [
    ['no YAML', 'workloads: [}'],
    ['a key twice', 'workloads: []\nworkloads: []'],
    ['an unknown list', 'workload: []'],
    ['a list at the top', '- a'],
    ['text at the top', 'hello'],
    ['a mapping for a list', 'workloads: {a: b}'],
    ['two documents', 'workloads: []\n---\nservices: []'],
    ['an alias without anchor', 'workloads: *nothing'],
  ];
  for (const [what, yaml] of malformed) {
    it(`that is ${what} is refused whole`, () => {
      expect(() => parseLocalConfig(yaml))
        .to.throw(LocalSourceError, 'LOCAL_XDS')
        .with.property('code', 'LOCAL_XDS_MALFORMED');
    });
  }

  it('that unfolds without end is refused before it has', () => {
    const bomb = [...'bcdefgh'].reduce(
      (yaml, name, i) => `${yaml}\n- &${name} [${Array<string>(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`,
      'workloads:\n- &a [x, x, x, x, x, x, x, x, x]',
    );
    expect(() => parseLocalConfig(bomb)).to.throw(LocalSourceError, /alias/);
  });

  it('is read or refused by name, whatever it holds [fuzz]', () => {
    const document = stringify({
      workloads: [dumpWorkload({ ...sampleWorkload, services: {} })],
      services: [dumpService(sampleService, [sampleWorkload])],
      policies: [dumpPolicy(samplePolicy)],
    });
    const damaged = fc
      .array(fc.tuple(fc.nat(document.length), fc.constantFrom(...'{}[]:,-!&*"\n 0a#|'), fc.nat(3)), {
        maxLength: 4,
      })
      .map((edits) =>
        edits.reduce(
          (text, [at, insert, cut]) => text.slice(0, at) + insert + text.slice(at + cut),
          document,
        ),
      );
    const json = fc
      .jsonValue()
      .map((value) => JSON.stringify({ workloads: [value], services: value, policies: value }));
    fc.assert(
      fc.property(fc.oneof(fc.string(), damaged, json), (yaml) => {
        try {
          const config = parseLocalConfig(yaml);
          for (const update of config.updates.values()) expect(structuredClone(update)).to.deep.equal(update);
        } catch (error) {
          expect(error).to.be.instanceOf(LocalSourceError);
        }
      }),
      fuzzBudget(),
    );
  });
});
