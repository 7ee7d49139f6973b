import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseDuration, parseIpBlock } from './field-values.ts';
import { validate } from './validate.ts';
import { problemsOf, testCases } from './validation-cases.test-data.ts';

describe('ServiceEntry', () => {
  const entry = (fields: object = {}) => ({
    hosts: ['a.example'],
    resolution: 'STATIC',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    ...fields,
  });
  testCases('networking.istio.io/ServiceEntry', [
    {
      name: 'takes an entry',
      spec: entry({
        endpoints: [{ address: '10.0.0.1', ports: { http: 8080 }, weight: 1 }],
        addresses: ['240.0.0.1', '10.0.0.0/8'],
        exportTo: ['.'],
      }),
    },
    { name: 'needs a spec', spec: undefined, errors: ['spec'] },
    { name: 'needs a host', spec: entry({ hosts: [] }), errors: ['spec.hosts'] },
    {
      name: 'a host is a name',
      spec: entry({ hosts: ['*', 'a_b', 'a.*.b'] }),
      errors: ['spec.hosts[0]', 'spec.hosts[1]', 'spec.hosts[2]'],
    },
    { name: 'a host stands once', spec: entry({ hosts: ['a.b', 'a.b'] }), errors: ['spec.hosts[1]'] },
    { name: 'a short host is told', spec: entry({ hosts: ['a'] }), warnings: ['spec.hosts[0]'] },
    {
      name: 'ports stand once',
      spec: entry({
        ports: [
          { number: 1, name: 'a' },
          { number: 1, name: 'a' },
        ],
      }),
      errors: ['spec.ports[1].number', 'spec.ports[1].name'],
    },
    {
      name: 'ports are ports',
      spec: entry({
        ports: [
          { number: 0, name: 'a' },
          { name: 'b', targetPort: 70000 },
        ],
      }),
      errors: ['spec.ports[0].number', 'spec.ports[1].number', 'spec.ports[1].targetPort'],
    },
    {
      name: 'a port has a name and a protocol',
      spec: entry({ ports: [{ number: 1, protocol: 'FTP' }] }),
      errors: ['spec.ports[0].name', 'spec.ports[0].protocol'],
    },
    {
      name: 'ranges are not for DNS',
      spec: entry({ resolution: 'DNS', addresses: ['10.0.0.0/8'] }),
      errors: ['spec.addresses'],
    },
    { name: 'an address is one', spec: entry({ addresses: ['x'] }), errors: ['spec.addresses[0]'] },
    {
      name: 'NONE takes no endpoints',
      spec: entry({ resolution: 'NONE', endpoints: [{ address: '1.2.3.4' }] }),
      errors: ['spec.endpoints'],
    },
    {
      name: 'DNS_ROUND_ROBIN takes one',
      spec: entry({ resolution: 'DNS_ROUND_ROBIN', endpoints: [{ address: 'a.b' }, { address: 'c.d' }] }),
      errors: ['spec.endpoints'],
    },
    {
      name: 'STATIC takes IP addresses',
      spec: entry({ endpoints: [{ address: 'a.b' }] }),
      errors: ['spec.endpoints[0].address'],
    },
    {
      name: 'endpoints or a selector',
      spec: entry({ endpoints: [{ address: '1.2.3.4' }], workloadSelector: { labels: { a: 'b' } } }),
      errors: ['spec'],
    },
    {
      name: 'no wildcards in the selector',
      spec: entry({ workloadSelector: { labels: { a: '*' } } }),
      errors: ['spec.workloadSelector.labels["a"]'],
    },
    {
      name: 'exportTo',
      spec: entry({ exportTo: ['.', 'app', '*'] }),
      errors: ['spec.exportTo[1]', 'spec.exportTo[2]'],
    },
    {
      name: 'a service account that would be another identity',
      spec: entry({ endpoints: [{ address: '1.2.3.4', serviceAccount: 'a/../b' }] }),
      errors: ['spec.endpoints[0].serviceAccount'],
    },
  ]);
});

