import { expect } from 'chai';

import type { ContainerRecord } from './pod-lifecycle.ts';
import { decide, freshRecord, phaseOf } from './pod-lifecycle.ts';
import type { NodePodSpec } from '../../objects/pod.ts';

const nowMs = 1000;
const running = (more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  ...freshRecord,
  state: { kind: 'running', startedAtMs: 0, containerId: 'c' },
  started: true,
  ready: true,
  ...more,
});
const ended = (exitCode: number, more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  ...freshRecord,
  state: {
    kind: 'terminated',
    exitCode,
    reason: 'Error',
    startedAtMs: 0,
    finishedAtMs: 500,
    containerId: 'c',
  },
  ...more,
});
const records = (map: Record<string, ContainerRecord>): Map<string, ContainerRecord> =>
  new Map(Object.entries(map));
const spec: NodePodSpec = {
  initContainers: [{ name: 'first' }, { name: 'side', restartPolicy: 'Always' }, { name: 'second' }],
  containers: [{ name: 'a' }, { name: 'b' }],
};
const plain: NodePodSpec = { containers: [{ name: 'a' }, { name: 'b' }] };

describe('what a pod needs next', () => {
  it('is its init containers one after the other, a sidecar as soon as it has started', () => {
    const next = (map: Record<string, ContainerRecord>): readonly string[] =>
      decide(spec, records(map), false, nowMs).start;
    expect(next({})).to.deep.equal(['first']);
    expect(next({ first: running() })).to.deep.equal([]);
    expect(next({ first: ended(0) })).to.deep.equal(['side']);
    expect(next({ first: ended(0), side: running({ started: false }) })).to.deep.equal([]);
    expect(next({ first: ended(0), side: running() })).to.deep.equal(['second']);
    const last = decide(spec, records({ first: ended(0), side: running(), second: ended(0) }), false, nowMs);
    expect(last).to.deep.include({ start: ['a', 'b'], initialized: true });
  });

  it('is a failed init container again, unless the pod is never restarted', () => {
    expect(decide(spec, records({ first: ended(1) }), false, nowMs).start).to.deep.equal(['first']);
    const never = { ...spec, restartPolicy: 'Never' };
    expect(decide(never, records({ first: ended(1) }), false, nowMs)).to.deep.include({
      start: [],
      finished: 'Failed',
    });
    expect(phaseOf(never, records({ first: ended(1) }), false)).to.equal('Failed');
  });

  it('is no init container again when one of the others ends, but a sidecar', () => {
    const decision = decide(spec, records({ side: ended(0), a: running(), b: ended(2) }), true, nowMs);
    expect(decision.start).to.deep.equal(['side', 'b']);
  });

  it('waits until a container may be started again', () => {
    const decision = decide(
      plain,
      records({ a: running(), b: ended(1, { notBeforeMs: 5000 }) }),
      true,
      nowMs,
    );
    expect(decision).to.deep.include({ start: [], wakeAtMs: 5000, finished: undefined });
  });

  for (const [policy, code, phase] of [
    ['Always', 0, 'Running'],
    ['OnFailure', 1, 'Running'],
    ['OnFailure', 0, 'Succeeded'],
    ['Never', 0, 'Succeeded'],
    ['Never', 1, 'Failed'],
  ] as const)
    it(`is ${phase} when all end with ${code} under restartPolicy ${policy}`, () => {
      const own = { ...plain, restartPolicy: policy };
      const map = records({ a: ended(0), b: ended(code) });
      expect(phaseOf(own, map, true)).to.equal(phase);
      const { finished } = decide(own, map, true, nowMs);
      expect(finished).to.equal(phase === 'Running' ? undefined : phase);
    });
});
