import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject, ServiceEntry, ServiceEntrySpec } from '@ambient/kube';
import { parentsUpdate } from '../status/route-parents.ts';
import { routeParents } from '../status/route.ts';
import { AddressAllocator } from './allocate-address.ts';
import { discoveryOf } from './golden-cluster.test-data.ts';
import {
  clusterOf,
  mesh,
  namespaceNamed,
  podNamed,
  referenceGrant,
  routeNamed,
  serviceEntry,
  serviceNamed,
} from './translate.test-data.ts';

const text = fc.constantFrom(
  '',
  'a',
  'a/b',
  '*',
  '10.0.0.1',
  '10.0.0.0/8',
  'x.example.com',
  '__proto__',
  'http',
);
const leaf = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const field = fc.constantFrom(
  ...[
    'hosts',
    'addresses',
    'ports',
    'endpoints',
    'resolution',
    'workloadSelector',
    'labels',
    'number',
    'name',
  ],
  ...[
    'protocol',
    'targetPort',
    'address',
    'network',
    'locality',
    'weight',
    'serviceAccount',
    'subjectAltNames',
  ],
  ...['value', 'host', '__proto__', 'constructor'],
);
const fieldOfRoute = fc.constantFrom(
  ...['parentRefs', 'rules', 'backendRefs', 'filters', 'requestMirror', 'externalAuth', 'backendRef'],
  ...['group', 'kind', 'namespace', 'name', 'sectionName', 'port', 'from', 'to'],
  ...['parents', 'parentRef', 'controllerName', 'conditions', 'type', '__proto__', 'constructor'],
);
const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(field, tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** What routes and grants hold at best, and anything in its places. */
const jsonOfRoute: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.constantFrom('Service', 'ServiceEntry', 'Hostname', 'web', 'ns', 'networking.istio.io', 80),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.record({
      group: fc.constant(''),
      kind: fc.constant('Service'),
      name: tie('value'),
      port: tie('value'),
    }),
    fc.dictionary(fieldOfRoute, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const specOfRoute = fc.oneof(
  jsonOfRoute,
  fc.record({
    parentRefs: fc.array(fc.oneof(fc.constant({ group: '', kind: 'Service', name: 'web' }), jsonOfRoute), {
      maxLength: 3,
    }),
    rules: fc.oneof(jsonOfRoute, fc.array(fc.record({ backendRefs: jsonOfRoute, filters: jsonOfRoute }))),
  }),
);

const custom = fc
  .tuple(fc.constantFrom('ServiceEntry', 'WorkloadEntry'), fc.constantFrom('a', 'b'), json, json)
  .map(([kind, name, spec, addresses]) => ({
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name, namespace: 'ns', uid: name, labels: { app: 'web' } },
    spec,
    status: { addresses },
  }));

describe('objects that no schema has checked', () => {
  it('harm nothing but themselves [fuzz]', () => {
    const sound: readonly KubeObject[] = [
      namespaceNamed('ns'),
      podNamed('p', { labels: { app: 'web' } }),
      serviceNamed('web', { selector: { app: 'web' } }),
    ];
    const alone = discoveryOf(sound);
    fc.assert(
      fc.property(fc.array(custom, { maxLength: 3 }), (objects) => {
        const allocator = new AddressAllocator();
        for (const object of objects)
          if (object.kind === 'ServiceEntry') allocator.plan(object as ServiceEntry);
        const all = discoveryOf([...sound, ...objects]);
        const service = 'Address ns/web.ns.svc.cluster.local';
        expect(all[service]).to.deep.equal(alone[service]);
        expect(all).to.have.property('Address Kubernetes//Pod/ns/p');
      }),
      fuzzBudget(),
    );
  });

  it('are judged, be they routes, grants or entries, and what others say of them is kept [fuzz]', () => {
    const foreign = { controllerName: 'example.com/other', parentRef: { name: 'x' }, conditions: [] };
    fc.assert(
      fc.property(specOfRoute, jsonOfRoute, jsonOfRoute, json, (spec, parents, granted, entrySpec) => {
        const cluster = clusterOf(
          serviceNamed('web'),
          referenceGrant('g', 'a', granted),
          serviceEntry('web', 'ns', entrySpec as ServiceEntrySpec),
        );
        const route = routeNamed('HTTPRoute', 'r', spec);
        const list = Array.isArray(parents) ? [foreign, ...(parents as unknown[])] : [foreign];
        const status = { parents: list } as unknown as NonNullable<typeof route.status>;
        const wanted = routeParents(route, cluster, mesh);
        for (const { conditions } of wanted) expect(conditions).to.have.length(3);
        const update = parentsUpdate({ ...route, status }, wanted, '2026-01-01T00:00:00Z');
        if (update === undefined) return;
        expect(update.body.status.parents[0]).to.equal(foreign);
        const written = { ...route, status: update.body.status as typeof status };
        expect(parentsUpdate(written, wanted, 'later'), 'written, it stands').to.equal(undefined);
      }),
      fuzzBudget(),
    );
  });
});
