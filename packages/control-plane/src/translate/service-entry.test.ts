import { istio } from '@ambient/wire';
import { expect } from 'chai';
import type { KubeObject, ServiceEntry, ServiceEntrySpec } from '@ambient/kube';
import type { MeshSettings, Visibility, VisibilityPolicy } from './mesh-settings.ts';
import type { ServiceEntryTranslation } from './service-entry.ts';
import { translateServiceEntry } from './service-entry.ts';
import {
  clusterOf,
  mesh,
  namespaceNamed,
  serviceEntry,
  serviceNamed,
  waypointNamed,
} from './translate.test-data.ts';

const { AppProtocol, LoadBalancing, Service, TunnelProtocol } = istio.workload;

const http = { number: 80, name: 'http', protocol: 'HTTP' };

function entry(spec: ServiceEntrySpec, extra = {}): ServiceEntry {
  return serviceEntry('e', 'ns', { hosts: ['e.example.com'], ports: [http], ...spec }, extra);
}

function translated(of: ServiceEntry, ...others: readonly KubeObject[]): ServiceEntryTranslation {
  return translateServiceEntry(of, clusterOf(of, ...others), mesh);
}

const hostsOf = ({ services }: ServiceEntryTranslation): unknown => services.map(({ hostname }) => hostname);
const pathsOf = ({ problems }: ServiceEntryTranslation): unknown => problems.map(({ path }) => path);
const uidsOf = ({ workloads }: ServiceEntryTranslation): unknown =>
  workloads.map(({ uid }) => uid!.replace('Kubernetes/networking.istio.io/ServiceEntry/ns/e/', ''));

