import { istio } from '@ambient/wire';
import { expect } from 'chai';
import type { KubeObject, Service, ServicePort, ServiceSpec } from '@ambient/kube';
import { translateService } from './service.ts';
import { clusterOf, mesh, namespaceNamed, serviceNamed, waypointNamed } from './translate.test-data.ts';

const { AppProtocol, IPFamilies } = istio.workload;
const { HealthPolicy, Mode, Scope } = istio.workload.LoadBalancing;

function translated(service: Service, ...others: readonly KubeObject[]): istio.workload.IService {
  return translateService(service, clusterOf(...others), mesh).service!;
}

describe('Service', () => {
  it('is not sent as ExternalName', () => {
    expect(translateService(serviceNamed('x', { type: 'ExternalName' }), clusterOf(), mesh).service).to.equal(
      undefined,
    );
  });

  it('is canonical, with its host name in the domain of the cluster', () => {
    const { service } = translateService(serviceNamed('web'), clusterOf(), {
      ...mesh,
      domain: 'corp.example',
    });
    expect(service).to.include({
      canonical: true,
      hostname: 'web.ns.svc.corp.example',
      name: 'web',
      namespace: 'ns',
    });
  });

  for (const [what, spec, count] of [
    ['a lone clusterIP', { clusterIP: '10.0.0.1' }, 1],
    ['both families', { clusterIPs: ['10.0.0.1', '2001:db8::1'] }, 2],
    ['clusterIPs empty', { clusterIP: '10.0.0.1', clusterIPs: [] }, 1],
    ['None', { clusterIP: 'None', clusterIPs: ['None'] }, 0],
    ['nothing yet', { clusterIP: '', clusterIPs: [''] }, 0],
  ] as const) {
    it(`has ${count} addresses with ${what}`, () => {
      expect(translated(serviceNamed('x', spec)).addresses).to.have.length(count);
    });
  }

  it('is refused by the path of an address that is none', () => {
    const { service, problems } = translateService(
      serviceNamed('x', { clusterIPs: ['10.0.0.1', 'x'] }),
      clusterOf(),
      mesh,
    );
    expect(service).to.equal(undefined);
    expect(problems[0]!.path).to.equal('spec.clusterIPs[1]');
  });

  for (const [families, expected] of [
    [[], 'AUTOMATIC'],
    [['IPv4'], 'IPV4_ONLY'],
    [['IPv6'], 'IPV6_ONLY'],
    [['IPv6', 'IPv4'], 'DUAL'],
  ] as const) {
    it(`with families [${families.join()}] is ${expected}`, () => {
      expect(translated(serviceNamed('x', { ipFamilies: families })).ipFamilies).to.equal(
        IPFamilies[expected],
      );
    });
  }

  for (const [targetPort, expected] of [
    [undefined, 80],
    [8080, 8080],
    ['web', 0],
  ] as const) {
    it(`leads to ${expected} for target port ${String(targetPort)}`, () => {
      const ports = [{ port: 80, ...(targetPort !== undefined && { targetPort }) }];
      expect(translated(serviceNamed('x', { ports })).ports![0]!.targetPort).to.equal(expected);
    });
  }

  const protocols: readonly (readonly [
    Omit<ServicePort, 'port'> & { port?: number },
    keyof typeof AppProtocol,
  ])[] = [
    [{ name: 'http' }, 'HTTP11'],
    [{ name: 'HTTP-x' }, 'HTTP11'],
    [{ name: 'http2-x' }, 'HTTP2'],
    [{ name: 'grpc' }, 'GRPC'],
    [{ name: 'grpc-web' }, 'UNKNOWN'],
    [{ name: 'grpc-web-x' }, 'UNKNOWN'],
    [{ name: 'https' }, 'TLS'],
    [{ name: 'tls-x' }, 'TLS'],
    [{ name: 'tcp' }, 'TCP'],
    [{ name: 'httpx' }, 'UNKNOWN'],
    [{ name: 'x-http' }, 'UNKNOWN'],
    [{ name: 'constructor' }, 'UNKNOWN'],
    [{}, 'UNKNOWN'],
    [{ port: 25 }, 'TCP'],
    [{ port: 53 }, 'TCP'],
    [{ port: 3306, name: 'db' }, 'TCP'],
    [{ port: 27017 }, 'TCP'],
    [{ port: 3306, name: 'mysql' }, 'UNKNOWN'],
    [{ port: 53, name: 'http' }, 'HTTP11'],
    [{ port: 53, protocol: 'UDP' }, 'UNKNOWN'],
    [{ name: 'http', protocol: 'UDP' }, 'UNKNOWN'],
    [{ name: 'http', appProtocol: 'tcp' }, 'TCP'],
    [{ name: 'http', appProtocol: 'example.com/x' }, 'UNKNOWN'],
    [{ name: 'x', port: 3306, appProtocol: 'example.com/x' }, 'TCP'],
    [{ appProtocol: 'kubernetes.io/h2c' }, 'HTTP2'],
    [{ appProtocol: 'kubernetes.io/ws' }, 'HTTP11'],
    [{ appProtocol: 'kubernetes.io/wss' }, 'TLS'],
    [{ appProtocol: 'HTTPS' }, 'TLS'],
  ];
  for (const [port, expected] of protocols) {
    it(`speaks ${expected} on ${JSON.stringify(port)}`, () => {
      const { ports } = translated(serviceNamed('x', { ports: [{ port: 80, ...port }] }));
      expect(ports![0]!.appProtocol).to.equal(AppProtocol[expected]);
    });
  }

  it('has waypoint, canary and ingress of its binding', () => {
    const labels = {
      'istio.io/use-waypoint': 'wp',
      'istio.io/use-waypoint-canary': 'next',
      'istio.io/ingress-use-waypoint': 'true',
    };
    const annotations = { 'istio.io/use-waypoint-canary-weight': '5' };
    const service = translated(
      serviceNamed('x', {}, { labels, annotations }),
      waypointNamed('wp'),
      waypointNamed('next'),
    );
    expect(service.ingressUseWaypoint).to.equal(true);
    expect(service.weightedWaypoints!.map(({ weight }) => weight)).to.deep.equal([95, 5]);
    expect(service.waypoint).to.deep.equal(service.weightedWaypoints![0]!.destination);
  });
});

