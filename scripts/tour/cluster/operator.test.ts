import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { LabApi } from '@ambient/lab';
import { NetnsLab } from '@ambient/testkit/lab';
import { manifestPath } from '../scene.ts';
import { KubeCallError, KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-client.ts';
import { Operator, readManifest } from './operator.ts';
import { PolicyWatch } from './policy-watch.ts';

const definitions = join(import.meta.dirname, '../../../charts/base/crds/security.istio.io_*.yaml');
const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

describe('whoever works on the cluster of the tour', function () {
  this.timeout(20_000);
  let lab: LabApi;
  let api: KubeClient;
  let netns: NetnsLab;

  before(async () => {
    lab = await LabApi.start({ host: '127.0.0.1', port: 0, crdFiles: globSync(definitions) });
    await lab.load([shop]);
    api = new KubeClient(lab.kubeconfig);
    netns = NetnsLab.create();
  });

  after(async () => {
    api[Symbol.dispose]();
    await netns.destroy();
    await lab.stop();
  });

  it('does without kubectl what it does with it, and says so', async () => {
    const operator = new Operator(netns, api, '/nonexistent', '/nonexistent');
    const policies = new PolicyWatch(api);
    expect(operator.kubectl).to.equal(undefined);
    expect(operator.describe('apply', manifestPath('strict'))).to.equal(
      'PATCH /apis/security.istio.io/v1/namespaces/shop/peerauthentications/strict (no kubectl on PATH)',
    );
    for (const [manifest, says] of [
      ['strict', 'STRICT'],
      ['only-checkout', 'ALLOW'],
      ['close-feed', 'DENY'],
    ] as const) {
      const told = policies.next(`shop/${manifest}`);
      await operator.apply(manifestPath(manifest));
      await told;
      expect(policies.policies.find(({ name }) => name === `shop/${manifest}`)).to.include({ says });
      const gone = policies.next(`shop/${manifest}`);
      await operator.remove(manifestPath(manifest));
      await gone;
    }
    expect(policies.policies).to.deep.equal([]);
    expect(policies.changes.map(({ what, policy }) => `${what} ${policy.name}`)).to.deep.equal([
      'applied shop/strict',
      'removed shop/strict',
      'applied shop/only-checkout',
      'removed shop/only-checkout',
      'applied shop/close-feed',
      'removed shop/close-feed',
    ]);
    await operator.labelNamespaces(['shop'], 'istio.io/dataplane-mode', 'ambient');
    const { metadata } = await api.call<KubeObject>({ method: 'GET', path: '/api/v1/namespaces/shop' });
    expect(metadata).to.have.nested.property('labels.istio\\.io/dataplane-mode', 'ambient');
  });

  it('is told what the API refuses, in its words', async () => {
    const path = '/apis/security.istio.io/v1/namespaces/shop/peerauthentications';
    const bad = { ...readManifest(manifestPath('strict')), spec: { mtls: { mode: 'SOMETIMES' } } };
    try {
      await api.call({ method: 'POST', path, body: bad });
      expect.fail('it is no mode');
    } catch (error) {
      expect(error).to.be.instanceOf(KubeCallError);
      expect((error as Error).message)
        .to.contain('spec.mtls.mode')
        .and.to.contain('SOMETIMES');
    }
  });

  it('is not told again of what changes nothing for traffic', async () => {
    const policies = new PolicyWatch(api);
    const operator = new Operator(netns, api, '/nonexistent', '/nonexistent');
    const told = policies.next('shop/only-checkout');
    await operator.apply(manifestPath('only-checkout'));
    await told;
    const path = '/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/only-checkout';
    const contentType = 'application/merge-patch+json';
    await api.call({ method: 'PATCH', path, body: { metadata: { labels: { a: 'b' } } }, contentType });
    const gone = policies.next('shop/only-checkout');
    await operator.remove(manifestPath('only-checkout'));
    await gone;
    expect(policies.changes.map(({ what }) => what)).to.deep.equal(['applied', 'removed']);
  });
});
