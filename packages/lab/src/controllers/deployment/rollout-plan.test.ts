import { expect } from 'chai';

import type { Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet } from '../objects.ts';
import { deploymentReport } from './deployment-status.ts';
import { annotationsOf, revisionsOf } from './revisions.ts';
import { outdated, planRollout } from './rollout-plan.ts';

const nowMs = Date.UTC(2026, 0, 1, 1);

function deployment(spec: DeploymentSpec, status: DeploymentStatus = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid: 'd', generation: 1 },
    spec: { template: { metadata: { labels: { app: 'web' } }, spec: { restartPolicy: 'v2' } }, ...spec },
    status,
  };
}

interface SetFields {
  readonly replicas: number;
  readonly available?: number;
  readonly desired?: number;
  readonly most?: number;
  readonly revision?: number;
}

/** @param version of the template; v2 is the Deployment's */
function set(name: string, version: string, fields: SetFields): ReplicaSet {
  const { replicas, available = replicas, desired, most, revision = 1 } = fields;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      generation: 1,
      creationTimestamp: `2026-01-01T00:00:0${revision}Z`,
      annotations: {
        'deployment.kubernetes.io/revision': String(revision),
        ...(desired === undefined ? {} : { 'deployment.kubernetes.io/desired-replicas': String(desired) }),
        ...(most === undefined ? {} : { 'deployment.kubernetes.io/max-replicas': String(most) }),
      },
    },
    spec: {
      replicas,
      template: {
        metadata: { labels: { app: 'web', 'pod-template-hash': name } },
        spec: { restartPolicy: version },
      },
    },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

function plan(made: Deployment, sets: ReplicaSet[], oldPodsLeft = false): unknown {
  const { create, resize } = planRollout(made, revisionsOf(made, sets), oldPodsLeft);
  return { create, ...Object.fromEntries(resize.map(({ set, replicas }) => [set.metadata.name, replicas])) };
}

const limits = (
  maxSurge: number | string,
  maxUnavailable: number | string,
): DeploymentSpec['strategy'] & object => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
});

describe('planRollout', () => {
  it('begins with as many pods of the template as the surge allows', () => {
    const made = deployment({ replicas: 10, strategy: limits(3, 0) });
    expect(plan(made, [])).to.deep.equal({ create: 10 });
    expect(plan(made, [set('old', 'v1', { replicas: 10 })])).to.deep.equal({ create: 3 });
  });

  it('takes as many old pods away as are available beyond the least', () => {
    const made = deployment({ replicas: 10, strategy: limits(3, 2) });
    const old = set('old', 'v1', { replicas: 10 });
    expect(plan(made, [old, set('new', 'v2', { replicas: 3, available: 0 })])).to.deep.equal({
      create: undefined,
      old: 8,
    });
    expect(
      plan(made, [set('old', 'v1', { replicas: 8 }), set('new', 'v2', { replicas: 5, available: 3 })]),
    ).to.deep.equal({
      create: undefined,
      old: 5,
    });
  });

  it('takes old pods that are not available away first', () => {
    const made = deployment({ replicas: 4, strategy: limits(1, 1) });
    const sets = [
      set('old', 'v1', { replicas: 4, available: 2 }),
      set('new', 'v2', { replicas: 1, available: 1 }),
    ];
    expect(plan(made, sets)).to.deep.equal({ create: undefined, old: 2 });
  });

  it('does not stand still with limits that are both 0 after rounding', () => {
    const made = deployment({ replicas: 1, strategy: limits(0, '25%') });
    expect(plan(made, [set('old', 'v1', { replicas: 1 }), set('new', 'v2', { replicas: 0 })])).to.deep.equal({
      create: undefined,
      old: 0,
    });
  });

  it('recreates after the last old pod has gone', () => {
    const made = deployment({ replicas: 2, strategy: { type: 'Recreate' } });
    expect(plan(made, [set('old', 'v1', { replicas: 2 })], true)).to.deep.equal({
      create: undefined,
      old: 0,
    });
    const ended = [set('old', 'v1', { replicas: 0 })];
    expect(plan(made, ended, true)).to.deep.equal({ create: undefined });
    expect(plan(made, ended)).to.deep.equal({ create: 2 });
  });

  it('shares a change of size in the midst of a rollout', () => {
    const made = deployment({ replicas: 20, strategy: limits('50%', 0) });
    const sets = [
      set('old', 'v1', { replicas: 10, desired: 10, most: 15 }),
      set('new', 'v2', { replicas: 5, desired: 10, most: 15, revision: 2 }),
    ];
    expect(plan(made, sets)).to.deep.equal({ create: undefined, old: 20, new: 10 });
  });

  it('scales while paused, and begins nothing', () => {
    const made = deployment({ replicas: 5, paused: true });
    expect(plan(made, [set('old', 'v1', { replicas: 2, desired: 2 })])).to.deep.equal({
      create: undefined,
      old: 5,
    });
  });

  it('has no size below 0', () => {
    const made = deployment({ replicas: 0, strategy: limits(1, 1) });
    const sets = [
      set('old', 'v1', { replicas: 3, desired: 4, most: 5 }),
      set('new', 'v2', { replicas: 2, desired: 4, most: 5, revision: 2 }),
    ];
    expect(plan(made, sets)).to.deep.equal({ create: undefined, old: 0, new: 0 });
  });
});

