// `status` of a pod from what its containers are. Pure.
import { formatTime } from '@ambient/kube';
import type { Condition } from '@ambient/kube';

import type { ContainerRecord, Records, Terminated } from './pod-lifecycle.ts';
import { phaseOf, recordOf } from './pod-lifecycle.ts';
import type { Container, ContainerStatus, NodePod, PodStatus, TerminatedState } from '../../objects/pod.ts';
import { isSidecar } from '../../objects/pod.ts';

export interface StatusInput {
  readonly pod: NodePod;
  readonly records: Records;
  readonly initialized: boolean;
  readonly sandboxReady: boolean;
  /** IPv4 first; empty while the pod has no network. */
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly startTimeMs: number;
  /** Set when the node itself has ended the pod, as by its deadline. */
  readonly ended: { readonly reason: string; readonly message: string } | undefined;
  readonly nowMs: number;
}

/** What the node says of a pod; conditions of others are not in it. */
export function podStatus(input: StatusInput): PodStatus & Record<string, unknown> {
  const { pod, records, podIps, hostIps, ended } = input;
  const phase = ended === undefined ? phaseOf(pod.spec, records, input.initialized) : 'Failed';
  const statusOf = (container: Container): ContainerStatus =>
    containerStatus(container, recordOf(records, container.name), input.nowMs);
  return {
    phase,
    ...(ended ?? {}),
    startTime: formatTime(input.startTimeMs),
    ...(hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: podIps.map((ip) => ({ ip })) }),
    conditions: conditions(input, phase),
    ...(pod.spec.initContainers === undefined || pod.spec.initContainers.length === 0
      ? {}
      : { initContainerStatuses: pod.spec.initContainers.map(statusOf) }),
    containerStatuses: pod.spec.containers.map(statusOf),
  };
}

function containerStatus(container: Container, record: ContainerRecord, nowMs: number): ContainerStatus {
  const { state, restarts } = record;
  const waits = state.kind === 'terminated' && record.notBeforeMs > nowMs;
  const last = waits ? state : record.last;
  const image = container.image ?? '';
  const id = state.kind === 'waiting' ? last?.containerId : state.containerId;
  const running = state.kind === 'running';
  return {
    name: container.name,
    image,
    imageID: state.kind === 'waiting' && last === undefined ? '' : image,
    ready: record.ready,
    started: running && record.started,
    restartCount: restarts,
    ...(id === undefined || id === '' ? {} : { containerID: id }),
    state: waits ? { waiting: backingOff(container, record) } : shownState(record),
    lastState: last === undefined ? {} : { terminated: shownEnd(last) },
  };
}

function backingOff(
  { name }: Container,
  { state, notBeforeMs }: ContainerRecord,
): { reason: string; message: string } {
  const delayMs = state.kind === 'terminated' ? notBeforeMs - state.finishedAtMs : 0;
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${Math.round(delayMs / 1000)}s restarting failed container=${name}`,
  };
}

function shownState({ state }: ContainerRecord): ContainerStatus['state'] {
  switch (state.kind) {
    case 'waiting':
      return {
        waiting: {
          reason: state.reason,
          ...(state.message === undefined ? {} : { message: state.message }),
        },
      };
    case 'running':
      return { running: { startedAt: formatTime(state.startedAtMs) } };
    case 'terminated':
      return { terminated: shownEnd(state) };
  }
}

function shownEnd(end: Terminated): TerminatedState {
  return {
    exitCode: end.exitCode,
    ...(end.signal === undefined ? {} : { signal: end.signal }),
    reason: end.reason,
    ...(end.message === undefined ? {} : { message: end.message }),
    startedAt: formatTime(end.startedAtMs),
    finishedAt: formatTime(end.finishedAtMs),
    ...(end.containerId === '' ? {} : { containerID: end.containerId }),
  };
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

const yes: Verdict = { status: 'True' };
const completed: Verdict = { status: 'False', reason: 'PodCompleted' };

function conditions(input: StatusInput, phase: string): Condition[] {
  const { pod, records, initialized, sandboxReady } = input;
  const over = phase === 'Succeeded' || phase === 'Failed';
  const containers = containersReady(pod, records);
  const containersVerdict = phase === 'Succeeded' ? completed : over ? podFailed(containers) : containers;
  const known = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const gate = (pod.spec.readinessGates ?? []).find(
    ({ conditionType }) => known.get(conditionType)?.status !== 'True',
  );
  const ready: Verdict =
    containersVerdict.status === 'True' && gate !== undefined
      ? {
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: `corresponding condition of pod readiness gate ${JSON.stringify(gate.conditionType)} does not exist or is not True.`,
        }
      : containersVerdict;
  const verdicts: Readonly<Record<string, Verdict>> = {
    PodReadyToStartContainers: { status: sandboxReady ? 'True' : 'False' },
    Initialized: initialized
      ? phase === 'Succeeded'
        ? { ...yes, reason: 'PodCompleted' }
        : yes
      : incomplete(pod, records),
    Ready: ready,
    ContainersReady: containersVerdict,
  };
  return Object.entries(verdicts).map(([type, verdict]) => {
    const before = known.get(type);
    const since = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    return { type, ...verdict, lastTransitionTime: since ?? formatTime(input.nowMs) };
  });
}

function containersReady(pod: NodePod, records: Records): Verdict {
  const watched = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers];
  const unready = watched.map(({ name }) => name).filter((name) => !recordOf(records, name).ready);
  if (unready.length === 0) return yes;
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  };
}

function podFailed(verdict: Verdict): Verdict {
  return { ...verdict, status: 'False', reason: 'PodFailed' };
}

function incomplete(pod: NodePod, records: Records): Verdict {
  const names = (pod.spec.initContainers ?? [])
    .filter((container) => {
      const { state, started } = recordOf(records, container.name);
      return isSidecar(container) ? !started : !(state.kind === 'terminated' && state.exitCode === 0);
    })
    .map(({ name }) => name);
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names.join(' ')}]`,
  };
}
