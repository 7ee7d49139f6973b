import { expect } from 'chai';
import { plainWorkload, StoredWorkload } from './stored-workload.ts';
import { chooseRoute } from './choose-route.ts';
import { serviceWith, workloadWith } from './defaults.ts';
import type { RouteCall } from './next-hop.ts';
import { nextHop, withResolvedAddress } from './route.ts';
import type { Route, RouteStep } from './route.ts';
import { MeshStore } from './store.ts';
import type { GatewayAddress, MeshUpdate, PortMapping, Service, Workload } from './types.ts';

const port = (servicePort: number, targetPort: number): PortMapping => ({
  servicePort,
  targetPort,
  appProtocol: 'TCP',
});
const byHost = (hostname: string, hboneMtlsPort = 15008): GatewayAddress => ({
  destination: { kind: 'hostname', namespace: 'ns', hostname },
  hboneMtlsPort,
});
const byIp = (ip: string, hboneMtlsPort = 15008, network = ''): GatewayAddress => ({
  destination: { kind: 'address', address: { network, ip } },
  hboneMtlsPort,
});
const spiffe = (serviceAccount: string, namespace = 'ns') =>
  `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`;

const source = workloadWith({
  uid: 'c//Pod/ns/client',
  namespace: 'ns',
  name: 'client',
  addresses: ['10.0.0.1'],
  serviceAccount: 'client',
  node: 'n1',
  tunnelProtocol: 'HBONE',
});
const pod = workloadWith({
  uid: 'c//Pod/ns/server',
  namespace: 'ns',
  name: 'server',
  addresses: ['10.0.0.2'],
  serviceAccount: 'server',
  tunnelProtocol: 'HBONE',
  services: { 'ns/web': [] },
});
const web = serviceWith({
  namespace: 'ns',
  name: 'web',
  hostname: 'web',
  addresses: [{ network: '', ip: '10.1.0.1' }],
  ports: [port(80, 8080)],
});
const waypointPod = workloadWith({
  uid: 'c//Pod/ns/waypoint',
  namespace: 'ns',
  name: 'waypoint',
  addresses: ['10.0.0.9'],
  serviceAccount: 'waypoint',
  tunnelProtocol: 'HBONE',
  services: { 'ns/waypoint': [] },
});
const waypoint = serviceWith({
  namespace: 'ns',
  name: 'waypoint',
  hostname: 'waypoint',
  addresses: [{ network: '', ip: '10.1.0.9' }],
  ports: [port(15008, 15008)],
});
const withWaypoint = [waypoint, waypointPod];

function storeOf(...resources: (Workload | Service)[]): MeshStore {
  const store = new MeshStore();
  store.apply(
    [source, ...resources].map((it): MeshUpdate =>
      'uid' in it ? { kind: 'workload', workload: it } : { kind: 'service', service: it },
    ),
  );
  return store;
}

function route(
  resources: (Workload | Service)[],
  ip: string,
  destinationPort: number,
  call: Partial<RouteCall> = {},
): Route {
  const found = chooseRoute(storeOf(...resources), {
    source,
    sourceIp: '10.0.0.1',
    destination: { ip, port: destinationPort },
    network: '',
    selfPorts: [15001, 15006, 15008],
    random: () => 0,
    ...call,
  });
  // As they were given, to be compared.
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => [
      key,
      value instanceof StoredWorkload ? plainWorkload(value) : (value as unknown),
    ]),
  ) as unknown as Route;
}

const refusal = (found: Route) => (found.kind === 'refused' ? found.reason : found.kind);

describe('chooseRoute: step 1, calls to the proxy itself', () => {
  for (const ip of ['127.0.0.1', '127.1.2.3', '::1']) {
    it(`refuses ${ip} on a port of the proxy`, () => {
      expect(refusal(route([], ip, 15008))).to.equal('self-call');
    });
  }
  it('lets loopback on other ports and other addresses on that port pass', () => {
    expect(route([], '127.0.0.1', 8080).kind).to.equal('passthrough');
    expect(route([], '10.9.9.9', 15008).kind).to.equal('passthrough');
  });
});