describe('revisionsOf', () => {
  it('makes a template that comes back the newest revision', () => {
    const made = deployment({ replicas: 1 });
    const again = set('a', 'v2', { replicas: 0, revision: 1 });
    const revisions = revisionsOf(made, [again, set('b', 'v1', { replicas: 1, revision: 2 })]);
    expect([revisions.current?.metadata.name, revisions.revision]).to.deep.equal(['a', 3]);
    expect(annotationsOf(made, again, 3, 2)).to.include({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('drops the oldest sets beyond the limit, and none with pods', () => {
    const made = deployment({ replicas: 1, revisionHistoryLimit: 1 });
    const sets = [
      set('a', 'v0', { replicas: 1, revision: 1 }),
      set('b', 'v1', { replicas: 0, revision: 2 }),
      set('c', 'v3', { replicas: 0, revision: 3 }),
      set('d', 'v2', { replicas: 1, revision: 4 }),
    ];
    expect(outdated(made, revisionsOf(made, sets)).map(({ metadata }) => metadata.name)).to.deep.equal([
      'b',
      'c',
    ]);
  });
});

describe('deploymentReport', () => {
  const progressing = (sinceSeconds: number, reason = 'ReplicaSetUpdated'): DeploymentStatus => ({
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 2,
    conditions: [
      {
        type: 'Progressing',
        status: 'True',
        reason,
        message: 'm',
        lastUpdateTime: new Date(nowMs - sinceSeconds * 1000).toISOString(),
      },
    ],
  });
  const sets = [
    set('old', 'v1', { replicas: 2 }),
    set('new', 'v2', { replicas: 1, available: 0, revision: 2 }),
  ];
  const report = (status: DeploymentStatus): ReturnType<typeof deploymentReport> => {
    const made = deployment({ replicas: 2, progressDeadlineSeconds: 60 }, status);
    return deploymentReport(made, revisionsOf(made, sets), nowMs);
  };
  const reasonOf = ({ status }: ReturnType<typeof deploymentReport>): string | undefined =>
    status.conditions?.find(({ type }) => type === 'Progressing')?.reason;

  it('gives up hope when the deadline has passed without progress', () => {
    const waiting = report(progressing(40));
    expect([reasonOf(waiting), waiting.lookAgainMs]).to.deep.equal(['ReplicaSetUpdated', 20_000]);
    const late = report(progressing(61));
    expect([reasonOf(late), late.lookAgainMs]).to.deep.equal(['ProgressDeadlineExceeded', undefined]);
  });

  it('counts the deadline from the last progress', () => {
    const { status, lookAgainMs } = report({ ...progressing(61), updatedReplicas: 0 });
    expect(lookAgainMs).to.equal(60_000);
    expect(status.conditions?.[1]).to.include({ status: 'True', reason: 'ReplicaSetUpdated' });
  });

  it('leaves a finished rollout finished when a pod ends', () => {
    expect(reasonOf(report(progressing(600, 'NewReplicaSetAvailable')))).to.equal('NewReplicaSetAvailable');
  });
});
