import { expect } from 'chai';
import type { ObjectMeta } from '@ambient/kube';
import { canonicalService, workloadName } from './owner-names.ts';

const owned = (kind: string, owner: string, labels: Record<string, string> = {}): ObjectMeta => ({
  name: 'own',
  uid: 'u',
  labels,
  generateName: 'own-',
  ownerReferences: [
    { apiVersion: 'v1', kind: 'StatefulSet', name: 'first', uid: '1' },
    { apiVersion: 'v1', kind, name: owner, uid: '2', controller: true },
  ],
});

describe('names of workloads', () => {
  for (const [metadata, expected] of [
    [owned('ReplicaSet', 'web-abc', { 'pod-template-hash': 'abc' }), 'web'],
    [owned('ReplicaSet', 'web-abc', { 'rollouts-pod-template-hash': 'abc' }), 'web'],
    [owned('ReplicaSet', 'web-abc', { 'pod-template-hash': 'zzz' }), 'web-abc'],
    [owned('ReplicaSet', 'web-abc'), 'web-abc'],
    [owned('ReplicationController', 'dc-1', { deploymentconfig: 'dc' }), 'dc'],
    [owned('ReplicationController', 'rc'), 'rc'],
    [owned('Job', 'nightly-28912345'), 'nightly'],
    [owned('Job', 'nightly-2891234567'), 'nightly'],
    [owned('Job', 'nightly-1234567'), 'nightly-1234567'],
    [owned('Job', 'nightly-12345678901'), 'nightly-12345678901'],
    [owned('CronJob', 'c-28912345'), 'c-28912345'],
    [owned('DaemonSet', 'ds'), 'ds'],
    [owned('Rollout', 'custom'), 'custom'],
    [owned('DaemonSet', 'ds', { 'service.istio.io/workload-name': 'chosen' }), 'chosen'],
    [owned('DaemonSet', 'ds', { 'service.istio.io/workload-name': '' }), 'ds'],
    [{ ...owned('DaemonSet', 'ds'), generateName: '' }, 'own'],
    [{ ...owned('DaemonSet', 'ds'), ownerReferences: [] }, 'own'],
  ] as const) {
    const { kind, name } = metadata.ownerReferences?.at(-1) ?? { kind: 'nobody', name: '' };
    it(`${kind} ${name} with ${JSON.stringify(metadata.labels)}: ${expected}`, () => {
      expect(workloadName(metadata)).to.equal(expected);
    });
  }

  it('canonical: the first label that is there, even empty', () => {
    const labels = {
      'service.istio.io/canonical-name': 'c',
      'app.kubernetes.io/name': 'k',
      app: 'a',
      'service.istio.io/canonical-revision': 'r',
      'app.kubernetes.io/version': 'kv',
      version: 'v',
    };
    expect(canonicalService(labels, 'w')).to.deep.equal({ canonicalName: 'c', canonicalRevision: 'r' });
    expect(canonicalService({ app: 'a', version: '' }, 'w')).to.deep.equal({
      canonicalName: 'a',
      canonicalRevision: '',
    });
    expect(canonicalService(undefined, 'w')).to.deep.equal({
      canonicalName: 'w',
      canonicalRevision: 'latest',
    });
  });
});