describe('chooseRoute: unknown destinations and PASSTHROUGH', () => {
  it('an unknown address passes as it is', () => {
    expect(route([web, pod], '8.8.8.8', 53)).to.deep.equal({
      kind: 'passthrough',
      destination: { ip: '8.8.8.8', port: 53 },
      service: undefined,
    });
  });
  it('a PASSTHROUGH service passes, endpoints or not', () => {
    const loadBalancing = {
      mode: 'PASSTHROUGH',
      routingPreference: [],
      healthPolicy: 'ONLY_HEALTHY',
    } as const;
    const found = route([{ ...web, loadBalancing }, pod], '10.1.0.1', 9999);
    expect(found.kind).to.equal('passthrough');
    expect(found).to.have.nested.property('service.hostname', 'web');
  });
  it('a PASSTHROUGH service with a waypoint goes to the waypoint', () => {
    const loadBalancing = {
      mode: 'PASSTHROUGH',
      routingPreference: [],
      healthPolicy: 'ONLY_HEALTHY',
    } as const;
    const found = route(
      [{ ...web, loadBalancing, waypoint: byHost('waypoint') }, ...withWaypoint],
      '10.1.0.1',
      80,
    );
    expect(found).to.include({ kind: 'hbone', via: 'service-waypoint' });
  });
  it('a host-network workload is not known by its address', () => {
    expect(route([{ ...pod, networkMode: 'HOST_NETWORK' }], '10.0.0.2', 80).kind).to.equal('passthrough');
  });
});

describe('chooseRoute: direct', () => {
  it('a service goes to an endpoint on its target port, in a tunnel to port 15008', () => {
    expect(route([web, pod], '10.1.0.1', 80)).to.deep.equal({
      kind: 'hbone',
      via: 'direct',
      gateway: undefined,
      dial: { ip: '10.0.0.2', port: 15008 },
      hostnameToResolve: undefined,
      authority: '10.0.0.2:8080',
      expectedIdentities: [spiffe('server')],
      upstream: pod,
      service: web,
    });
  });
  it('a pod address goes to that pod on the dialled port', () => {
    expect(route([web, pod], '10.0.0.2', 9999)).to.deep.include({
      dial: { ip: '10.0.0.2', port: 15008 },
      authority: '10.0.0.2:9999',
      service: undefined,
    });
  });
  it('an IPv6 authority has brackets', () => {
    expect(route([{ ...pod, addresses: ['fd00::2'] }], 'fd00::2', 80)).to.include({
      authority: '[fd00::2]:80',
    });
  });
  it('a workload without HBONE is dialled plain on the target port', () => {
    expect(route([web, { ...pod, tunnelProtocol: 'NONE' }], '10.1.0.1', 80)).to.deep.include({
      kind: 'direct',
      dial: { ip: '10.0.0.2', port: 8080 },
    });
  });
  it('native_tunnel changes nothing', () => {
    expect(
      route([web, { ...pod, tunnelProtocol: 'NONE', nativeTunnel: true }], '10.1.0.1', 80).kind,
    ).to.equal('direct');
  });
  it('expects the workload or one of the names of the service', () => {
    const found = route([{ ...web, subjectAltNames: [spiffe('alias')] }, pod], '10.1.0.1', 80);
    expect(found).to.deep.include({ expectedIdentities: [spiffe('server'), spiffe('alias')] });
  });
  it('a pod called by address presents its own name only', () => {
    const found = route([{ ...web, subjectAltNames: [spiffe('alias')] }, pod], '10.0.0.2', 80);
    expect(found).to.deep.include({ expectedIdentities: [spiffe('server')] });
  });
  it('a host-network endpoint is reached by its service', () => {
    const found = route([web, { ...pod, networkMode: 'HOST_NETWORK' }], '10.1.0.1', 80);
    expect(found).to.deep.include({ authority: '10.0.0.2:8080' });
  });
  it('an unhealthy pod is still called by its address', () => {
    expect(route([{ ...pod, status: 'UNHEALTHY' }], '10.0.0.2', 80).kind).to.equal('hbone');
  });
  it("a service in the source's network is found although the proxy is told another network", () => {
    const west = { ...source, network: 'west' };
    const found = route(
      [
        { ...web, addresses: [{ network: 'west', ip: '10.1.0.1' }] },
        { ...pod, network: 'west' },
      ],
      '10.1.0.1',
      80,
      { source: west },
    );
    expect(found).to.include({ kind: 'hbone', via: 'direct' });
  });
  it("a service of the proxy's network never turns into a passthrough", () => {
    expect(refusal(route([web], '10.1.0.1', 80, { source: { ...source, network: 'west' } }))).to.equal(
      'service-without-endpoints',
    );
  });
});