describe('WorkloadEntry and WorkloadGroup', () => {
  testCases('networking.istio.io/WorkloadEntry', [
    {
      name: 'takes an entry',
      spec: { address: 'vm.example', ports: { http: 80 }, labels: { app: 'x' }, network: 'n' },
    },
    { name: 'needs an address or a network', spec: {}, errors: ['spec.address'] },
    { name: 'an address is an IP or a name', spec: { address: 'a b' }, errors: ['spec.address'] },
    {
      name: 'ports, labels, weight',
      spec: { address: '1.2.3.4', ports: { a: 0 }, labels: { 'a b': 'c' }, weight: -1 },
      errors: ['spec.ports["a"]', 'spec.labels["a b"]', 'spec.weight'],
    },
  ]);
  testCases('networking.istio.io/WorkloadGroup', [
    { name: 'takes a group', spec: { template: { ports: { http: 80 } }, probe: { httpGet: { port: 80 } } } },
    { name: 'needs a template', spec: {}, errors: ['spec.template'] },
    {
      name: 'a template has no address',
      spec: { template: { address: '1.2.3.4' } },
      errors: ['spec.template.address'],
    },
    {
      name: 'a probe has one kind',
      spec: { template: {}, probe: { httpGet: { port: 80 }, tcpSocket: {} } },
      errors: ['spec.probe', 'spec.probe.tcpSocket.port'],
    },
  ]);
});

describe('Gateway as a waypoint', () => {
  const gateway = (listeners: object[], gatewayClassName = 'istio-waypoint') => ({
    gatewayClassName,
    listeners,
  });
  const hbone = { name: 'mesh', port: 15008, protocol: 'HBONE' };
  testCases('gateway.networking.k8s.io/Gateway', [
    { name: 'takes a waypoint', spec: gateway([hbone]) },
    {
      name: 'takes other classes as they are',
      spec: gateway([{ name: 'x', port: 80, protocol: 'HTTP' }], 'nginx'),
    },
    { name: 'needs HBONE', spec: gateway([]), errors: ['spec.listeners'] },
    {
      name: 'HBONE has its port',
      spec: gateway([{ ...hbone, port: 15009 }]),
      errors: ['spec.listeners[0].port'],
    },
    {
      name: 'other protocols are told',
      spec: gateway([hbone, { name: 'b', port: 80, protocol: 'HTTP' }]),
      warnings: ['spec.listeners[1].protocol'],
    },
    { name: 'names stand once', spec: gateway([hbone, hbone]), errors: ['spec.listeners[1].name'] },
    {
      name: 'a selector of namespaces',
      spec: gateway([{ ...hbone, allowedRoutes: { namespaces: { from: 'Selector' } } }]),
      errors: ['spec.listeners[0].allowedRoutes.namespaces.selector'],
    },
    {
      name: 'whom it is for',
      spec: gateway([hbone]),
      metadata: { labels: { 'istio.io/waypoint-for': 'services' } },
      errors: ['metadata.labels["istio.io/waypoint-for"]'],
    },
    {
      name: 'an east-west gateway terminates',
      spec: gateway([{ ...hbone, tls: { mode: 'Passthrough' } }], 'istio-east-west'),
      errors: ['spec.listeners[0].tls.mode'],
    },
  ]);
});

