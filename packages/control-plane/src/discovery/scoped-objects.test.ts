import { expect } from 'chai';

import { namespaceObject, podObject } from '../cluster/objects.test-data.ts';
import type { KindName, KubeObject, ObjectOf, ReflectorTarget } from '@ambient/kube';
import { readMeshSettings } from '../translate/mesh-settings.ts';
import { meshDefaults } from '../translate/mesh-settings.test-data.ts';
import type { MeshSettings } from '../translate/mesh-settings.ts';
import { routeNamed } from '../translate/translate.test-data.ts';
import { ScopedObjects } from './scoped-objects.ts';

const kinds: readonly KindName[] = ['Namespace', 'Node', 'Pod', 'AuthorizationPolicy', 'HTTPRoute'];
const plain = readMeshSettings(meshDefaults, undefined, undefined).settings;
const selecting: MeshSettings = { ...plain, discoverySelectors: [{ matchLabels: { mesh: 'yes' } }] };

/** What is looked at, as text, and how it came there. */
class Rig {
  readonly visible = new Map<string, KubeObject>();
  readonly calls: string[] = [];
  mesh: MeshSettings;
  readonly scope = new ScopedObjects({ inner: (kind) => this.#inner(kind), kinds, mesh: () => this.mesh });

  constructor(mesh = plain) {
    this.mesh = mesh;
  }

  put(object: KubeObject): void {
    this.scope.target(object.kind as KindName).put(keyOf(object), object);
  }

  get seen(): string[] {
    return [...this.visible.keys()].filter((key) => !key.startsWith('Namespace')).sort();
  }

  #inner<K extends KindName>(kind: K): ReflectorTarget<ObjectOf<K>> {
    const at = (key: string): string => `${kind} ${key}`;
    return {
      get: (key) => this.visible.get(at(key)) as ObjectOf<K> | undefined,
      keys: () =>
        [...this.visible.keys()].flatMap((key) =>
          key.startsWith(`${kind} `) ? [key.slice(kind.length + 1)] : [],
        ),
      put: (key, object) => {
        this.calls.push(`put ${at(key)}`);
        this.visible.set(at(key), object);
      },
      remove: (key) => {
        this.calls.push(`remove ${at(key)}`);
        this.visible.delete(at(key));
      },
    };
  }
}

const keyOf = ({ metadata: { namespace, name } }: KubeObject): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

function policyObject(revision: string | undefined): KubeObject {
  const labels = revision === undefined ? {} : { 'istio.io/rev': revision };
  const metadata = { name: 'p', namespace: 'a', uid: 'p', labels };
  return { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata };
}

describe('objects in scope', () => {
  it('are all objects where nothing is selected, known namespace or not', () => {
    const rig = new Rig();
    rig.put(podObject('a', 'one', '10.0.0.1'));
    expect(rig.seen).to.deep.equal(['Pod a/one']);
    expect(rig.scope.hidden).to.equal(0);
  });

  it('are those of selected namespaces, whichever is known first', () => {
    const rig = new Rig(selecting);
    rig.put(podObject('a', 'early', '10.0.0.1'));
    rig.put(podObject('b', 'never', '10.0.0.2'));
    rig.put(routeNamed('HTTPRoute', 'r', {}, { namespace: 'b' }));
    expect(rig.seen).to.deep.equal([]);
    rig.put(namespaceObject('a', { mesh: 'yes' }));
    rig.put(namespaceObject('b'));
    rig.put(podObject('a', 'late', '10.0.0.3'));
    rig.put(routeNamed('HTTPRoute', 'r', {}, { namespace: 'a' }));
    expect(rig.seen).to.deep.equal(['HTTPRoute a/r', 'Pod a/early', 'Pod a/late']);
    expect(rig.scope.hidden).to.equal(2);
  });

  it('go when the label of their namespace goes, or the namespace, and come back with it', () => {
    const rig = new Rig(selecting);
    rig.put(namespaceObject('a', { mesh: 'yes' }));
    rig.put(podObject('a', 'one', '10.0.0.1'));
    rig.put(namespaceObject('a'));
    expect(rig.seen).to.deep.equal([]);
    rig.put(namespaceObject('a', { mesh: 'yes' }));
    expect(rig.seen).to.deep.equal(['Pod a/one']);
    rig.scope.target('Namespace').remove('a');
    expect(rig.seen).to.deep.equal([]);
    expect(rig.scope.hidden).to.equal(1);
  });

  it('are looked at again when the selectors change', () => {
    const rig = new Rig();
    rig.put(namespaceObject('a'));
    rig.put(podObject('a', 'one', '10.0.0.1'));
    rig.mesh = selecting;
    rig.scope.rescope();
    expect(rig.seen).to.deep.equal([]);
    rig.mesh = plain;
    rig.scope.rescope();
    expect(rig.seen).to.deep.equal(['Pod a/one']);
  });

  it('are not touched by a change of a namespace that leaves its scope', () => {
    const rig = new Rig(selecting);
    rig.put(namespaceObject('a', { mesh: 'yes' }));
    rig.put(podObject('a', 'one', '10.0.0.1'));
    rig.calls.length = 0;
    rig.put(namespaceObject('a', { mesh: 'yes', other: 'label' }));
    expect(rig.calls).to.deep.equal(['put Namespace a']);
  });

  it('are ours by revision, as the label is now', () => {
    const rig = new Rig();
    rig.put(policyObject('canary'));
    expect(rig.seen).to.deep.equal([]);
    rig.put(policyObject('default'));
    expect(rig.seen).to.deep.equal(['AuthorizationPolicy a/p']);
    rig.put(policyObject('canary'));
    expect(rig.seen).to.deep.equal([]);
    rig.put(policyObject(undefined));
    expect(rig.seen).to.deep.equal(['AuthorizationPolicy a/p']);
    expect(rig.scope.hidden).to.equal(0);
  });

  it('are known to reflectors whether in scope or not, and removed from either place', () => {
    const rig = new Rig(selecting);
    const pod = podObject('a', 'one', '10.0.0.1');
    rig.put(pod);
    const target = rig.scope.target('Pod');
    expect(target.get('a/one')).to.equal(pod);
    expect([...target.keys()]).to.deep.equal(['a/one']);
    target.remove('a/one');
    expect(target.get('a/one')).to.equal(undefined);
    expect(rig.scope.hidden).to.equal(0);
  });

  it('are kinds without a namespace in any case', () => {
    const rig = new Rig(selecting);
    rig.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'n' } });
    expect(rig.seen).to.deep.equal(['Node n1']);
  });
});