describe('load balancing of a Service', () => {
  const zone = [Scope.NETWORK, Scope.REGION, Scope.ZONE];
  const node = [...zone, Scope.SUBZONE, Scope.NODE];
  const note = (value: string): { annotations: Record<string, string> } => ({
    annotations: { 'networking.istio.io/traffic-distribution': value },
  });
  const cases: readonly (readonly [string, ServiceSpec, object, object, unknown])[] = [
    ['nothing', {}, {}, {}, undefined],
    ['PreferClose', { trafficDistribution: 'PreferClose' }, {}, {}, zone],
    ['PreferSameZone', { trafficDistribution: 'PreferSameZone' }, {}, {}, zone],
    ['PreferSameNode', { trafficDistribution: 'PreferSameNode' }, {}, {}, node],
    ['its annotation, in any case', {}, note('prefersamenode'), {}, node],
    ['the annotation of its namespace', {}, {}, note('PreferClose'), zone],
    ['spec before annotation', { trafficDistribution: 'PreferClose' }, note('PreferSameNode'), {}, zone],
    ['annotation before namespace', {}, note('PreferSameNode'), note('PreferClose'), node],
    ['an unknown annotation, which hides the namespace', {}, note('Any'), note('PreferClose'), undefined],
    [
      'an unknown value in spec, which hides nothing',
      { trafficDistribution: 'x' },
      note('PreferClose'),
      {},
      zone,
    ],
  ];
  for (const [what, spec, own, parent, expected] of cases) {
    it(`by ${what}: the order of scopes as it counts`, () => {
      const { loadBalancing } = translated(serviceNamed('x', spec, own), namespaceNamed('ns', parent));
      if (expected === undefined) expect(loadBalancing).to.equal(undefined);
      else
        expect(loadBalancing).to.deep.equal({
          routingPreference: expected,
          mode: Mode.FAILOVER,
          healthPolicy: HealthPolicy.ONLY_HEALTHY,
        });
    });
  }

  it('internalTrafficPolicy Local keeps to the node, whatever else is preferred', () => {
    const spec = { internalTrafficPolicy: 'Local', trafficDistribution: 'PreferClose' };
    expect(translated(serviceNamed('x', spec)).loadBalancing).to.deep.include({
      routingPreference: [Scope.NODE],
      mode: Mode.STRICT,
    });
  });

  it('publishNotReadyAddresses takes in the unhealthy, of this service and no other', () => {
    const spec = { publishNotReadyAddresses: true };
    expect(translated(serviceNamed('x', spec)).loadBalancing).to.deep.equal({
      healthPolicy: HealthPolicy.ALLOW_ALL,
    });
    const close = { trafficDistribution: 'PreferClose' };
    expect(translated(serviceNamed('x', { ...spec, ...close })).loadBalancing!.healthPolicy).to.equal(
      HealthPolicy.ALLOW_ALL,
    );
    expect(translated(serviceNamed('y', close)).loadBalancing!.healthPolicy).to.equal(
      HealthPolicy.ONLY_HEALTHY,
    );
  });
});
