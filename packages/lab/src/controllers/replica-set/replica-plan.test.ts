import { expect } from 'chai';

import type { Pod, ReplicaSet } from '../objects.ts';
import { claim } from '../pods/claim.ts';
import { planReplicas, replicaReport } from './replica-plan.ts';

const nowMs = Date.UTC(2026, 0, 1);

function set(replicas: number, minReadySeconds = 0): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'shop', uid: 's', generation: 3 },
    spec: { replicas, minReadySeconds, template: { metadata: { labels: { app: 'web' } } } },
  };
}

interface Traits {
  readonly node?: string;
  readonly phase?: string;
  readonly readySince?: number;
  readonly cost?: string;
  readonly deleted?: boolean;
}

function pod(
  name: string,
  { node = 'one', phase = 'Running', readySince = 100, cost, deleted }: Traits = {},
): Pod {
  const lastTransitionTime = new Date(nowMs - readySince * 1000).toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      labels: { app: 'web' },
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      ...(deleted === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { nodeName: node },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: readySince > 0 ? 'True' : 'False', lastTransitionTime }],
    },
  };
}

const removed = (wanted: number, ...pods: Pod[]): string[] =>
  planReplicas(set(wanted), pods).remove.map(({ metadata }) => metadata.name);

describe('planReplicas', () => {
  it('replaces pods that ended or are being deleted', () => {
    const pods = [pod('a'), pod('b', { phase: 'Failed' }), pod('c', { deleted: true })];
    expect(planReplicas(set(3), pods)).to.deep.equal({ create: 2, remove: [] });
  });

  it('gives up what is missed least', () => {
    expect(removed(1, pod('a'), pod('b', { node: '' }))).to.deep.equal(['b']);
    expect(removed(1, pod('a'), pod('b', { phase: 'Pending' }))).to.deep.equal(['b']);
    expect(removed(1, pod('a'), pod('b', { readySince: 0 }))).to.deep.equal(['b']);
    expect(removed(1, pod('a', { cost: '-5' }), pod('b'))).to.deep.equal(['a']);
    expect(removed(2, pod('a', { node: 'two' }), pod('b'), pod('c'))).to.deep.equal(['b']);
    expect(removed(1, pod('a', { readySince: 100 }), pod('b', { readySince: 5 }))).to.deep.equal(['b']);
  });

  it('takes a deletion cost that is no number for none', () => {
    expect(removed(1, pod('a', { cost: '-1' }), pod('b', { cost: 'free' }))).to.deep.equal(['a']);
  });
});

describe('replicaReport', () => {
  it('counts a pod as available when it has been ready for long enough', () => {
    const pods = [pod('a', { readySince: 30 }), pod('b', { readySince: 4 })];
    const { status, lookAgainMs } = replicaReport(set(2, 10), pods, nowMs);
    expect(status).to.include({ replicas: 2, readyReplicas: 2, availableReplicas: 1, observedGeneration: 3 });
    expect(lookAgainMs).to.equal(6000);
  });

  it('says why it cannot make pods, and no longer once it can', () => {
    const failed = replicaReport(set(1), [], nowMs, { reason: 'FailedCreate', message: 'refused' }).status;
    expect(failed.conditions?.[0]).to.include({ type: 'ReplicaFailure', reason: 'FailedCreate' });
    expect(replicaReport({ ...set(1), status: failed }, [], nowMs).status).to.not.have.property('conditions');
  });
});

describe('claim', () => {
  const selector = { matchLabels: { app: 'web' } };
  const owned = (each: Pod, uid: string): Pod => ({
    ...each,
    metadata: {
      ...each.metadata,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid, controller: true }],
    },
  });
  const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name);

  it('adopts what nobody has, releases what it does not select, and leaves what others have', () => {
    const stranger = owned(pod('d'), 's');
    const found = claim(set(1), selector, [
      owned(pod('a'), 's'),
      pod('b'),
      owned(pod('c'), 'other'),
      { ...stranger, metadata: { ...stranger.metadata, labels: { app: 'api' } } },
    ]);
    expect([names(found.owned), names(found.adopt), names(found.release)]).to.deep.equal([
      ['a'],
      ['b'],
      ['d'],
    ]);
  });

  it('takes nothing with an empty selector, or of another namespace, or while its owner is deleted', () => {
    expect(claim(set(1), {}, [pod('a')]).adopt).to.have.length(0);
    const elsewhere = { ...pod('a'), metadata: { ...pod('a').metadata, namespace: 'other' } };
    expect(claim(set(1), selector, [elsewhere]).adopt).to.have.length(0);
    const ending = { ...set(1), metadata: { ...set(1).metadata, deletionTimestamp: 'x' } };
    expect(claim(ending, selector, [pod('a')]).adopt).to.have.length(0);
  });
});
