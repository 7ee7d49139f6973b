import { expect } from 'chai';

import { freshRecord } from './pod-lifecycle.ts';
import type { ContainerRecord, Terminated } from './pod-lifecycle.ts';
import type { NodePod } from '../../objects/pod.ts';
import { podStatus } from './pod-status.ts';
import type { StatusInput } from './pod-status.ts';
import { crashLoop, restartDelay } from './restart-backoff.ts';

const pod: NodePod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: { containers: [{ name: 'a', image: 'i' }] },
};
const end: Terminated = {
  kind: 'terminated',
  exitCode: 1,
  reason: 'Error',
  startedAtMs: 0,
  finishedAtMs: 10_000,
  containerId: 'c',
};
const input = (record: ContainerRecord, more: Partial<StatusInput> = {}): StatusInput => ({
  pod,
  records: new Map([['a', record]]),
  initialized: true,
  sandboxReady: true,
  podIps: ['10.0.0.1', 'fd00::1'],
  hostIps: ['172.30.0.11'],
  startTimeMs: 0,
  ended: undefined,
  nowMs: 20_000,
  ...more,
});
const running: ContainerRecord = {
  ...freshRecord,
  state: { kind: 'running', startedAtMs: 0, containerId: 'c' },
  started: true,
  ready: true,
};

function conditionOf(status: ReturnType<typeof podStatus>, type: string): unknown {
  return status.conditions?.find((condition) => condition.type === type);
}

describe('status of a pod', () => {
  it('shows a container that waits for its next start as such, with its last end', () => {
    const status = podStatus(input({ ...freshRecord, state: end, notBeforeMs: 30_000 }));
    const [container] = status.containerStatuses!;
    expect(container!.state.waiting).to.deep.equal({
      reason: 'CrashLoopBackOff',
      message: 'back-off 20s restarting failed container=a',
    });
    expect(container!.lastState.terminated).to.include({ exitCode: 1 });
    expect(status.phase).to.equal('Running');
  });

  it('is not ready while a readiness gate has no condition', () => {
    const gated = { ...pod, spec: { ...pod.spec, readinessGates: [{ conditionType: 'x/y' }] } };
    expect(conditionOf(podStatus(input(running, { pod: gated })), 'Ready')).to.deep.include({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
    });
    const open = { ...gated, status: { conditions: [{ type: 'x/y', status: 'True' as const }] } };
    expect(conditionOf(podStatus(input(running, { pod: open })), 'Ready')).to.include({ status: 'True' });
  });

  it('keeps the time of a condition that stays what it is', () => {
    const since = '2020-01-01T00:00:00Z';
    const known = {
      ...pod,
      status: { conditions: [{ type: 'Ready', status: 'True' as const, lastTransitionTime: since }] },
    };
    const status = podStatus(input(running, { pod: known }));
    expect(conditionOf(status, 'Ready')).to.include({ lastTransitionTime: since });
    expect(conditionOf(status, 'ContainersReady')).to.include({ lastTransitionTime: '1970-01-01T00:00:20Z' });
  });

  it('is failed when the node has ended it, with the reason', () => {
    const ended = { reason: 'DeadlineExceeded', message: 'too long' };
    expect(podStatus(input(running, { ended }))).to.include({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });
});

describe('the pause before a container is started again', () => {
  it('is none at first, doubles up to a bound, and is forgotten after a long run', () => {
    let history = { crashes: 0 };
    const delays = Array.from({ length: 8 }, () => {
      const next = restartDelay(history, 100);
      history = next.history;
      return next.delayMs;
    });
    expect(delays).to.deep.equal([0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(restartDelay(history, crashLoop.forgetMs).delayMs).to.equal(0);
  });
});
