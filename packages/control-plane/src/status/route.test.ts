import { expect } from 'chai';
import type { KubeObject } from '@ambient/kube';

import {
  clusterOf,
  mesh,
  namespaceNamed,
  referenceGrant,
  routeNamed,
  serviceEntry,
  serviceNamed,
  waypointNamed,
} from '../translate/translate.test-data.ts';
import { routeParents } from './route.ts';

const web = { group: '', kind: 'Service', name: 'web' };
const toWeb = { name: 'web', port: 80 };
const usesWaypoint = { labels: { 'istio.io/use-waypoint': 'w' } };

/** `Type=Status/Reason` of each condition at each parent of a route. */
function judge(
  spec: unknown,
  objects: readonly KubeObject[],
  { kind = 'HTTPRoute', namespace = 'ns' }: { kind?: 'HTTPRoute' | 'TCPRoute'; namespace?: string } = {},
) {
  const parents = routeParents(routeNamed(kind, 'r', spec, { namespace }), clusterOf(...objects), mesh);
  return parents.map(({ parent, conditions }) => ({
    name: parent.name,
    says: conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`),
    texts: conditions.map(({ message }) => message),
  }));
}

const fine = [
  serviceNamed('web', {}, usesWaypoint),
  waypointNamed('w'),
  namespaceNamed('ns'),
  namespaceNamed('other'),
] as const;

describe('status of routes', () => {
  it('says that all is well where a waypoint carries the route out', () => {
    expect(judge({ parentRefs: [web], rules: [{ backendRefs: [toWeb] }] }, fine)).to.deep.equal([
      {
        name: 'web',
        says: [
          'Accepted=True/Accepted',
          'ResolvedRefs=True/ResolvedRefs',
          'ResolvedWaypoints=True/ResolvedWaypoints',
        ],
        texts: [
          'attached to Service ns/web',
          'every backend is there and may be sent to',
          'carried out by waypoint ns/w',
        ],
      },
    ]);
  });

  it('has nothing to say at Gateways, and of what is no reference', () => {
    const gateways = [
      { name: 'web' },
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'web' },
      { kind: 'Service', name: 'web' },
      { group: 'apps', kind: 'Service', name: 'web' },
      { group: '', kind: 'Service' },
      { group: '', kind: 'Service', name: 'web', port: '80' },
      { group: '', kind: 'Service', name: 'web', sectionName: 7 },
      { group: '', kind: 'Service', name: 'web', namespace: 7 },
      null,
      'web',
    ];
    expect(judge({ parentRefs: gateways }, fine)).to.deep.equal([]);
    for (const spec of [undefined, null, 7, {}, { parentRefs: 'x' }])
      expect(judge(spec, fine)).to.deep.equal([]);
  });

  it('judges each parent by itself, and one that is named twice once', () => {
    const refs = [
      { ...web, port: 80 },
      { ...web, name: 'no' },
      { ...web, namespace: 'ns', port: 80 },
      { ...web, group: 'core', port: 80 },
    ];
    const found = judge({ parentRefs: [{ name: 'gateway' }, ...refs] }, fine);
    expect(found.map(({ name, says }) => `${name} ${says[0]}`)).to.deep.equal([
      'web Accepted=True/Accepted',
      'no Accepted=False/NoMatchingParent',
    ]);
  });

  const hostless = { hosts: [], ports: [{ number: 80, name: 'http' }], resolution: 'DNS' };
  const entrySpec = { ...hostless, hosts: ['x.example.com'] };
  const entry = { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'entry' };
  const udp = { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] };
  const attachments: [string, object, readonly KubeObject[], string, RegExp, string?][] = [
    ['a Service', web, fine, 'True/Accepted', /Service ns\/web/],
    ['a Service of group core', { ...web, group: 'core' }, fine, 'True/Accepted', /web/],
    ['its port', { ...web, port: 80 }, fine, 'True/Accepted', /web/],
    ['its port by name', { ...web, sectionName: 'http' }, fine, 'True/Accepted', /web/],
    ['its port by both', { ...web, sectionName: 'http', port: 80 }, fine, 'True/Accepted', /web/],
    ['a port that it does not have', { ...web, port: 81 }, fine, 'False/NoMatchingParent', /no TCP port 81/],
    [
      'a name that no port has',
      { ...web, sectionName: 'x' },
      fine,
      'False/NoMatchingParent',
      /no TCP port named "x"/,
    ],
    [
      'a name and a port of two ports',
      { ...web, sectionName: 'http', port: 81 },
      fine,
      'False/NoMatchingParent',
      /81 named "http"/,
    ],
    [
      'a port of UDP',
      { ...web, port: 53 },
      [serviceNamed('web', udp)],
      'False/NoMatchingParent',
      /no TCP port 53/,
    ],
    ['a Service that is not there', { ...web, name: 'no' }, fine, 'False/NoMatchingParent', /does not exist/],
    [
      'a mere alias',
      web,
      [serviceNamed('web', { type: 'ExternalName' })],
      'False/NoMatchingParent',
      /ExternalName/,
    ],
    [
      'a Service of another namespace',
      { ...web, namespace: 'ns' },
      fine,
      'False/UnsupportedValue',
      /create the route in namespace ns/,
      'other',
    ],
    [
      'a ServiceEntry',
      entry,
      [serviceEntry('entry', 'ns', entrySpec)],
      'True/Accepted',
      /ServiceEntry ns\/entry/,
    ],
    ['its port', { ...entry, port: 80 }, [serviceEntry('entry', 'ns', entrySpec)], 'True/Accepted', /entry/],
    [
      'a port that the entry does not have',
      { ...entry, port: 81 },
      [serviceEntry('entry', 'ns', entrySpec)],
      'False/NoMatchingParent',
      /81/,
    ],
    ['an entry that is not there', entry, fine, 'False/NoMatchingParent', /does not exist/],
    [
      'an entry that is refused',
      entry,
      [serviceEntry('entry', 'ns', hostless)],
      'False/NoMatchingParent',
      /no host/,
    ],
  ];
  for (const [what, ref, objects, expected, message, namespace = 'ns'] of attachments)
    it(`Accepted for ${what}: ${expected}`, () => {
      const [found] = judge({ parentRefs: [ref] }, objects, { namespace });
      expect(found?.says[0]).to.equal(`Accepted=${expected}`);
      expect(found?.texts[0]).to.match(message);
    });

  it('Accepted for an entry that the mesh does not show: False/NoMatchingParent', () => {
    const hidden = { ...mesh, serviceEntryVisibility: { defaultVisibility: 'NONE', policies: [] } } as const;
    const cluster = clusterOf(serviceEntry('entry', 'ns', entrySpec));
    const [found] = routeParents(routeNamed('HTTPRoute', 'r', { parentRefs: [entry] }), cluster, hidden);
    expect(found?.conditions[0]).to.include({ reason: 'NoMatchingParent' });
  });

  const bare = serviceNamed('web');
  const optedOut = serviceNamed('web', {}, { labels: { 'istio.io/use-waypoint': 'none' } });
  const wish = namespaceNamed('ns', usesWaypoint);
  const waypoints: [string, readonly KubeObject[], string, RegExp][] = [
    ['one that is ready', fine, 'True/ResolvedWaypoints', /waypoint ns\/w/],
    ['one of the namespace', [bare, wish, waypointNamed('w')], 'True/ResolvedWaypoints', /waypoint ns\/w/],
    [
      'none',
      [bare, waypointNamed('w')],
      'False/MissingUseWaypointLabel',
      /neither Service ns\/web nor its namespace/,
    ],
    [
      'one of the namespace, and none wanted',
      [optedOut, wish, waypointNamed('w')],
      'False/MissingUseWaypointLabel',
      /=none of Service ns\/web opts out/,
    ],
    ['one that is not there', [fine[0]], 'False/WaypointIsNotReady', /does not exist/],
    [
      'one without an address',
      [fine[0], waypointNamed('w', {}, { addresses: [] })],
      'False/WaypointIsNotReady',
      /no address/,
    ],
    [
      'one for workloads',
      [fine[0], waypointNamed('w', { labels: { 'istio.io/waypoint-for': 'workload' } })],
      'False/UnsupportedTrafficType',
      /workload/,
    ],
    ['no Service', [], 'False/NoMatchingParent', /does not exist/],
  ];
  for (const [what, objects, expected, message] of waypoints)
    it(`ResolvedWaypoints with ${what}: ${expected}`, () => {
      const [found] = judge({ parentRefs: [web] }, objects);
      expect(found?.says[2]).to.equal(`ResolvedWaypoints=${expected}`);
      expect(found?.texts[2]).to.match(message);
    });

  const elsewhere = serviceNamed('far', {}, { namespace: 'other' });
  const toFar = { name: 'far', namespace: 'other', port: 80 };
  const grant = (from: object, to: object) =>
    referenceGrant('g', 'other', {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'ns', ...from }],
      to: [{ group: '', kind: 'Service', ...to }],
    });
  const host = { group: 'networking.istio.io', kind: 'Hostname', name: 'x.example.com' };
  const known = serviceEntry('entry', 'other', entrySpec);
  const backends: [string, object, readonly KubeObject[], string, RegExp][] = [
    ['a Service', toWeb, [], 'True/ResolvedRefs', /./],
    [
      'a Service that is not there',
      { name: 'no', port: 80 },
      [],
      'False/BackendNotFound',
      /^spec\.rules\[0\]\.backendRefs\[0\]: Service ns\/no does not exist$/,
    ],
    [
      'a port that it does not have',
      { name: 'web', port: 81 },
      [],
      'False/BackendNotFound',
      /no TCP port 81/,
    ],
    ['no port', { name: 'web' }, [], 'False/BackendNotFound', /names no port/],
    ['no name', { port: 80 }, [], 'False/BackendNotFound', /names no backend/],
    [
      'a mere alias',
      { name: 'alias', port: 80 },
      [serviceNamed('alias', { type: 'ExternalName' })],
      'False/BackendNotFound',
      /ExternalName/,
    ],
    ['another kind', { kind: 'Pod', name: 'web', port: 80 }, [], 'False/InvalidKind', /"Pod" of group ""/],
    ['another group', { group: 'apps', name: 'web', port: 80 }, [], 'False/InvalidKind', /group "apps"/],
    [
      'another namespace',
      toFar,
      [elsewhere],
      'False/RefNotPermitted',
      /other\/far is of another namespace.*HTTPRoute of namespace ns/,
    ],
    ['another namespace that allows it', toFar, [elsewhere, grant({}, {})], 'True/ResolvedRefs', /./],
    [
      'another namespace that allows this one',
      toFar,
      [elsewhere, grant({}, { name: 'far' })],
      'True/ResolvedRefs',
      /./,
    ],
    [
      'another namespace that allows another',
      toFar,
      [elsewhere, grant({}, { name: 'near' })],
      'False/RefNotPermitted',
      /./,
    ],
    [
      'another namespace that allows another kind',
      toFar,
      [elsewhere, grant({ kind: 'TCPRoute' }, {})],
      'False/RefNotPermitted',
      /./,
    ],
    [
      'another namespace that allows a third one',
      toFar,
      [elsewhere, grant({ namespace: 'third' }, {})],
      'False/RefNotPermitted',
      /./,
    ],
    ['another namespace that allows, and has none', toFar, [grant({}, {})], 'False/BackendNotFound', /./],
    [
      'a grant that says nothing',
      toFar,
      [elsewhere, referenceGrant('g', 'other', { from: 7, to: [null] })],
      'False/RefNotPermitted',
      /./,
    ],
    ['a host name without a port', host, [known], 'False/BackendNotFound', /names no port of host/],
    ['a host name', { ...host, port: 80 }, [known], 'True/ResolvedRefs', /./],
    [
      'a port that the host does not have',
      { ...host, port: 81 },
      [known],
      'False/BackendNotFound',
      /no port 81/,
    ],
    [
      'a host that nobody has',
      { ...host, port: 80 },
      [],
      'False/BackendNotFound',
      /no ServiceEntry that namespace ns sees/,
    ],
    [
      'a host of a Service',
      { ...host, name: 'web.ns.svc.cluster.local', port: 80 },
      [],
      'True/ResolvedRefs',
      /./,
    ],
    [
      'a host with a namespace',
      { ...host, namespace: 'other' },
      [known],
      'False/BackendNotFound',
      /has a namespace/,
    ],
  ];
  for (const [what, ref, objects, expected, message] of backends)
    it(`ResolvedRefs with ${what}: ${expected}`, () => {
      const [found] = judge({ parentRefs: [web], rules: [{ backendRefs: [ref] }] }, [...fine, ...objects]);
      expect(found?.says[1]).to.equal(`ResolvedRefs=${expected}`);
      expect(found?.texts[1]).to.match(message);
    });

  it('ResolvedRefs names every backend that is wrong, mirrors and authorizers too, by the first one’s reason', () => {
    const no = { name: 'no', port: 80 };
    const rules = [
      { backendRefs: [toWeb, { ...no, filters: [{ requestMirror: { backendRef: no } }, {}] }] },
      {
        backendRefs: 'x',
        filters: [{ externalAuth: { backendRef: { ...no, kind: 'Pod' } } }, 7, { requestMirror: 7 }],
      },
      null,
    ];
    const [found] = judge({ parentRefs: [web], rules }, fine);
    expect(found?.says[1]).to.equal('ResolvedRefs=False/BackendNotFound');
    expect(found?.texts[1]?.match(/spec[^:]*/g)).to.deep.equal([
      'spec.rules[0].backendRefs[1]',
      'spec.rules[0].backendRefs[1].filters[0].requestMirror.backendRef',
      'spec.rules[1].filters[0].externalAuth.backendRef',
    ]);
  });

  it('a route without backends has all that it refers to', () => {
    expect(judge({ parentRefs: [web] }, fine, { kind: 'TCPRoute' })[0]?.says[1]).to.equal(
      'ResolvedRefs=True/ResolvedRefs',
    );
  });
});
