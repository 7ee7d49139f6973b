import { expect } from 'chai';

import { MemoryCluster } from '../cluster/memory-cluster.test-data.ts';
import type { ConfigMap, KubeObject } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
import { meshDefaults } from '../translate/mesh-settings.test-data.ts';
import { MeshInForce, meshConfigMapName } from './mesh-in-force.ts';

class Rig {
  readonly log: string[] = [];
  readonly mesh = new MeshInForce(meshDefaults, testLog(this.log));
  changes = 0;
  readonly #derivation = this.mesh.derivation();

  constructor() {
    this.mesh.onChange(() => this.changes++);
  }

  /** What is refused of a text, by path. */
  read(text: string | undefined, ...further: KubeObject[]): string[] {
    const metadata = { name: 'istio', namespace: 'istio-system', uid: 'm' };
    const configMap: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { mesh: text ?? '' },
    };
    const objects = text === undefined ? further : [configMap, ...further];
    const { problems = [], resources } = this.#derivation.derive(undefined, new MemoryCluster(objects));
    expect(resources).to.deep.equal([]);
    return problems.map(({ path }) => path);
  }
}

describe('mesh settings in force', () => {
  it('are the defaults until MeshConfig is read, and tell of changes only', () => {
    const rig = new Rig();
    expect(rig.mesh.settings).to.include({ trustDomain: 'cluster.local', rootNamespace: 'istio-system' });
    rig.read(undefined);
    rig.read('{}');
    expect(rig.changes).to.equal(0);
    rig.read('trustDomain: prod.example');
    rig.read('{trustDomain: prod.example}');
    expect(rig.changes).to.equal(1);
    expect(rig.mesh.settings.trustDomain).to.equal('prod.example');
    rig.read(undefined);
    expect(rig.mesh.settings.trustDomain).to.equal('cluster.local');
  });

  it('take the network from the system namespace', () => {
    const rig = new Rig();
    const labels = { 'topology.istio.io/network': 'east' };
    rig.read(undefined, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'istio-system', uid: 'n', labels },
    });
    expect(rig.mesh.settings.network).to.equal('east');
  });

  for (const slip of ['trustDomain: [', 'just a text', '[1, 2]'])
    it(`go on as they are when the text becomes ${JSON.stringify(slip)}`, () => {
      const rig = new Rig();
      rig.read('{trustDomain: prod.example, serviceEntryVisibility: {defaultVisibility: NAMESPACE}}');
      const before = rig.mesh.settings;
      expect(rig.read(slip)).to.have.length.above(0);
      expect(rig.mesh.settings).to.deep.equal(before);
      expect(rig.changes).to.equal(1);
    });

  it('keep a refused field as it was, and take in the others', () => {
    const rig = new Rig();
    rig.read(
      '{trustDomain: a.example, rootNamespace: roots, discoverySelectors: [{matchLabels: {mesh: "yes"}}]}',
    );
    const refused = rig.read(
      '{trustDomain: "not one", rootNamespace: other, discoverySelectors: [{matchLabels: {mesh: 7}}]}',
    );
    expect(refused).to.include.members(['trustDomain', 'discoverySelectors[0].matchLabels["mesh"]']);
    expect(rig.mesh.settings).to.include({ trustDomain: 'a.example', rootNamespace: 'other' });
    expect(rig.mesh.settings.discoverySelectors).to.deep.equal([
      { matchLabels: { mesh: 'yes' }, matchExpressions: [] },
    ]);
  });

  it('start from the defaults where nothing held before', () => {
    const rig = new Rig();
    expect(rig.read('trustDomain: [')).to.deep.equal(['data.mesh']);
    expect(rig.mesh.settings.trustDomain).to.equal('cluster.local');
  });

  it('tell nobody who has stopped listening', () => {
    const rig = new Rig();
    let heard = 0;
    rig.mesh.onChange(() => heard++)[Symbol.dispose]();
    rig.read('trustDomain: prod.example');
    expect([heard, rig.changes]).to.deep.equal([0, 1]);
  });

  it('come from the ConfigMap of the revision', () => {
    expect(['', 'default', 'canary'].map(meshConfigMapName)).to.deep.equal([
      'istio',
      'istio',
      'istio-canary',
    ]);
  });
});
