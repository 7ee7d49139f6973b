import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { KubeObject } from '@ambient/kube';
import { KubeClient, KubeConnection, KubeStatusError } from '@ambient/kube';
import { LabApi } from '@ambient/lab';
import { Logger, LogLevels, silentSink } from '@ambient/runtime';
import { manifestPath } from '../scene.ts';
import { Operator, readManifest } from './operator.ts';
import { PolicyWatch } from './policy-watch.ts';

const definitions = join(import.meta.dirname, '../../../charts/base/crds/security.istio.io_*.yaml');
const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
const log = new Logger(new LogLevels('error'), silentSink, 'test');

describe('whoever works on the cluster of the tour', function () {
  this.timeout(20_000);
  let lab: LabApi;
  let connection: KubeConnection;
  let client: KubeClient;
  let operator: Operator;

  before(async () => {
    lab = await LabApi.start({ host: '127.0.0.1', port: 0, crdFiles: globSync(definitions) });
    await lab.load([shop]);
    const directory = mkdtempSync(join(tmpdir(), 'ambient-tour-test-'));
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, lab.kubeconfig);
    connection = KubeConnection.fromFile(kubeconfig);
    rmSync(directory, { recursive: true });
    client = new KubeClient(connection);
    operator = new Operator(client, kubeconfig, '/nonexistent');
  });

  after(async () => {
    connection[Symbol.dispose]();
    await lab.stop();
  });

  it('does without kubectl what it does with it, and says so', async () => {
    await using policies = new PolicyWatch(client, log);
    expect(operator.kubectl).to.equal(undefined);
    expect(operator.describe('apply', manifestPath('strict'))).to.equal(
      'PATCH /apis/security.istio.io/v1/namespaces/shop/peerauthentications/strict (no kubectl on PATH)',
    );
    expect(operator.describe('delete', manifestPath('errand'))).to.equal(
      'DELETE /api/v1/namespaces/shop/pods/errand (no kubectl on PATH)',
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
  });

  it('labels namespaces, and takes the label away', async () => {
    const label = 'istio.io/dataplane-mode';
    const labels = async (): Promise<object> =>
      (await client.request<KubeObject>({ path: '/api/v1/namespaces/shop' })).metadata.labels ?? {};
    const shown = await operator.labelNamespaces(['shop'], label, 'ambient');
    expect(shown).to.equal(`PATCH /api/v1/namespaces/shop: label ${label}=ambient (no kubectl on PATH)`);
    expect(await labels()).to.include({ [label]: 'ambient' });
    expect(await operator.labelNamespaces(['shop'], label, undefined)).to.contain(`without label ${label}`);
    expect(await labels()).not.to.have.property(label);
  });

  it('is told what the API refuses, in its words', async () => {
    const path = '/apis/security.istio.io/v1/namespaces/shop/peerauthentications';
    const bad = { ...readManifest(manifestPath('strict')), spec: { mtls: { mode: 'SOMETIMES' } } };
    try {
      await client.request({ method: 'POST', path, body: bad });
      expect.fail('it is no mode');
    } catch (error) {
      expect(error).to.be.instanceOf(KubeStatusError);
      expect((error as Error).message)
        .to.contain('spec.mtls.mode')
        .and.to.contain('SOMETIMES');
    }
  });

  it('is not told again of what changes nothing for traffic', async () => {
    await using policies = new PolicyWatch(client, log);
    const told = policies.next('shop/only-checkout');
    await operator.apply(manifestPath('only-checkout'));
    await told;
    const path = '/apis/security.istio.io/v1/namespaces/shop/authorizationpolicies/only-checkout';
    const contentType = 'application/merge-patch+json';
    await client.request({ method: 'PATCH', path, body: { metadata: { labels: { a: 'b' } } }, contentType });
    const gone = policies.next('shop/only-checkout');
    await operator.remove(manifestPath('only-checkout'));
    await gone;
    expect(policies.changes.map(({ what }) => what)).to.deep.equal(['applied', 'removed']);
  });
});
