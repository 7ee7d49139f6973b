// What a control plane looks at, while that changes: kinds that come late, namespaces and revisions, MeshConfig.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';

import { DiscoveryRecorder } from './harness/discovery-recorder.ts';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { crdFiles, TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';

const namespace = `scope-${process.pid}`;
const other = `${namespace}-other`;
const meshConfig: Manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio', namespace: 'istio-system' },
};

function pod(name: string, within = namespace): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: within },
    spec: { nodeName: 'n1', serviceAccountName: 'default', containers: [{ name: 'c', image: 'none' }] },
  };
}

function policy(labels: Record<string, string> = {}, within = namespace): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'probe', namespace: within, labels } as Manifest['metadata'],
    spec: { rules: [{}] },
  };
}

describe('what a control plane looks at', function () {
  this.timeout(60_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;
  let recorder: DiscoveryRecorder;

  before(async () => {
    api = await TestApi.start();
    for (const name of [namespace, other]) {
      await api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await api.ensure({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: name },
      });
      await api.create(pod('web', name));
      await api.patch(pod('web', name), { status: { phase: 'Running', podIP: '10.9.0.1' } }, 'status');
    }
    controlPlane = await runControlPlane(api);
    recorder = new DiscoveryRecorder({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
    await recorder.ready();
  });

  after(async () => {
    recorder[Symbol.dispose]();
    await api.delete(meshConfig);
    for (const name of [namespace, other]) {
      await api.delete(pod('web', name));
      await api.deleteNamespace(name);
    }
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const served = (name: string): Promise<void> =>
    recorder.until(() => name in recorder.resources, `${name} served`);
  const gone = (name: string): Promise<void> =>
    recorder.until(() => !(name in recorder.resources), `${name} gone`);
  const web = `Address Kubernetes//Pod/${namespace}/web`;
  const otherWeb = `Address Kubernetes//Pod/${other}/web`;

  it('leaves objects of another revision out, and takes them in when their label goes', async () => {
    const name = `Authorization ${namespace}/probe`;
    await api.create(policy({ 'istio.io/rev': 'canary' }));
    await api.create(policy({}, other));
    await served(`Authorization ${other}/probe`);
    expect(recorder.resources).not.to.have.property(name);
    await api.patch(policy(), { metadata: { labels: { 'istio.io/rev': null } } });
    await served(name);
    await api.patch(policy(), { metadata: { labels: { 'istio.io/rev': 'canary' } } });
    await gone(name);
    await api.patch(policy(), { metadata: { labels: { 'istio.io/rev': 'default' } } });
    await served(name);
    await api.delete(policy());
    await api.delete(policy({}, other));
    await gone(name);
  });

  it('looks only at namespaces that MeshConfig selects, as their labels are', async () => {
    await Promise.all([served(web), served(otherWeb)]);
    const mesh = 'discoverySelectors: [{matchLabels: {mesh: "yes"}}]';
    await api.create({ ...meshConfig, data: { mesh } });
    await Promise.all([gone(web), gone(otherWeb)]);
    const label = (name: string, value: string | null): Promise<unknown> =>
      api.patch(
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        { metadata: { labels: { mesh: value } } },
      );
    await label(namespace, 'yes');
    await served(web);
    expect(recorder.resources).not.to.have.property(otherWeb);
    await using late = await runControlPlane(api, { POD_NAME: 'late' });
    using client = new DiscoveryRecorder({ address: `127.0.0.1:${late.ports.plaintextXds}` });
    await client.ready();
    expect(client.history, 'of one that starts with these selectors').to.include(web);
    expect(client.history).not.to.include(otherWeb);
    await label(other, 'yes');
    await served(otherWeb);
    await label(namespace, null);
    await gone(web);
    await api.patch(meshConfig, { data: { mesh: '' } });
    await served(web);
    expect(recorder.resources).to.have.property(otherWeb);
  });

  it('tells proxies of a new trust domain, and of the end of it', async () => {
    const trustDomain = (): unknown =>
      (recorder.resources[web] as { workload: { trust_domain?: string } } | undefined)?.workload.trust_domain;
    await served(web);
    expect(trustDomain()).to.equal(undefined);
    await api.patch(meshConfig, { data: { mesh: 'trustDomain: prod.example' } });
    await recorder.until(() => trustDomain() === 'prod.example', 'the new trust domain');
    await api.delete(meshConfig);
    await recorder.until(() => trustDomain() === undefined, 'the old trust domain');
  });

  it('keeps the settings that it has when MeshConfig becomes unreadable', async () => {
    const trustDomain = (): unknown =>
      (recorder.resources[web] as { workload: { trust_domain?: string } } | undefined)?.workload.trust_domain;
    await api.create({ ...meshConfig, data: { mesh: 'trustDomain: prod.example' } });
    await recorder.until(() => trustDomain() === 'prod.example', 'the new trust domain');
    await api.patch(meshConfig, { data: { mesh: 'trustDomain: [' } });
    // Once this policy is served, so would be what the text before it led to.
    await api.create(policy());
    await served(`Authorization ${namespace}/probe`);
    await api.delete(policy());
    await gone(`Authorization ${namespace}/probe`);
    expect(trustDomain()).to.equal('prod.example');
  });
});

describe('kinds that come late', function () {
  this.timeout(60_000);

  it('are followed from the moment of their definition on, and their resources go with it', async () => {
    await using api = await TestApi.start({ bare: true, lab: true });
    await using controlPlane = await runControlPlane(api);
    using recorder = new DiscoveryRecorder({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
    await recorder.ready();
    const file = crdFiles().find((each) => each.includes('authorizationpolicies'))!;
    const crd = parseAllDocuments(readFileSync(file, 'utf8'))[0]!.toJS() as Manifest;
    await api.create(crd);
    await api.create(policy({}, 'default'));
    await recorder.until(() => 'Authorization default/probe' in recorder.resources, 'the policy');
    await api.delete(crd);
    await recorder.until(
      () => !('Authorization default/probe' in recorder.resources),
      'the end of the policy',
    );
  });
});