describe('chooseRoute: ports', () => {
  const named = { ...web, ports: [port(80, 0)] };
  const maps = (targetPort: number) => ({ ...pod, services: { 'ns/web': [port(80, targetPort)] } });
  it("the endpoint's own mapping beats the target port of the service", () => {
    expect(route([web, maps(9090)], '10.1.0.1', 80)).to.include({ authority: '10.0.0.2:9090' });
  });
  it('a named target port comes from the endpoint', () => {
    expect(route([named, maps(7070)], '10.1.0.1', 80)).to.include({ authority: '10.0.0.2:7070' });
  });
  it('an endpoint without the named port is no candidate', () => {
    const found = route(
      [named, pod, { ...maps(7070), uid: 'other', addresses: ['10.0.0.3'] }],
      '10.1.0.1',
      80,
    );
    expect(found).to.include({ authority: '10.0.0.3:7070' });
    expect(refusal(route([named, pod], '10.1.0.1', 80))).to.equal('endpoint-port-unknown');
  });
  it('a port that the service lacks is refused, although the endpoint has it', () => {
    expect(refusal(route([{ ...web, ports: [] }, maps(7070)], '10.1.0.1', 80))).to.equal(
      'service-port-unknown',
    );
  });
  it("an application tunnel does not replace the port of a user's call", () => {
    const tunnelled = { ...pod, applicationTunnel: { protocol: 'PROXY' as const, port: 15088 } };
    expect(refusal(route([{ ...web, ports: [] }, tunnelled], '10.1.0.1', 80))).to.equal(
      'service-port-unknown',
    );
    expect(route([web, tunnelled], '10.1.0.1', 80)).to.include({ authority: '10.0.0.2:8080' });
  });
});