describe('VirtualService', () => {
  const to = { destination: { host: 'a.b' } };
  const http = (...routes: object[]) => ({ hosts: ['a.b'], http: routes });
  const H = 'spec.http[0]';
  testCases('networking.istio.io/VirtualService', [
    {
      name: 'takes routes',
      spec: http(
        {
          match: [{ uri: { prefix: '/a' }, headers: { 'x-a': { exact: 'b' } } }],
          route: [
            { ...to, weight: 90 },
            { ...to, weight: 10 },
          ],
          timeout: '0s',
          retries: { attempts: 2, retryOn: '5xx,503' },
        },
        { redirect: { uri: '/', redirectCode: 302 } },
      ),
    },
    { name: 'takes a delegate', spec: { http: [{ route: [to] }] } },
    { name: 'needs a route', spec: { hosts: ['a.b'] }, errors: ['spec'] },
    {
      name: 'a star is not for the mesh',
      spec: { ...http({ route: [to] }), hosts: ['*'] },
      errors: ['spec.hosts[0]'],
    },
    { name: 'a star is for gateways', spec: { ...http({ route: [to] }), hosts: ['*'], gateways: ['ns/gw'] } },
    {
      name: 'hosts overlap',
      spec: { ...http({ route: [to] }), hosts: ['*.com', 'a.com'] },
      errors: ['spec.hosts[1]'],
    },
    {
      name: 'a delegate has no gateways',
      spec: { gateways: ['g'], http: [{ route: [to] }] },
      errors: ['spec.gateways'],
    },
    { name: 'one answer', spec: http({ route: [to], redirect: {} }), errors: [H] },
    { name: 'an answer', spec: http({}), errors: [H] },
    {
      name: 'a destination',
      spec: http({ route: [{ destination: { host: '*.b', subset: 'A B', port: {} } }] }),
      errors: [
        `${H}.route[0].destination.host`,
        `${H}.route[0].destination.subset`,
        `${H}.route[0].destination.port.number`,
      ],
    },
    { name: 'weights', spec: http({ route: [to, to] }), errors: [`${H}.route[0].weight`] },
    { name: 'timeouts', spec: http({ route: [to], timeout: '1x' }), errors: [`${H}.timeout`] },
    {
      name: 'retries',
      spec: http({ route: [to], retries: { attempts: -1, retryOn: 'never' } }),
      errors: [`${H}.retries.attempts`, `${H}.retries.retryOn`],
    },
    {
      name: 'faults',
      spec: http({ route: [to], fault: { abort: { httpStatus: 99, percentage: { value: 101 } } } }),
      errors: [`${H}.fault.abort.httpStatus`, `${H}.fault.abort.percentage.value`],
    },
    {
      name: 'regular expressions of RE2',
      spec: http({ match: [{ uri: { regex: '(?=a)' } }], route: [to] }),
      errors: [`${H}.match[0].uri.regex`],
    },
    {
      name: 'flags of RE2 are in order',
      spec: http({ match: [{ uri: { regex: '(?i)/a(?P<x>b)' } }], route: [to] }),
    },
    {
      name: 'one kind of match',
      spec: http({ match: [{ uri: { exact: 'a', prefix: 'b' } }], route: [to] }),
      errors: [`${H}.match[0].uri`],
    },
    {
      name: 'redirects',
      spec: http({ redirect: { redirectCode: 200 } }),
      errors: [`${H}.redirect.redirectCode`],
    },
    {
      name: 'direct responses',
      spec: http({ directResponse: { body: { string: 'a', bytes: 'b' } } }),
      errors: [`${H}.directResponse.status`, `${H}.directResponse.body`],
    },
    {
      name: 'a route behind one that takes all',
      spec: http({ route: [to] }, { match: [{ uri: { exact: '/' } }], route: [to] }),
      warnings: ['spec.http[1]'],
    },
    {
      name: 'TLS routes',
      spec: { hosts: ['a.b'], tls: [{ route: [to] }, { match: [{ sniHosts: [], port: 0 }], route: [to] }] },
      errors: ['spec.tls[0].match', 'spec.tls[1].match[0].sniHosts', 'spec.tls[1].match[0].port'],
    },
    {
      name: 'TCP routes',
      spec: { hosts: ['a.b'], tcp: [{ match: [{ destinationSubnets: ['x'] }] }] },
      errors: ['spec.tcp[0].match[0].destinationSubnets[0]', 'spec.tcp[0].route'],
    },
    {
      name: 'header operations',
      spec: http({ route: [to], headers: { request: { set: { 'a b': 'c' }, remove: [''] } } }),
      errors: [`${H}.headers.request.set["a b"]`, `${H}.headers.request.remove[0]`],
    },
  ]);
});

describe('hosts of a VirtualService', () => {
  const errorsOf = (...hosts: string[]) =>
    problemsOf('networking.istio.io/VirtualService', {
      hosts,
      gateways: ['g'],
      http: [{ route: [{ destination: { host: 'a.b' } }] }],
    }).map(({ path, message }) => `${path} ${message}`);

  const cases: [string[], boolean][] = [
    [['a.com', 'b.com'], false],
    [['a.com', 'a.com'], true],
    [['*.com', 'a.com'], true],
    [['a.b.com', '*.com'], true],
    [['*.com', '*.b.com'], true],
    [['*.b.com', '*.com'], true],
    [['*.com', '*.com'], true],
    [['*.b.com', 'b.com'], false],
    [['b.com', '*.b.com'], false],
    [['*.b.com', '*.c.com'], false],
    [['*', 'a.com'], true],
    [['a.com', '*'], true],
  ];
  for (const [hosts, overlap] of cases)
    it(`${hosts.join(' and ')} ${overlap ? 'overlap' : 'stand side by side'}`, () => {
      expect(errorsOf(...hosts)).to.have.length(overlap ? 1 : 0);
    });

  it('a hundred thousand are checked in a moment', () => {
    const started = performance.now();
    expect(errorsOf(...Array.from({ length: 100_000 }, (_, i) => `h${i}.example.com`))).to.have.length(0);
    expect(performance.now() - started).to.be.below(5000);
  });
});

