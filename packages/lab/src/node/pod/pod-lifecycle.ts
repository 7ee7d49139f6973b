// What is to be done for a pod's containers next, from what they are now. Pure: the pod's worker acts on it.
import type { Container, NodePodSpec } from '../../objects/pod.ts';
import { isSidecar } from '../../objects/pod.ts';

export interface Terminated {
  readonly kind: 'terminated';
  readonly exitCode: number;
  /** Number of the signal that ended it. */
  readonly signal?: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly containerId: string;
}

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAtMs: number; readonly containerId: string }
  | Terminated;

/** One container over all of its runs. Unix times in milliseconds. */
export interface ContainerRecord {
  readonly state: ContainerState;
  readonly last: Terminated | undefined;
  readonly restarts: number;
  /** Its start-up probe has passed, or it has none and runs. */
  readonly started: boolean;
  readonly ready: boolean;
  /** Not started again before. */
  readonly notBeforeMs: number;
}

export const freshRecord: ContainerRecord = {
  state: { kind: 'waiting', reason: 'ContainerCreating' },
  last: undefined,
  restarts: 0,
  started: false,
  ready: false,
  notBeforeMs: 0,
};

export interface PodDecision {
  /** Containers to start now, in order. */
  readonly start: readonly string[];
  /** When something is to be started later; undefined if nothing is. */
  readonly wakeAtMs: number | undefined;
  /** All init containers have done what the others wait for. */
  readonly initialized: boolean;
  /** Nothing is to be started any more: what still runs (sidecars) is to be stopped. */
  readonly finished: 'Succeeded' | 'Failed' | undefined;
}

export type Records = ReadonlyMap<string, ContainerRecord>;

/**
 * @param initialized whether the init containers have succeeded in this sandbox before: they are not run twice
 * @param nowMs Unix time
 */
export function decide(
  spec: NodePodSpec,
  records: Records,
  initialized: boolean,
  nowMs: number,
): PodDecision {
  const plan = new Plan(nowMs);
  const policy = spec.restartPolicy ?? 'Always';
  const mainOver =
    initialized && spec.containers.every(({ name }) => isOver(recordOf(records, name).state, policy));
  if (mainOver) {
    const failed = spec.containers.some(({ name }) => exitCodeOf(recordOf(records, name).state) !== 0);
    return { ...plan.decision(true), finished: failed ? 'Failed' : 'Succeeded' };
  }
  for (const container of spec.initContainers ?? []) {
    const record = recordOf(records, container.name);
    if (isSidecar(container)) {
      if (record.state.kind !== 'running') plan.start(container, record);
      if (!initialized && !(record.state.kind === 'running' && record.started)) return plan.decision(false);
      continue;
    }
    if (initialized) continue;
    const { state } = record;
    if (state.kind === 'terminated' && state.exitCode === 0) continue;
    if (state.kind === 'terminated' && policy === 'Never') return { ...plan.nothing(), finished: 'Failed' };
    if (state.kind !== 'running') plan.start(container, record);
    return plan.decision(false);
  }
  for (const container of spec.containers) {
    const record = recordOf(records, container.name);
    if (record.state.kind !== 'running' && !isOver(record.state, policy)) plan.start(container, record);
  }
  return plan.decision(true);
}

/** `status.phase` (Pod lifecycle, "Pod phase"). */
export function phaseOf(spec: NodePodSpec, records: Records, initialized: boolean): string {
  if (!initialized) {
    const policy = spec.restartPolicy ?? 'Always';
    const failed = (spec.initContainers ?? []).some((container) => {
      const { state } = recordOf(records, container.name);
      return !isSidecar(container) && policy === 'Never' && (exitCodeOf(state) ?? 0) !== 0;
    });
    return failed ? 'Failed' : 'Pending';
  }
  const states = spec.containers.map(({ name }) => recordOf(records, name));
  const begun = states.every(({ state, last }) => state.kind !== 'waiting' || last !== undefined);
  if (!begun) return 'Pending';
  const policy = spec.restartPolicy ?? 'Always';
  if (!states.every(({ state }) => isOver(state, policy))) return 'Running';
  return states.every(({ state }) => exitCodeOf(state) === 0) ? 'Succeeded' : 'Failed';
}

export function recordOf(records: Records, name: string): ContainerRecord {
  return records.get(name) ?? freshRecord;
}

/** Ended, and not to be started again. */
function isOver(state: ContainerState, policy: string): boolean {
  if (state.kind !== 'terminated') return false;
  return policy === 'Never' || (policy === 'OnFailure' && state.exitCode === 0);
}

function exitCodeOf(state: ContainerState): number | undefined {
  return state.kind === 'terminated' ? state.exitCode : undefined;
}

class Plan {
  readonly #nowMs: number;
  readonly #start: string[] = [];
  #wakeAtMs: number | undefined;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  start({ name }: Container, { notBeforeMs }: ContainerRecord): void {
    if (notBeforeMs <= this.#nowMs) this.#start.push(name);
    else this.#wakeAtMs = Math.min(this.#wakeAtMs ?? Number.POSITIVE_INFINITY, notBeforeMs);
  }

  decision(initialized: boolean): PodDecision {
    return { start: this.#start, wakeAtMs: this.#wakeAtMs, initialized, finished: undefined };
  }

  nothing(): PodDecision {
    return { start: [], wakeAtMs: undefined, initialized: false, finished: undefined };
  }
}
