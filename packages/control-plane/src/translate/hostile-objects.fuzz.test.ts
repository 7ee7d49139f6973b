import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject, ServiceEntry } from '@ambient/kube';
import { AddressAllocator } from './allocate-address.ts';
import { discoveryOf } from './golden-cluster.test-data.ts';
import { namespaceNamed, podNamed, serviceNamed } from './translate.test-data.ts';

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
const leaf = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
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
const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(field, tie('value'), { maxKeys: 4 }),
  ),
})).value;

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
});