describe('DestinationRule', () => {
  const rule = (trafficPolicy: object) => ({ host: 'a.b', trafficPolicy });
  const T = 'spec.trafficPolicy';
  testCases('networking.istio.io/DestinationRule', [
    {
      name: 'takes a policy',
      spec: {
        ...rule({
          connectionPool: { tcp: { maxConnections: 1, connectTimeout: '1s' } },
          outlierDetection: { interval: '1s' },
          loadBalancer: { simple: 'RANDOM' },
        }),
        subsets: [{ name: 'v1', labels: { version: 'v1' } }],
      },
    },
    { name: 'needs a host', spec: {}, errors: ['spec.host'] },
    {
      name: 'subsets stand once',
      spec: { host: 'a.b', subsets: [{ name: 'a' }, { name: 'a' }, {}] },
      errors: ['spec.subsets[1].name', 'spec.subsets[2].name'],
    },
    { name: 'pools', spec: rule({ connectionPool: {} }), errors: [`${T}.connectionPool`] },
    {
      name: 'numbers',
      spec: rule({
        connectionPool: { http: { maxRetries: 1.5 } },
        outlierDetection: { maxEjectionPercent: 101 },
      }),
      errors: [`${T}.connectionPool.http.maxRetries`, `${T}.outlierDetection.maxEjectionPercent`],
    },
    {
      name: 'one balancer',
      spec: rule({ loadBalancer: { simple: 'RANDOM', consistentHash: { useSourceIp: true } } }),
      errors: [`${T}.loadBalancer`],
    },
    {
      name: 'a hash of something',
      spec: rule({ loadBalancer: { consistentHash: { maglev: { tableSize: 4 } } } }),
      errors: [`${T}.loadBalancer.consistentHash`, `${T}.loadBalancer.consistentHash.maglev.tableSize`],
    },
    {
      name: 'shares of localities',
      spec: rule({ loadBalancer: { localityLbSetting: { distribute: [{ from: 'a', to: { b: 50 } }] } } }),
      errors: [`${T}.loadBalancer.localityLbSetting.distribute[0].to`],
    },
    {
      name: 'TLS',
      spec: rule({ tls: { mode: 'MUTUAL' } }),
      errors: [`${T}.tls.clientCertificate`, `${T}.tls.privateKey`],
    },
    {
      name: 'certificates of the mesh',
      spec: rule({ tls: { mode: 'ISTIO_MUTUAL', caCertificates: '/x' } }),
      errors: [`${T}.tls.caCertificates`],
    },
    {
      name: 'ports',
      spec: rule({ portLevelSettings: [{ port: {} }] }),
      errors: [`${T}.portLevelSettings[0].port.number`],
    },
    {
      name: 'a selector is for sidecars',
      spec: { host: 'a.b', workloadSelector: { matchLabels: { a: 'b' } } },
      warnings: ['spec.workloadSelector'],
    },
  ]);
});

describe('Telemetry', () => {
  testCases('telemetry.istio.io/Telemetry', [
    {
      name: 'takes all three',
      spec: {
        tracing: [{ randomSamplingPercentage: 1, customTags: { a: { literal: { value: 'b' } } } }],
        metrics: [{ overrides: [{ match: { metric: 'ALL_METRICS' }, tagOverrides: { a: { value: 'b' } } }] }],
        accessLogging: [{ filter: { expression: 'true' } }],
      },
    },
    {
      name: 'sampling',
      spec: { tracing: [{ randomSamplingPercentage: 101 }] },
      errors: ['spec.tracing[0].randomSamplingPercentage'],
    },
    {
      name: 'tags',
      spec: { tracing: [{ customTags: { a: {}, b: { literal: {} } } }] },
      errors: ['spec.tracing[0].customTags["a"]', 'spec.tracing[0].customTags["b"].literal.value'],
    },
    {
      name: 'overrides',
      spec: {
        metrics: [{ overrides: [{ tagOverrides: { a: {}, b: { operation: 'REMOVE', value: 'x' } } }] }],
      },
      errors: [
        'spec.metrics[0].overrides[0].tagOverrides["a"].value',
        'spec.metrics[0].overrides[0].tagOverrides["b"].value',
      ],
    },
    {
      name: 'filters',
      spec: { accessLogging: [{ filter: {} }] },
      errors: ['spec.accessLogging[0].filter.expression'],
    },
  ]);
});