describe('chooseRoute: endpoints', () => {
  it('a service without endpoints is refused, never passed through', () => {
    expect(refusal(route([web], '10.1.0.1', 80))).to.equal('service-without-endpoints');
  });
  it('unhealthy endpoints are left out, unless the service allows all', () => {
    const sick: Workload = { ...pod, status: 'UNHEALTHY' };
    expect(refusal(route([web, sick], '10.1.0.1', 80))).to.equal('no-healthy-endpoint');
    const loadBalancing = {
      mode: 'UNSPECIFIED_MODE',
      routingPreference: [],
      healthPolicy: 'ALLOW_ALL',
    } as const;
    expect(route([{ ...web, loadBalancing }, sick], '10.1.0.1', 80).kind).to.equal('hbone');
  });
  it('an endpoint with neither address nor hostname in the own network is refused, gateway or not', () => {
    const bare = { ...pod, addresses: [], networkGateway: byIp('1.2.3.4') };
    expect(refusal(route([web, bare], '10.1.0.1', 80))).to.equal('endpoint-unreachable');
  });
  it('endpoints that all have capacity 0 are refused', () => {
    expect(refusal(route([web, { ...pod, capacity: 0 }], '10.1.0.1', 80))).to.equal('no-endpoint-capacity');
  });
  it('the refusal names the service, the counts and the remedy', () => {
    expect(route([web, { ...pod, status: 'UNHEALTHY' }], '10.1.0.1', 80))
      .to.have.property('message')
      .that.matches(/^ns\/web port 80 \(1 endpoints, 1 not ready, .*readiness/);
  });
  it("a workload of the VIP's address does not keep its endpoints from being picked", () => {
    const shadow = workloadWith({ uid: 's', addresses: ['10.1.0.1'] });
    expect(route([web, pod, shadow], '10.1.0.1', 80)).to.include({ authority: '10.0.0.2:8080' });
  });
});

describe('chooseRoute: addresses', () => {
  const dual = { ...pod, addresses: ['fd00::2', '10.0.0.2'] };
  const dualWeb: Service = { ...web, addresses: [...web.addresses, { network: '', ip: 'fd01::1' }] };
  const cases: [string, Partial<Service>, Workload, string, string][] = [
    ['the dialled family', {}, dual, '10.1.0.1', '10.0.0.2:8080'],
    ['the dialled family, IPv6', {}, dual, 'fd01::1', '[fd00::2]:8080'],
    ['the other family if there is no such address', {}, pod, 'fd01::1', '10.0.0.2:8080'],
    ['only what ipFamilies admits', { ipFamilies: 'IPV6_ONLY' }, dual, '10.1.0.1', '[fd00::2]:8080'],
    ['only what ipFamilies admits, IPv4', { ipFamilies: 'IPV4_ONLY' }, dual, 'fd01::1', '10.0.0.2:8080'],
    ['any with DUAL', { ipFamilies: 'DUAL' }, dual, 'fd01::1', '[fd00::2]:8080'],
  ];
  for (const [name, fields, workload, ip, authority] of cases) {
    it(`are of ${name}`, () => {
      expect(route([{ ...dualWeb, ...fields }, workload], ip, 80)).to.include({ authority });
    });
  }
  it('the dialled one wins if the workload owns it', () => {
    expect(route([{ ...pod, addresses: ['10.0.0.7', '10.0.0.2'] }], '10.0.0.2', 80)).to.include({
      authority: '10.0.0.2:80',
    });
  });
  it('none that is admitted is refused', () => {
    expect(refusal(route([{ ...web, ipFamilies: 'IPV6_ONLY' }, pod], '10.1.0.1', 80))).to.equal(
      'workload-without-address',
    );
  });
  it('a hostname is left to be resolved', () => {
    const named = { ...pod, addresses: [], hostname: 'db.example' };
    const found = route([web, named], '10.1.0.1', 80);
    expect(found).to.deep.include({ hostnameToResolve: 'db.example', dial: { ip: '', port: 15008 } });
    if (found.kind !== 'hbone') throw new Error(found.kind);
    expect(withResolvedAddress(found, 'fd00::7')).to.deep.include({
      hostnameToResolve: undefined,
      dial: { ip: 'fd00::7', port: 15008 },
      authority: '[fd00::7]:8080',
    });
    const plain = route([web, { ...named, tunnelProtocol: 'NONE' }], '10.1.0.1', 80);
    if (plain.kind !== 'direct') throw new Error(plain.kind);
    expect(withResolvedAddress(plain, '10.0.0.7')).to.deep.include({ dial: { ip: '10.0.0.7', port: 8080 } });
  });
});

describe('chooseRoute: step 4, service waypoints', () => {
  it('a service goes to its waypoint, with the VIP as authority', () => {
    const found = route([{ ...web, waypoint: byHost('waypoint') }, pod, ...withWaypoint], '10.1.0.1', 80);
    expect(found).to.deep.include({
      kind: 'hbone',
      via: 'service-waypoint',
      gateway: waypointPod,
      dial: { ip: '10.0.0.9', port: 15008 },
      authority: '10.1.0.1:80',
      expectedIdentities: [spiffe('waypoint')],
      upstream: undefined,
    });
    expect(nextHop(found)).to.deep.equal(waypointPod);
  });
  it('the waypoint is dialled on the target port of its service, and may present the names of its service', () => {
    const custom = { ...waypoint, ports: [port(15008, 15018)], subjectAltNames: [spiffe('wp-alias')] };
    const found = route([{ ...web, waypoint: byHost('waypoint') }, custom, waypointPod], '10.1.0.1', 80);
    expect(found).to.deep.include({
      dial: { ip: '10.0.0.9', port: 15018 },
      expectedIdentities: [spiffe('waypoint'), spiffe('wp-alias')],
    });
  });
  it('a waypoint given by its VIP', () => {
    expect(route([{ ...web, waypoint: byIp('10.1.0.9') }, ...withWaypoint], '10.1.0.1', 80)).to.deep.include({
      dial: { ip: '10.0.0.9', port: 15008 },
    });
  });
  it('a waypoint given as a workload is dialled on the HBONE port that the resource names', () => {
    expect(
      route([{ ...web, waypoint: byIp('10.0.0.9', 15028) }, waypointPod], '10.1.0.1', 80),
    ).to.deep.include({ dial: { ip: '10.0.0.9', port: 15028 } });
    const byName = { ...waypointPod, hostname: 'wp' };
    expect(route([{ ...web, waypoint: byHost('wp', 15028) }, byName], '10.1.0.1', 80)).to.deep.include({
      dial: { ip: '10.0.0.9', port: 15028 },
    });
  });
  it('a waypoint whose service lacks the port is dialled on it if its application tunnel has a port', () => {
    const portless = { ...waypoint, ports: [] };
    const tunnelled = { ...waypointPod, applicationTunnel: { protocol: 'PROXY' as const, port: 15088 } };
    expect(
      route([{ ...web, waypoint: byHost('waypoint') }, portless, tunnelled], '10.1.0.1', 80),
    ).to.deep.include({ dial: { ip: '10.0.0.9', port: 15008 } });
    expect(
      refusal(route([{ ...web, waypoint: byHost('waypoint') }, portless, waypointPod], '10.1.0.1', 80)),
    ).to.equal('waypoint-without-endpoint');
  });
  it('a waypoint that is a workload and is named without a port refuses', () => {
    for (const waypoint of [byHost('wp', 0), byIp('10.0.0.9', 0)]) {
      const named: Workload = { ...waypointPod, hostname: 'wp' };
      expect(refusal(route([{ ...web, waypoint }, named, pod], '10.1.0.1', 80))).to.equal(
        'waypoint-without-endpoint',
      );
    }
  });
  it('an unknown waypoint refuses, never goes around it', () => {
    expect(refusal(route([{ ...web, waypoint: byHost('gone') }, pod], '10.1.0.1', 80))).to.equal(
      'waypoint-unknown',
    );
    expect(refusal(route([{ ...web, waypoint: byIp('10.9.9.9') }, pod], '10.1.0.1', 80))).to.equal(
      'waypoint-unknown',
    );
  });
  it('a waypoint without endpoints refuses', () => {
    expect(
      refusal(route([{ ...web, waypoint: byHost('waypoint') }, waypoint, pod], '10.1.0.1', 80)),
    ).to.equal('waypoint-without-endpoint');
    const sick: Workload = { ...waypointPod, status: 'UNHEALTHY' };
    expect(
      refusal(route([{ ...web, waypoint: byHost('waypoint') }, waypoint, sick], '10.1.0.1', 80)),
    ).to.equal('waypoint-without-endpoint');
  });
  it('a waypoint VIP in PASSTHROUGH mode refuses', () => {
    const loadBalancing = {
      mode: 'PASSTHROUGH',
      routingPreference: [],
      healthPolicy: 'ONLY_HEALTHY',
    } as const;
    expect(
      refusal(
        route(
          [{ ...web, waypoint: byIp('10.1.0.9') }, { ...waypoint, loadBalancing }, waypointPod],
          '10.1.0.1',
          80,
        ),
      ),
    ).to.equal('waypoint-unknown');
  });
  it('the waypoint of an endpoint does not matter to a service call', () => {
    expect(route([web, { ...pod, waypoint: byHost('gone') }], '10.1.0.1', 80)).to.include({ via: 'direct' });
  });

  const weighted = (a: number, b: number): Service => ({
    ...web,
    waypoint: byIp('10.0.0.13'),
    weightedWaypoints: [
      { destination: byIp('10.0.0.11'), weight: a },
      { destination: byIp('10.0.0.12'), weight: b },
    ],
  });
  const three = [11, 12, 13].map((n) => workloadWith({ uid: `wp${n}`, addresses: [`10.0.0.${n}`] }));
  const draws: [number, number, number, string][] = [
    [1, 3, 0, '10.0.0.11'],
    [1, 3, 0.24, '10.0.0.11'],
    [1, 3, 0.25, '10.0.0.12'],
    [1, 3, 0.999, '10.0.0.12'],
    [0, 3, 0, '10.0.0.12'],
    [3, 0, 0.999, '10.0.0.11'],
    [0, 0, 0.5, '10.0.0.13'],
  ];
  for (const [a, b, mark, ip] of draws) {
    it(`weights ${a}:${b} drawn at ${mark} go to ${ip}`, () => {
      expect(
        route([weighted(a, b), ...three], '10.1.0.1', 80, { random: () => mark }),
      ).to.have.nested.property('dial.ip', ip);
    });
  }
});

describe('chooseRoute: step 7, workload waypoints', () => {
  const guarded = { ...pod, waypoint: byHost('waypoint') };
  it('a pod called by address goes to its waypoint, with the pod as authority', () => {
    const found = route([guarded, ...withWaypoint], '10.0.0.2', 9999);
    expect(found).to.deep.include({
      kind: 'hbone',
      via: 'workload-waypoint',
      gateway: waypointPod,
      dial: { ip: '10.0.0.9', port: 15008 },
      authority: '10.0.0.2:9999',
      expectedIdentities: [spiffe('waypoint')],
      upstream: guarded,
    });
  });
  it('also a pod without HBONE', () => {
    expect(route([{ ...guarded, tunnelProtocol: 'NONE' }, ...withWaypoint], '10.0.0.2', 80)).to.include({
      via: 'workload-waypoint',
    });
  });
  it('the waypoint itself goes straight to the pod', () => {
    const found = route([guarded, ...withWaypoint], '10.0.0.2', 80, {
      source: waypointPod,
      sourceIp: '10.0.0.9',
    });
    expect(found).to.include({ via: 'direct' });
  });
  it('a waypoint given by address goes straight to the pod', () => {
    const found = route([{ ...pod, waypoint: byIp('10.0.0.9') }, waypointPod], '10.0.0.2', 80, {
      source: waypointPod,
      sourceIp: '10.0.0.9',
    });
    expect(found).to.include({ via: 'direct' });
  });
  it('the identity of the waypoint at another address does not', () => {
    const found = route([guarded, ...withWaypoint], '10.0.0.2', 80, {
      source: waypointPod,
      sourceIp: '10.0.0.1',
    });
    expect(found).to.include({ via: 'workload-waypoint' });
  });
  it('the address of the waypoint with another identity does not', () => {
    const found = route([guarded, ...withWaypoint], '10.0.0.2', 80, { sourceIp: '10.0.0.9' });
    expect(found).to.include({ via: 'workload-waypoint' });
  });
  it('an unknown waypoint refuses', () => {
    expect(refusal(route([{ ...pod, waypoint: byHost('gone') }], '10.0.0.2', 80))).to.equal(
      'waypoint-unknown',
    );
  });
  it('a waypoint on another network refuses', () => {
    const found = route(
      [{ ...pod, waypoint: byHost('waypoint') }, waypoint, { ...waypointPod, network: 'west' }],
      '10.0.0.2',
      80,
    );
    expect(refusal(found)).to.equal('waypoint-on-other-network');
  });
});

describe('chooseRoute: step 6, other networks', () => {
  const vouched: Service = { ...web, subjectAltNames: [spiffe('server')] };
  const remote: Workload = {
    ...pod,
    uid: 'west/split',
    addresses: [],
    network: 'west',
    networkGateway: byIp('1.2.3.4', 15009, 'west'),
  };
  const gateway = workloadWith({
    uid: 'NetworkGateway/west/1.2.3.4/15009',
    addresses: ['1.2.3.4'],
    network: 'west',
    namespace: 'ns',
    serviceAccount: 'gateway',
  });
  it('a remote endpoint is reached by a tunnel in a tunnel to a gateway given as a workload', () => {
    expect(route([vouched, remote, gateway], '10.1.0.1', 80)).to.deep.equal({
      kind: 'double-hbone',
      gateway,
      dial: { ip: '1.2.3.4', port: 15009 },
      hostnameToResolve: undefined,
      authority: 'web:80',
      expectedIdentities: [spiffe('gateway')],
      inner: { authority: 'web:80', expectedIdentities: [spiffe('server')] },
      upstream: remote,
      service: vouched,
    });
  });
  it('a gateway given as a service is dialled on the target port of its service port', () => {
    const byName: Workload = { ...remote, networkGateway: byHost('eastwest', 15009) };
    const eastwest = serviceWith({
      namespace: 'ns',
      hostname: 'eastwest',
      ports: [port(15009, 15019)],
      subjectAltNames: [spiffe('gw-alias')],
    });
    const found = route(
      [vouched, byName, eastwest, { ...gateway, services: { 'ns/eastwest': [] } }],
      '10.1.0.1',
      80,
    );
    expect(found).to.deep.include({
      dial: { ip: '1.2.3.4', port: 15019 },
      expectedIdentities: [spiffe('gateway'), spiffe('gw-alias')],
    });
  });
  it('a remote waypoint is reached the same way; its service vouches for the inner identity', () => {
    const remoteWaypoint: Workload = {
      ...waypointPod,
      addresses: [],
      network: 'west',
      networkGateway: byIp('1.2.3.4', 15009, 'west'),
    };
    const found = route(
      [
        { ...web, waypoint: byHost('waypoint') },
        { ...waypoint, subjectAltNames: [spiffe('waypoint')] },
        remoteWaypoint,
        gateway,
      ],
      '10.1.0.1',
      80,
    );
    expect(found).to.deep.include({
      kind: 'double-hbone',
      inner: { authority: 'web:80', expectedIdentities: [spiffe('waypoint')] },
    });
  });
  it('the network compared is that of the source workload, not the setting', () => {
    const west = { ...source, network: 'west' };
    const found = route(
      [
        { ...vouched, addresses: [{ network: 'west', ip: '10.1.0.1' }] },
        { ...remote, addresses: ['10.0.0.2'] },
      ],
      '10.1.0.1',
      80,
      { source: west, network: '' },
    );
    expect(found).to.include({ kind: 'hbone', via: 'direct' });
  });
  it('a remote endpoint without a gateway is refused', () => {
    expect(
      refusal(
        route([vouched, { ...remote, addresses: ['10.0.0.2'], networkGateway: undefined }], '10.1.0.1', 80),
      ),
    ).to.equal('gateway-missing');
    expect(refusal(route([vouched, { ...remote, networkGateway: undefined }], '10.1.0.1', 80))).to.equal(
      'endpoint-unreachable',
    );
  });
  it('a gateway that is neither a known workload nor a known service is refused', () => {
    expect(refusal(route([vouched, remote], '10.1.0.1', 80))).to.equal('gateway-unknown');
  });
  it('a gateway without a ready endpoint is refused', () => {
    const eastwest = serviceWith({ namespace: 'ns', hostname: 'eastwest', ports: [port(15009, 15019)] });
    expect(
      refusal(
        route([vouched, { ...remote, networkGateway: byHost('eastwest', 15009) }, eastwest], '10.1.0.1', 80),
      ),
    ).to.equal('gateway-without-endpoint');
  });
  it('a service that vouches for nobody is refused at once: no inner server could pass', () => {
    expect(refusal(route([web, remote, gateway], '10.1.0.1', 80))).to.equal('remote-without-identities');
  });
  it('a gateway with a hostname only is left to be resolved, its authority untouched', () => {
    const named = { ...gateway, addresses: [], hostname: 'gw.example' };
    const found = route(
      [vouched, { ...remote, networkGateway: byHost('gw.example', 15009) }, named],
      '10.1.0.1',
      80,
    );
    if (found.kind !== 'double-hbone') throw new Error(found.kind);
    expect(found.hostnameToResolve).to.equal('gw.example');
    expect(withResolvedAddress(found, '1.2.3.4')).to.deep.include({
      dial: { ip: '1.2.3.4', port: 15009 },
      authority: 'web:80',
    });
  });
});

describe('chooseRoute: trace', () => {
  it('tells destination, endpoints and network', () => {
    const steps: RouteStep[] = [];
    route([web, pod], '10.1.0.1', 80, { trace: (step) => steps.push(step) });
    expect(steps).to.deep.equal([
      {
        kind: 'destination',
        network: '',
        address: { ip: '10.1.0.1', port: 80 },
        found: 'service',
        key: 'ns/web',
      },
      {
        kind: 'endpoints',
        service: 'ns/web',
        port: 80,
        candidates: 1,
        census: { total: 1, unhealthy: 0, unreachable: 0, withoutPort: 0, outsideLocality: 0 },
        chosen: pod.uid,
      },
    ]);
  });
  it('tells of waypoints', () => {
    const steps: RouteStep[] = [];
    route([{ ...pod, waypoint: byHost('waypoint') }, ...withWaypoint], '10.0.0.2', 80, {
      trace: (step) => steps.push(step),
    });
    expect(steps[1]).to.deep.equal({
      kind: 'waypoint',
      of: 'workload',
      key: pod.uid,
      outcome: 'used',
      waypoint: 'ns/waypoint port 15008',
    });
  });
});
