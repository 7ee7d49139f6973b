import type { Pod } from '@ambient/kube';
import type { NetworkNamespace } from '@ambient/linux';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { EventRecorder } from '../cluster/events.ts';
import type { PodStatusWriter } from '../cluster/pod-status.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { CapturedPod } from '../pods/captured-pod.ts';
import { OpenConnections } from './open-connections.ts';
import { PodCalls } from './pod-calls.ts';
import type { GapReport, ProofState } from './proof-watch.ts';
import { ProofWatch } from './proof-watch.ts';

export interface ProofsOptions {
  readonly pods: ReadonlyMap<string, CapturedPod>;
  /** The node's network namespace; undefined: the agent is in it. */
  readonly node: NetworkNamespace | undefined;
  readonly podObject: (uid: string) => Pod | undefined;
  readonly ztunnels: () => number;
  readonly repair: (uid: string, thorough: boolean) => Promise<void>;
  readonly status: Pick<PodStatusWriter, 'writeCondition'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: AgentMetrics;
  readonly intervalMs: number;
  readonly cutPlaintext: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the rest of the agent tells and asks. */
export interface Proofs extends AsyncDisposable {
  /** A pod's rules have been set. */
  captured(uid: string): void;
  ztunnelsChanged(): void;
  /** What is known of a pod, for its condition; waits a little for the first look. */
  stateOf(uid: string): Promise<ProofState | undefined>;
}

/** All calls of a pod together; they take less than a millisecond where all is well. */
const CALL_TIMEOUT_MS = 1000;
const FIRST_LOOK_MS = 100;
const CONNECTIONS_INTERVAL_MS = 60_000;

/** Proof of capture: calls, their repetition, and what is told of them. */
export function startProofs(options: ProofsOptions): Proofs {
  const { pods, node, metrics, events, status, podObject, clock, log, intervalMs } = options;
  const say = (uid: string, ...event: [Parameters<EventRecorder['record']>[1], string]): void => {
    const pod = podObject(uid);
    if (pod !== undefined) events.record(pod, ...event);
  };
  const connections = new OpenConnections({
    pods,
    cut: options.cutPlaintext,
    onCount: (count) => metrics.plaintextConnections(count),
    onCut: (count) => metrics.connectionsCut(count),
    onFound: (uid, note) => say(uid, 'AmbientPlaintextConnections', note),
    intervalMs: CONNECTIONS_INTERVAL_MS,
    clock,
    log,
  });
  const calls = new PodCalls({
    node,
    clock,
    timeoutMs: CALL_TIMEOUT_MS,
    onFault: (error) => log.error('a defect in a proof of capture', { error: describeError(error) }),
  });
  const tell = async (uid: string, state: ProofState): Promise<void> => {
    const pod = podObject(uid);
    try {
      if (pod !== undefined) await status.writeCondition(pod, state);
    } catch (error) {
      log.debug("a pod's condition cannot be written", { uid, error: describeError(error) });
    }
  };
  const watch = new ProofWatch({
    pods,
    calls,
    ztunnels: options.ztunnels,
    repair: options.repair,
    onState: (uid, state) => {
      if (state.status !== 'True')
        log.warn('it is not proven that a pod is captured', {
          uid,
          reason: state.reason,
          why: state.message,
        });
      void tell(uid, state);
    },
    onFirst: (uid) => connections.look(uid),
    onGap: (report, outcome) => {
      tellGap(report, outcome);
      if (outcome !== 'open') connections.look(report.uid, 'that were opened while the pod was not captured');
    },
    onCount: (counts) => metrics.proofs(counts),
    intervalMs,
    clock,
    random: Math.random,
    log,
  });
  const tellGap = (
    { uid, pod, verdict, lastedMs }: GapReport,
    outcome: 'repaired' | 'open' | 'over',
  ): void => {
    const { reason, message } = verdict;
    metrics.captureGap(reason, outcome);
    const fields = { pod, reason, why: message, lasted: `${lastedMs}ms` };
    if (outcome === 'open') {
      log.error('a captured pod goes past ztunnel, and setting its rules anew does not help', fields);
      say(
        uid,
        'AmbientCaptureGap',
        `${reason}: ${message}. Setting its rules anew does not help; it is tried again.`,
      );
    } else {
      log.warn('a gap in the capture of a pod is closed', fields);
      const when = outcome === 'over' ? 'is closed' : 'was repaired at once';
      say(uid, 'AmbientCaptureGapClosed', `A gap in the capture of the pod ${when} (${reason}: ${message}).`);
    }
  };
  watch.start();
  return {
    captured: (uid) => watch.touch(uid),
    ztunnelsChanged: () => watch.ztunnelsChanged(),
    stateOf: (uid) => watch.stateOf(uid, FIRST_LOOK_MS),
    async [Symbol.asyncDispose]() {
      watch.stop();
      connections.stop();
      await calls.close();
    },
  };
}