describe('kinds for sidecars', () => {
  testCases('networking.istio.io/EnvoyFilter', [
    {
      name: 'EnvoyFilter is taken, and told to have no effect',
      spec: { configPatches: [{ applyTo: 'HTTP_FILTER', patch: {} }] },
      warnings: ['spec'],
    },
  ]);
  testCases('networking.istio.io/Sidecar', [
    {
      name: 'Sidecar is taken, and told to have no effect',
      spec: { egress: [{ hosts: ['./*'] }] },
      warnings: ['spec'],
    },
    {
      name: 'hosts of Sidecar',
      spec: { egress: [{ hosts: ['a'] }] },
      errors: ['spec.egress[0].hosts[0]'],
      warnings: ['spec'],
    },
  ]);
  testCases('networking.istio.io/ProxyConfig', [
    { name: 'takes a ProxyConfig', spec: { concurrency: 0, environmentVariables: { A: 'b' } } },
    {
      name: 'threads and variables',
      spec: { concurrency: -1, environmentVariables: { '1A': 'b', B: 2 } },
      errors: ['spec.concurrency', 'spec.environmentVariables["1A"]', 'spec.environmentVariables["B"]'],
    },
  ]);
});

describe('values of fields', () => {
  it('durations', () => {
    const cases: [string, number | undefined][] = [
      ['1h30m', 5_400_000],
      ['1.5s', 1500],
      ['100ms', 100],
      ['0s', 0],
      ['0', 0],
      ['-1s', -1000],
      ['1', undefined],
      ['s', undefined],
      ['1 s', undefined],
      ['', undefined],
    ];
    for (const [text, ms] of cases) expect(parseDuration(text), text).to.equal(ms);
  });

  it('IP blocks', () => {
    expect(parseIpBlock('10.0.0.7/8')).to.deep.equal({ ip: '10.0.0.7', length: 8 });
    expect(parseIpBlock('::ffff:10.0.0.0/104')).to.deep.equal({ ip: '::ffff:10.0.0.0', length: 8 });
    for (const text of [
      '',
      '/',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '::ffff:10.0.0.0/8',
      'fe80::1%eth0',
      '010.0.0.1',
    ])
      expect(parseIpBlock(text), text).to.equal(undefined);
  });
});

describe('every kind', () => {
  const kinds = [
    'security.istio.io/RequestAuthentication',
    ...[
      'DestinationRule',
      'EnvoyFilter',
      'ProxyConfig',
      'ServiceEntry',
      'Sidecar',
      'VirtualService',
      'WorkloadEntry',
      'WorkloadGroup',
    ].map((kind) => `networking.istio.io/${kind}`),
    'telemetry.istio.io/Telemetry',
    'gateway.networking.k8s.io/Gateway',
  ];

  it('names a problem of a spec of the wrong type', () => {
    for (const kind of kinds) expect(problemsOf(kind, 'text')[0]?.path, kind).to.equal('spec');
  });

  const names = [
    'http',
    'tls',
    'tcp',
    'route',
    'match',
    'uri',
    'regex',
    'retries',
    'retryOn',
    'fault',
    'abort',
    'destination',
    'host',
    'hosts',
    'ports',
    'endpoints',
    'address',
    'listeners',
    'jwtRules',
    'jwks',
    'trafficPolicy',
    'loadBalancer',
    'consistentHash',
    'template',
    'probe',
    'tracing',
    'metrics',
    'overrides',
    'customTags',
    'weight',
    'timeout',
    'gatewayClassName',
    'labels',
    'exportTo',
  ];
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(null, '', '*', 'istio-waypoint', '1s', '((((', 1, -1, 1e300, true, {}, []),
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

  it('is checked whatever its JSON, and every problem has a text [fuzz]', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), any, fc.jsonValue(), (type, spec, object) => {
        const [group, kind] = type.split('/');
        const problems = [...problemsOf(type, spec), ...validate(group!, kind!, object)];
        for (const { message } of problems) expect(message).to.not.equal('');
      }),
      fuzzBudget(),
    );
  });
});