describe('ServiceEntry to services', () => {
  it('passes through and asks for no health where nobody resolves the host, which is the default', () => {
    for (const resolution of [undefined, 'NONE']) {
      const { services } = translated(entry(resolution === undefined ? {} : { resolution }));
      expect(services[0]!.loadBalancing).to.deep.equal({
        mode: LoadBalancing.Mode.PASSTHROUGH,
        healthPolicy: LoadBalancing.HealthPolicy.ALLOW_ALL,
      });
    }
  });

  for (const [protocol, expected] of [
    ['HTTP', 'HTTP11'],
    ['http', 'HTTP11'],
    ['HTTP2', 'HTTP2'],
    ['GRPC', 'GRPC'],
    ['GRPC-WEB', 'UNKNOWN'],
    ['TLS', 'TLS'],
    ['HTTPS', 'TLS'],
    ['TCP', 'TCP'],
    ['MONGO', 'UNKNOWN'],
    ['UDP', 'UNKNOWN'],
    ['', 'UNKNOWN'],
    ['constructor', 'UNKNOWN'],
  ] as const) {
    it(`takes protocol ${JSON.stringify(protocol)} for ${expected}`, () => {
      const { services } = translated(entry({ ports: [{ number: 3306, name: 'x', protocol }] }));
      expect(services[0]!.ports![0]!.appProtocol).to.equal(AppProtocol[expected]);
    });
  }

  it('leads a port to its number unless it has a target', () => {
    const { services } = translated(entry({ ports: [http, { number: 81, name: 'b', targetPort: 9 }] }));
    expect(services[0]!.ports!.map(({ targetPort }) => targetPort)).to.deep.equal([80, 9]);
  });

  it('prefers written addresses to allocated ones, and clears the host bits of ranges', () => {
    const of = entry({ addresses: ['10.9.8.7/16', '192.0.2.1/32', '2001:db8::1'] });
    const { services } = translated({
      ...of,
      status: { addresses: [{ host: 'e.example.com', value: '240.240.0.1' }] },
    });
    expect(services[0]!.addresses).to.deep.equal([
      { network: '', address: new Uint8Array([10, 9, 0, 0]), length: 16 },
      { network: '', address: new Uint8Array([192, 0, 2, 1]) },
      { network: '', address: new Uint8Array([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) },
    ]);
  });

  it('names a host once that stands twice', () => {
    expect(hostsOf(translated(entry({ hosts: ['a.b', 'a.b', 'c.d'] })))).to.deep.equal(['a.b', 'c.d']);
  });

  for (const [what, spec, path] of [
    ['a host with a slash', { hosts: ['ok.example.com', 'ns/x'] }, 'spec.hosts[1]'],
    ['a host that is no text', { hosts: [7] }, 'spec.hosts[0]'],
    ['hosts that are no list', { hosts: 'x' }, 'spec.hosts'],
    ['no host', { hosts: [] }, 'spec.hosts'],
    ['an address that is none', { addresses: ['10.0.0.0/33'] }, 'spec.addresses[0]'],
    ['a port out of range', { ports: [http, { number: 65536 }] }, 'spec.ports[1].number'],
    ['a port without a number', { ports: [{ name: 'x' }] }, 'spec.ports[0].number'],
    ['a target port that is a name', { ports: [{ ...http, targetPort: 'x' }] }, 'spec.ports[0].targetPort'],
    ['a resolution that there is not', { resolution: 'MAYBE' }, 'spec.resolution'],
    [
      'a selector label that is no text',
      { workloadSelector: { labels: { app: 1 } } },
      'spec.workloadSelector.labels["app"]',
    ],
  ] as const) {
    it(`refuses an entry with ${what}, by path`, () => {
      const result = translated(entry(spec as unknown as ServiceEntrySpec));
      expect(pathsOf(result)).to.include(path);
      expect(result.services).to.be.empty;
      expect(result.workloads).to.be.empty;
    });
  }

  for (const spec of [undefined, null, 7, 'x', [], { endpoints: {} }, { ports: [null] }, { hosts: [null] }]) {
    it(`survives the spec ${JSON.stringify(spec)}`, () => {
      const of = { ...entry({}), spec } as unknown as ServiceEntry;
      expect(translated(of).services).to.be.empty;
    });
  }

  it('says that a waypoint is missing for DYNAMIC_DNS, which needs one', () => {
    const of = entry({ resolution: 'DYNAMIC_DNS' }, { labels: { 'istio.io/use-waypoint': 'wp' } });
    expect(translated(of).waypointMissing).to.equal(true);
    expect(translated(of, waypointNamed('wp')).waypointMissing).to.equal(false);
    expect(translated(entry({ resolution: 'DNS' })).waypointMissing).to.equal(false);
  });
});

describe('who stands for a host', () => {
  const at = (name: string, namespace: string, second: number, host = 'x.example.com'): ServiceEntry =>
    serviceEntry(
      name,
      namespace,
      { hosts: [host], ports: [http], resolution: 'DNS' },
      {
        creationTimestamp: `2024-01-01T00:00:0${second}Z`,
      },
    );
  const standsFor = (of: ServiceEntry, ...others: readonly KubeObject[]): string => {
    const { services, workloads } = translated(of, ...others);
    if (services.length === 0) return workloads.length === 0 ? 'nothing' : 'only endpoints';
    return services[0]!.canonical ? 'canonical' : 'own namespace';
  };

  it('in a namespace: the oldest entry, and of one age the first by name; the others have no endpoints either', () => {
    expect(standsFor(at('b', 'ns', 1), at('a', 'ns', 2))).to.equal('canonical');
    expect(standsFor(at('a', 'ns', 2), at('b', 'ns', 1))).to.equal('nothing');
    expect(standsFor(at('a', 'ns', 1), at('b', 'ns', 1))).to.equal('canonical');
    expect(standsFor(at('b', 'ns', 1), at('a', 'ns', 1))).to.equal('nothing');
  });

  it('in a namespace: its Service before any entry, unless that is an ExternalName', () => {
    const of = at('a', 'ns', 1, 'web.ns.svc.cluster.local');
    expect(standsFor(of, serviceNamed('web'))).to.equal('nothing');
    expect(standsFor(of, serviceNamed('web', { type: 'ExternalName' }))).to.equal('canonical');
  });

  it('between namespaces: the oldest entry is canonical, the others stand in their own', () => {
    expect(standsFor(at('a', 'ns', 1), at('a', 'other', 2))).to.equal('canonical');
    expect(standsFor(at('a', 'ns', 2), at('a', 'other', 1))).to.equal('own namespace');
  });

  it('between namespaces: a Service anywhere before all entries', () => {
    const of = at('a', 'ns', 1, 'web.other.svc.cluster.local');
    expect(standsFor(of, serviceNamed('web', {}, { namespace: 'other' }))).to.equal('own namespace');
    expect(standsFor(of)).to.equal('canonical');
  });

  it('loses a host to an older entry and keeps the rest, for its endpoints too', () => {
    const of = serviceEntry(
      'young',
      'ns',
      {
        hosts: ['x.example.com', 'y.example.com'],
        ports: [http],
        resolution: 'STATIC',
        endpoints: [{ address: '192.0.2.1' }],
      },
      { creationTimestamp: '2024-01-01T00:00:09Z' },
    );
    const result = translated(of, at('old', 'ns', 1));
    expect(hostsOf(result)).to.deep.equal(['y.example.com']);
    expect(Object.keys(result.workloads[0]!.services!)).to.deep.equal(['ns/y.example.com']);
  });

  it('is not taken by an older entry that is refused', () => {
    const bad = { ...at('old', 'ns', 1), spec: { hosts: ['x.example.com'], addresses: ['nonsense'] } };
    expect(standsFor(at('a', 'ns', 2), bad)).to.equal('canonical');
  });
});

describe('visibility of a ServiceEntry', () => {
  const ruled = (
    defaultVisibility: Visibility,
    policies: readonly VisibilityPolicy[] = [],
  ): MeshSettings => ({
    ...mesh,
    serviceEntryVisibility: { defaultVisibility, policies },
  });
  const under = (settings: MeshSettings, ...others: readonly KubeObject[]): ServiceEntryTranslation =>
    translateServiceEntry(
      entry({}),
      clusterOf(entry({}), namespaceNamed('ns', { labels: { trusted: 'true' } }), ...others),
      settings,
    );

  it('is public, and nothing is said of it, where the mesh does not rule it', () => {
    expect(translated(entry({}))).to.have.property('visibility', undefined);
  });

  it('NAMESPACE is told to proxies, and such a service is not canonical', () => {
    const { services, visibility } = under(ruled('NAMESPACE'));
    expect(visibility).to.equal('NAMESPACE');
    expect(services[0]).to.include({ visibility: Service.Visibility.NAMESPACE, canonical: false });
  });

  it('NONE sends nothing', () => {
    const { services, workloads, visibility } = under(ruled('NONE'));
    expect([services, workloads, visibility]).to.deep.equal([[], [], 'NONE']);
  });

  it('is that of the first policy whose selectors all match the namespace', () => {
    const trusted = { matchLabels: { trusted: 'true' } };
    const settings = ruled('NONE', [
      { visibility: 'NAMESPACE', namespaceSelectors: [trusted, { matchLabels: { other: 'x' } }] },
      { visibility: 'PUBLIC', namespaceSelectors: [trusted] },
      { visibility: 'NONE', namespaceSelectors: [] },
    ]);
    expect(under(settings).visibility).to.equal('PUBLIC');
  });

  it('leaves a host to a younger public entry of another namespace', () => {
    const rule = ruled('NAMESPACE', [
      { visibility: 'PUBLIC', namespaceSelectors: [{ matchLabels: { open: 'yes' } }] },
    ]);
    const rival = serviceEntry(
      'r',
      'open',
      { hosts: ['e.example.com'], ports: [http] },
      { creationTimestamp: '2030-01-01T00:00:00Z' },
    );
    const cluster = clusterOf(entry({}), rival, namespaceNamed('open', { labels: { open: 'yes' } }));
    expect(translateServiceEntry(rival, cluster, rule).services[0]!.canonical).to.equal(true);
  });
});

describe('endpoints of a ServiceEntry', () => {
  for (const resolution of ['DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']) {
    it(`are its hosts under ${resolution} without endpoints and selector, wildcards too`, () => {
      const hosts = ['a.example.com', '*.example.com'];
      expect(uidsOf(translated(entry({ hosts, resolution })))).to.deep.equal(hosts);
      expect(
        uidsOf(translated(entry({ hosts, resolution, workloadSelector: { labels: { a: 'b' } } }))),
      ).to.deep.equal([]);
    });
  }

  it('are none under STATIC or NONE without endpoints', () => {
    expect(uidsOf(translated(entry({ resolution: 'STATIC' })))).to.deep.equal([]);
    expect(uidsOf(translated(entry({})))).to.deep.equal([]);
  });

  it('keep their own network, which does not stay for those after them', () => {
    const endpoints = [{ address: '192.0.2.1', network: 'far' }, { address: '192.0.2.2' }];
    const of = entry({ resolution: 'STATIC', endpoints });
    const { workloads } = translateServiceEntry(of, clusterOf(of), { ...mesh, network: 'home' });
    expect(workloads.map(({ network }) => network)).to.deep.equal(['far', 'home']);
  });

  it('take name, tunnel and canonical service from the entry, and the waypoint from their own labels', () => {
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'all' } });
    const endpoints = [
      { address: '192.0.2.1', labels: { 'istio.io/use-waypoint': 'wp', app: 'mine' } },
      { address: '192.0.2.2' },
    ];
    const labels = { 'istio.io/use-waypoint': 'wp', 'networking.istio.io/tunnel': 'http', app: 'entry' };
    const { workloads } = translated(entry({ resolution: 'STATIC', endpoints }, { labels }), wp);
    for (const workload of workloads) {
      expect(workload).to.include({
        canonicalName: 'entry',
        tunnelProtocol: TunnelProtocol.HBONE,
        nativeTunnel: true,
      });
    }
    expect(workloads.map(({ waypoint }) => waypoint !== undefined)).to.deep.equal([true, false]);
  });

  it('take the waypoint of the namespace, which implicit ones do not', () => {
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'all' } });
    const ns = namespaceNamed('ns', { labels: { 'istio.io/use-waypoint': 'wp' } });
    const inline = translated(
      entry({ resolution: 'DNS', endpoints: [{ address: 'x.example.net' }] }),
      wp,
      ns,
    );
    expect(inline.workloads[0]!.waypoint).not.to.equal(undefined);
    const implicit = translated(entry({ resolution: 'DNS' }), wp, ns);
    expect(implicit.workloads[0]!.waypoint).to.equal(undefined);
    expect(implicit.services[0]!.waypoint).not.to.equal(undefined);
  });

  for (const [what, endpoint, path] of [
    [
      'account with a slash',
      { address: '192.0.2.2', serviceAccount: 'a/sa/b' },
      'spec.endpoints[1].serviceAccount',
    ],
    ['port out of range', { address: '192.0.2.2', ports: { http: 0 } }, 'spec.endpoints[1].ports["http"]'],
    ['weight below zero', { address: '192.0.2.2', weight: -1 }, 'spec.endpoints[1].weight'],
    ['address that is no text', { address: 5 }, 'spec.endpoints[1].address'],
    ['nothing in it', null, 'spec.endpoints[1]'],
  ] as const) {
    it(`lose the one with ${what}, by path, and no other`, () => {
      const endpoints = [
        { address: '192.0.2.1' },
        endpoint,
        { address: '192.0.2.3' },
      ] as unknown as ServiceEntrySpec['endpoints'];
      const result = translated(entry({ resolution: 'STATIC', endpoints: endpoints! }));
      expect(uidsOf(result)).to.deep.equal(['192.0.2.1', '192.0.2.3']);
      expect(pathsOf(result)).to.deep.equal([path]);
      expect(result.services).to.have.length(1);
    });
  }

  it('count an address once, with a warning', () => {
    const endpoints = [{ address: '192.0.2.1', weight: 2 }, { address: '192.0.2.1' }];
    const result = translated(entry({ resolution: 'STATIC', endpoints }));
    expect(result.workloads.map(({ capacity }) => capacity?.value)).to.deep.equal([2]);
    expect(result.problems).to.deep.include({
      ...result.problems[0],
      path: 'spec.endpoints[1].address',
      severity: 'warning',
    });
  });
});
