import { expect } from 'chai';
import type { Gateway, GatewaySpec, KubeObject, ObjectMeta } from '@ambient/kube';
import { clusterOf, mesh, namespaceNamed, waypointNamed } from './translate.test-data.ts';
import type { WaypointBinding } from './waypoint.ts';
import { serviceWaypoint, workloadWaypoint } from './waypoint.ts';

const meta = (labels: Record<string, string> = {}, extra: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name: 'x',
  namespace: 'ns',
  uid: 'x',
  labels,
  ...extra,
});

const use = (name: string, namespace?: string): Record<string, string> => ({
  'istio.io/use-waypoint': name,
  ...(namespace !== undefined && { 'istio.io/use-waypoint-namespace': namespace }),
});

const ofService = (metadata: ObjectMeta, ...objects: readonly KubeObject[]): WaypointBinding =>
  serviceWaypoint(metadata, clusterOf(...objects), mesh);

const outcome = (binding: WaypointBinding): string =>
  binding.state === 'none'
    ? 'none'
    : `${binding.reason} ${binding.gateway.namespace}/${binding.gateway.name}`;

const withRoutes = (from: string | undefined, selector?: object): GatewaySpec => ({
  listeners: [
    { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
    {
      name: 'mesh',
      port: 15008,
      protocol: 'HBONE',
      ...(from !== undefined && { allowedRoutes: { namespaces: { from, ...(selector && { selector }) } } }),
    },
  ],
});

describe('waypoint of a service', () => {
  const ns = namespaceNamed('ns', { labels: use('of-ns') });

  it('is the one of its own label, before that of its namespace', () => {
    expect(outcome(ofService(meta(use('own')), ns, waypointNamed('own'), waypointNamed('of-ns')))).to.equal(
      'WaypointAccepted ns/own',
    );
    expect(outcome(ofService(meta(), ns, waypointNamed('of-ns')))).to.equal('WaypointAccepted ns/of-ns');
  });

  it('is none without labels, and where the object or the namespace opts out', () => {
    expect(outcome(ofService(meta()))).to.equal('none');
    expect(outcome(ofService(meta(use('none')), ns, waypointNamed('of-ns')))).to.equal('none');
    expect(
      outcome(ofService(meta(), namespaceNamed('ns', { labels: use('none') }), waypointNamed('none'))),
    ).to.equal('none');
  });

  for (const [what, gateway] of [
    ['does not exist', undefined],
    ['has no address', waypointNamed('wp', {}, { addresses: [] })],
  ] as const) {
    it(`is refused, and that of the namespace not taken instead, when the Gateway ${what}`, () => {
      const binding = ofService(meta(use('wp')), ns, waypointNamed('of-ns'), ...(gateway ? [gateway] : []));
      expect(outcome(binding)).to.equal('WaypointIsNotReady ns/wp');
    });
  }

  it('is refused when no address of the Gateway is of a type that proxies know', () => {
    const wp = waypointNamed('wp', {}, { addresses: [{ type: 'example.com/x', value: 'y' }] });
    expect(outcome(ofService(meta(use('wp')), wp))).to.equal('WaypointIsNotReady ns/wp');
  });

  it('is named by host before address, and by an address without a type', () => {
    const host = waypointNamed(
      'wp',
      {},
      {
        addresses: [
          { type: 'IPAddress', value: '10.0.0.9' },
          { type: 'Hostname', value: 'wp.example.com' },
        ],
      },
    );
    const binding = ofService(meta(use('wp')), host);
    expect(binding).to.have.nested.property('address.hostname.hostname', 'wp.example.com');
    expect(binding).to.have.nested.property('address.hostname.namespace', 'ns');
    const ip = ofService(meta(use('wp')), waypointNamed('wp', {}, { addresses: [{ value: '10.0.0.9' }] }));
    expect(ip).to.have.nested.property('address.address');
  });

  it('looks for the Gateway in the namespace that the label names', () => {
    const there = waypointNamed('wp', { namespace: 'infra' }, { spec: withRoutes('All') });
    expect(outcome(ofService(meta(use('wp', 'infra')), there))).to.equal('WaypointAccepted infra/wp');
  });

  const tier = { matchLabels: { tier: 'gold' } };
  const operator = (key: string, op: string, values?: string[]): object => ({
    matchExpressions: [{ key, operator: op, ...(values && { values }) }],
  });
  for (const [what, spec, admitted] of [
    ['says nothing', withRoutes(undefined), false],
    ['says Same', withRoutes('Same'), false],
    ['says All', withRoutes('All'), true],
    ['says None', withRoutes('None'), false],
    ['says something unknown', withRoutes('Some'), false],
    ['selects the namespace', withRoutes('Selector', tier), true],
    ['selects another', withRoutes('Selector', { matchLabels: { tier: 'iron' } }), false],
    ['selects all', withRoutes('Selector', {}), true],
    ['selects without a selector', withRoutes('Selector'), false],
    ['selects by In', withRoutes('Selector', operator('tier', 'In', ['gold'])), true],
    ['selects by NotIn', withRoutes('Selector', operator('tier', 'NotIn', ['gold'])), false],
    ['selects by Exists', withRoutes('Selector', operator('tier', 'Exists')), true],
    ['selects by DoesNotExist', withRoutes('Selector', operator('tier', 'DoesNotExist')), false],
    ['selects by an unknown operator', withRoutes('Selector', operator('tier', 'Near')), false],
    [
      'has no HBONE listener',
      {
        listeners: [
          { name: 'x', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
        ],
      },
      false,
    ],
  ] as const) {
    it(`${admitted ? 'admits' : 'denies'} another namespace when its listener ${what}`, () => {
      const gold = namespaceNamed('ns', { labels: { tier: 'gold' } });
      const there = waypointNamed('wp', { namespace: 'infra' }, { spec });
      const expected = admitted ? 'WaypointAccepted infra/wp' : 'AttachmentDenied infra/wp';
      expect(outcome(ofService(meta(use('wp', 'infra')), gold, there))).to.equal(expected);
    });
  }

  it('goes by the listener of the inbound binding where there is one', () => {
    const annotations = { 'ambient.istio.io/waypoint-inbound-binding': 'PROXY/80' };
    const there = waypointNamed('wp', { namespace: 'infra', annotations }, { spec: withRoutes('Same') });
    expect(outcome(ofService(meta(use('wp', 'infra')), there))).to.equal('WaypointAccepted infra/wp');
  });

  it('goes by the listener for the PROXY protocol where the binding names no port', () => {
    const annotations = { 'ambient.istio.io/waypoint-inbound-binding': 'PROXY' };
    const listener = (protocol: string, port: number, from: string) => ({
      name: protocol,
      protocol,
      port,
      allowedRoutes: { namespaces: { from } },
    });
    const listeners = [listener('HBONE', 15008, 'Same'), listener('istio.io/PROXY', 15088, 'All')];
    const there = (extra: object) =>
      waypointNamed('wp', { namespace: 'infra', ...extra }, { spec: { listeners } });
    expect(outcome(ofService(meta(use('wp', 'infra')), there({ annotations })))).to.equal(
      'WaypointAccepted infra/wp',
    );
    expect(outcome(ofService(meta(use('wp', 'infra')), there({})))).to.equal('AttachmentDenied infra/wp');
  });

  it('is refused for traffic that it does not take, inherited or not', () => {
    for (const trafficType of ['workload', 'none', 'Service', '']) {
      const wp = waypointNamed('of-ns', { labels: { 'istio.io/waypoint-for': trafficType } });
      expect(outcome(ofService(meta(), ns, wp)), trafficType).to.equal('UnsupportedTrafficType ns/of-ns');
    }
  });

  it('takes the traffic type of the Gateway before that of its class', () => {
    const gatewayClass: KubeObject = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'istio-waypoint', uid: 'c', labels: { 'istio.io/waypoint-for': 'workload' } },
    };
    const labelled = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'all' } });
    expect(outcome(ofService(meta(use('wp')), gatewayClass, waypointNamed('wp')))).to.equal(
      'UnsupportedTrafficType ns/wp',
    );
    expect(outcome(ofService(meta(use('wp')), gatewayClass, labelled))).to.equal('WaypointAccepted ns/wp');
  });

  it('is none for the Service of a waypoint or east-west gateway, and for nothing else that is managed', () => {
    for (const [managed, expected] of [
      ['istio.io-mesh-controller', 'none'],
      ['istio.io-eastwest-controller', 'none'],
      ['istio.io-gateway-controller', 'WaypointAccepted ns/wp'],
    ] as const) {
      const labels = { ...use('wp'), 'gateway.istio.io/managed': managed };
      expect(outcome(ofService(meta(labels), waypointNamed('wp'))), managed).to.equal(expected);
    }
  });

  it('takes traffic of gateways as the label of the object, else of the namespace, says', () => {
    const ingress = (own?: string, inherited?: string): unknown => {
      const labels = { ...use('wp'), ...(own !== undefined && { 'istio.io/ingress-use-waypoint': own }) };
      const parent = namespaceNamed('ns', {
        labels: inherited === undefined ? {} : { 'istio.io/ingress-use-waypoint': inherited },
      });
      const binding = ofService(meta(labels), parent, waypointNamed('wp'));
      return binding.state === 'bound' && binding.ingress;
    };
    expect([
      ingress(),
      ingress('true'),
      ingress('True'),
      ingress('false', 'true'),
      ingress(undefined, 'true'),
      ingress('1'),
      ingress('yes', 'true'),
    ]).to.deep.equal([false, true, true, false, true, true, false]);
  });

  it('says what it is attached to, and how to do what is missing', () => {
    const bound = ofService(meta(use('wp')), waypointNamed('wp'));
    expect(bound)
      .to.have.property('message')
      .that.matches(/^Successfully attached to waypoint ns\/wp/);
    const refused = ofService(meta(use('wp', 'infra')), waypointNamed('wp', { namespace: 'infra' }));
    expect(refused).to.have.property('message').that.contains('allowedRoutes.namespaces');
  });

  it('of another namespace is forbidden where the service is to be seen in its own only', () => {
    const there = waypointNamed('wp', { namespace: 'infra' }, { spec: withRoutes('All') });
    const binding = (labels: Record<string, string>): string =>
      outcome(serviceWaypoint(meta(labels), clusterOf(there, waypointNamed('wp')), mesh, true));
    expect(binding(use('wp', 'infra'))).to.equal('CrossNamespaceWaypointForbidden infra/wp');
    expect(binding(use('wp'))).to.equal('WaypointAccepted ns/wp');
  });
});

