import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { validate } from './validate.ts';
import { problemsOf, testCases } from './validation-cases.test-data.ts';

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