describe('canary waypoint', () => {
  const canary = (weight?: string, name = 'canary'): Partial<ObjectMeta> => ({
    labels: { ...use('wp'), 'istio.io/use-waypoint-canary': name },
    ...(weight !== undefined && { annotations: { 'istio.io/use-waypoint-canary-weight': weight } }),
  });
  const gateways: readonly Gateway[] = [waypointNamed('wp'), waypointNamed('canary')];
  const weights = (binding: WaypointBinding): unknown =>
    binding.state === 'bound' ? binding.weighted?.map(({ weight }) => weight) : 'unbound';

  for (const [weight, expected] of [
    ['25', [75, 25]],
    ['0', [100, 0]],
    ['100', [0, 100]],
    [undefined, [100, 0]],
  ] as const) {
    it(`of weight ${String(weight)} shares as ${expected.join(':')}`, () => {
      expect(weights(ofService(meta({}, canary(weight)), ...gateways))).to.deep.equal(expected);
    });
  }

  for (const weight of ['101', '-1', '1.5', '', 'half', '007']) {
    it(`of weight ${JSON.stringify(weight)} is left out, and the primary stays`, () => {
      const binding = ofService(meta({}, canary(weight)), ...gateways);
      expect(weights(binding)).to.equal(undefined);
      expect(binding).to.have.property('reason', 'WaypointAccepted');
      expect(binding).to.have.property('message').that.contains('. Canary waypoint not attached: ');
    });
  }

  it('is none where it is the primary itself', () => {
    const binding = ofService(meta({}, canary('10', 'wp')), ...gateways);
    expect(binding).to.have.property('reason', 'WaypointAccepted');
    expect(binding).not.to.have.property('weighted');
    expect(binding)
      .to.have.property('message')
      .that.contains('. Canary waypoint not attached: ns/wp is the primary waypoint itself');
  });

  it('that cannot be attached leaves the primary as it is', () => {
    const binding = ofService(meta({}, canary('10', 'missing')), ...gateways);
    expect(weights(binding)).to.equal(undefined);
    expect(outcome(binding)).to.equal('WaypointAccepted ns/wp');
    expect(binding).to.have.property('message').that.contains('ns/missing');
  });

  it('is inherited from the namespace only with the primary', () => {
    const parent = namespaceNamed('ns', canary('40'));
    expect(weights(ofService(meta(), parent, ...gateways))).to.deep.equal([60, 40]);
    expect(weights(ofService(meta(use('wp')), parent, ...gateways))).to.equal(undefined);
  });

  it('is none without a primary', () => {
    const binding = ofService(meta({ 'istio.io/use-waypoint-canary': 'canary' }), ...gateways);
    expect(outcome(binding)).to.equal('none');
  });
});

describe('waypoint of a workload', () => {
  it('needs a waypoint for workloads', () => {
    const wanted = (trafficType?: string): string =>
      outcome(
        workloadWaypoint(
          meta(use('wp')),
          clusterOf(
            waypointNamed('wp', { labels: trafficType ? { 'istio.io/waypoint-for': trafficType } : {} }),
          ),
          mesh,
        ),
      );
    expect([wanted(), wanted('service'), wanted('workload'), wanted('all')]).to.deep.equal([
      'UnsupportedTrafficType ns/wp',
      'UnsupportedTrafficType ns/wp',
      'WaypointAccepted ns/wp',
      'WaypointAccepted ns/wp',
    ]);
  });

  it('tells an inherited mismatch from one of its own label', () => {
    const parent = namespaceNamed('ns', { labels: use('wp') });
    const binding = workloadWaypoint(meta(), clusterOf(parent, waypointNamed('wp')), mesh);
    expect(binding).to.include({ state: 'refused', inherited: true });
  });
});
