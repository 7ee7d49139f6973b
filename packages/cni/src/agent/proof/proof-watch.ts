import type { NetworkNamespace } from '@ambient/linux';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { Family } from '../../rules/iptables-text.ts';
import type { CapturedPod } from '../pods/captured-pod.ts';
import type { Finding, ProofReason, Verdict } from './findings.ts';
import { judge } from './findings.ts';
import type { PodToProve } from './pod-calls.ts';

/** What is known of a pod now: the pod's condition says so. */
export interface ProofState {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: ProofReason;
  readonly message: string;
}

/** A gap that is over, or goes on although it was repaired. */
export interface GapReport {
  readonly uid: string;
  readonly pod: string;
  readonly verdict: Verdict;
  /** Since when it has been known, milliseconds. */
  readonly lastedMs: number;
}

export interface ProofWatchOptions {
  readonly pods: ReadonlyMap<string, CapturedPod>;
  readonly calls: {
    call(pod: PodToProve, only?: Family): Promise<readonly Finding[]>;
    taken(pod: PodToProve): readonly Finding[];
  };
  /** Ztunnels that are connected. */
  readonly ztunnels: () => number;
  /**
   * Captures a pod anew, which is captured already.
   * @param thorough ztunnel is to forget it first
   */
  readonly repair: (uid: string, thorough: boolean) => Promise<void>;
  /** What is known of a pod has changed. */
  readonly onState: (uid: string, state: ProofState) => void;
  /** The pod was looked at for the first time since it was captured, or since the agent has started. */
  readonly onFirst: (uid: string) => void;
  readonly onGap: (report: GapReport, outcome: 'repaired' | 'open' | 'over') => void;
  readonly onCount: (counts: Readonly<Record<Verdict['kind'], number>>) => void;
  /** Between two looks at a pod that is as it should be. */
  readonly intervalMs: number;
  readonly clock: Clock;
  /** In [0, 1): looks at many pods spread over the interval. */
  readonly random: () => number;
  readonly log: Logger;
}

interface Watched {
  readonly netns: NetworkNamespace;
  dueAtMs: number;
  looking: boolean;
  /** Told of something while it was looked at. */
  again: boolean;
  /** Something was done to the pod since the last look. */
  touched: boolean;
  first: boolean;
  verdict: Verdict | undefined;
  /** Looks in a row that found a gap. */
  failures: number;
  gapSinceMs: number | undefined;
  /** What the present gap was found as last, and how often it was repaired. */
  gap: Verdict | undefined;
  repairs: number;
  /** Why it could not be repaired the last time. */
  hindrance: string | undefined;
  /** Gaps of late, and when the last ended. */
  gaps: number;
  lastGapMs: number;
  looks: number;
  state: ProofState | undefined;
}

/** How often it is seen whether it is anybody's turn. */
const TICK_MS = 250;
/** All pods are gone through at least so often: some may be new. */
const WALK_MS = 1000;
const CONCURRENCY = 16;
/** Moments of an interval at which pods that are as they should be have their turn. */
const TURNS = 30;
/** One look that finds a gap may have met a change that is under way. */
const CONFIRM_MS = 300;
const AFTER_REPAIR_MS = 50;
const MIN_RETRY_MS = 1000;
/** Without a ztunnel, which may be replaced, a pod has so long before that is said. */
const ZTUNNEL_GRACE_MS = 10_000;
/** One that has just come is told of all pods first. */
const ZTUNNEL_SETTLES_MS = 5000;
/** Of a proxy that does not answer, one look in so many asks whether it does now, and looks are rarer. */
const SILENT_LOOKS = 10;
/** A pod with gap after gap does not count as captured before it has been so for a while, which doubles. */
const FIRST_HOLD_MS = 10_000;
const MAX_HOLD_MS = 300_000;
const GAPS_FORGOTTEN_MS = 600_000;
/** Gaps that are ztunnel's own. */
const startsAnew: readonly ProofReason[] = ['ZtunnelNotListening', 'WrongPod'];

/**
 * Makes sure, again and again, that traffic of captured pods reaches ztunnel. A gap is repaired, looked at again, and told if
 * it stays.
 */
export class ProofWatch {
  readonly #options: ProofWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #waiting = new Map<string, (() => void)[]>();
  /** Whose turn it was when all pods were gone through last, and who was touched since. */
  readonly #due = new Set<string>();
  /** When all pods have to be gone through again, because it is the turn of one of them. */
  #walkAtMs = 0;
  #answers: boolean | undefined;
  #ztunnelsChangedMs = -Infinity;
  #active = 0;
  #timer: Disposable | undefined;
  #stopped = false;
  #counts = '';

  constructor(options: ProofWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Something about the pod's capture has just been done: it is looked at now. */
  touch(uid: string): void {
    const watched = this.#watch(uid);
    if (watched === undefined) return;
    watched.dueAtMs = 0;
    watched.touched = true;
    if (watched.looking) watched.again = true;
    else {
      this.#due.add(uid);
      this.#lookAtDue();
    }
  }

  /** Ztunnels have come or gone: another one may answer. */
  ztunnelsChanged(): void {
    this.#answers = undefined;
    this.#ztunnelsChangedMs = this.#options.clock.nowMs();
    for (const watched of this.#watched.values())
      if (watched.verdict !== undefined && watched.verdict.kind !== 'proven') watched.dueAtMs = 0;
    this.#walkAtMs = 0;
  }

  /** What is known of a pod; waits for the first look at it, but no longer than that many milliseconds. */
  async stateOf(uid: string, withinMs: number): Promise<ProofState | undefined> {
    const watched = this.#watch(uid);
    if (watched === undefined || this.#stopped) return undefined;
    if (watched.state !== undefined) return watched.state;
    if (!watched.looking) this.touch(uid);
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(withinMs, resolve);
      const waiting = this.#waiting.get(uid) ?? [];
      waiting.push(() => {
        timer[Symbol.dispose]();
        resolve();
      });
      this.#waiting.set(uid, waiting);
    });
    return this.#watched.get(uid)?.state;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimer(TICK_MS, () => {
      if (this.#options.clock.nowMs() >= this.#walkAtMs) this.#findDue();
      this.#lookAtDue();
      this.#count();
      this.#schedule();
    });
  }

  /** The pod's entry, of its present namespace; undefined when there is nothing to look at yet. */
  #watch(uid: string): Watched | undefined {
    const record = this.#options.pods.get(uid);
    let watched = this.#watched.get(uid);
    if (record?.netns === undefined || record.capture === undefined || !record.complete) return undefined;
    if (watched?.netns === record.netns) return watched;
    watched = {
      netns: record.netns,
      dueAtMs: 0,
      looking: false,
      again: false,
      touched: false,
      first: true,
      verdict: undefined,
      failures: 0,
      gapSinceMs: undefined,
      gap: undefined,
      repairs: 0,
      hindrance: undefined,
      gaps: 0,
      lastGapMs: 0,
      looks: 0,
      state: undefined,
    };
    this.#watched.set(uid, watched);
    return watched;
  }

  /** Goes through all pods; looks themselves do not, since each is followed by another. */
  #findDue(): void {
    const { pods, clock } = this.#options;
    for (const uid of this.#watched.keys())
      if (!pods.has(uid)) {
        this.#watched.delete(uid);
        this.#release(uid);
      }
    const nowMs = clock.nowMs();
    this.#walkAtMs = nowMs + WALK_MS;
    for (const uid of pods.keys()) {
      const watched = this.#watch(uid);
      if (watched === undefined || watched.looking) continue;
      if (watched.dueAtMs <= nowMs) this.#due.add(uid);
      else this.#walkAtMs = Math.min(this.#walkAtMs, watched.dueAtMs);
    }
  }

  #lookAtDue(): void {
    if (this.#stopped) return;
    for (const uid of this.#due) {
      if (this.#active >= CONCURRENCY) return;
      this.#due.delete(uid);
      const watched = this.#watch(uid);
      if (watched === undefined || watched.looking) continue;
      this.#active++;
      watched.looking = true;
      watched.again = false;
      void this.#look(uid, watched).finally(() => {
        this.#active--;
        watched.looking = false;
        this.#walkAtMs = Math.min(this.#walkAtMs, watched.dueAtMs);
        if (watched.again) {
          watched.dueAtMs = 0;
          this.#due.add(uid);
        }
        this.#release(uid);
        this.#count();
        this.#lookAtDue();
      });
    }
  }

  async #look(uid: string, watched: Watched): Promise<void> {
    const { pods, clock, log, onFirst, random, intervalMs } = this.#options;
    const record = pods.get(uid)!;
    const pod = `${record.namespace}/${record.name}`;
    const { netns, addresses, capture } = record as CapturedPod & Pick<PodToProve, 'netns' | 'capture'>;
    // Spread over the interval, but some at a time: answers to several are waited for by fewer wake-ups, a fifth of a look's cost.
    const turnMs = intervalMs / TURNS;
    watched.dueAtMs = Math.ceil((clock.nowMs() + intervalMs * (0.75 + random() / 2)) / turnMs) * turnMs;
    try {
      const verdict = await this.#prove({ pod, netns, addresses, capture }, watched);
      if (this.#stopped || pods.get(uid)?.netns !== netns || this.#watched.get(uid) !== watched) return;
      watched.verdict = verdict;
      if (verdict.kind === 'gap') await this.#foundGap(uid, pod, watched, verdict);
      else this.#foundNoGap(uid, pod, watched, verdict);
      if (watched.first && verdict.kind === 'proven') {
        watched.first = false;
        onFirst(uid);
      }
    } catch (error) {
      log.debug('a proof of capture failed', { pod, error: describeError(error) });
      watched.dueAtMs = Math.min(watched.dueAtMs, clock.nowMs() + MIN_RETRY_MS);
    }
  }

  async #prove(pod: PodToProve, watched: Watched): Promise<Verdict> {
    const { calls, intervalMs, clock, ztunnels } = this.#options;
    // To a proxy that does not answer each call is a connection as any other, which it carries and logs.
    const look = watched.looks++;
    const quiet = this.#answers === false && look % SILENT_LOOKS !== 0;
    // One family after the other halves the cost; whatever was just set, or is in doubt, is looked at wholly.
    const settled = watched.verdict?.kind === 'proven' && !watched.touched;
    watched.touched = false;
    const only = settled ? (look % 2 === 0 ? 'v4' : 'v6') : undefined;
    const findings = quiet ? calls.taken(pod) : await calls.call(pod, only);
    if (findings.some(({ outcome }) => outcome === 'answered')) this.#answers = true;
    else if (this.#answers === undefined && findings.some(({ outcome }) => outcome === 'taken'))
      this.#answers = ztunnels() > 0 ? false : undefined;
    if (this.#answers === false) watched.dueAtMs = clock.nowMs() + intervalMs * SILENT_LOOKS;
    const judged = this.#answers === true ? findings : findings.filter(({ check }) => check === 'outbound');
    // One that has taken the call and is not connected hangs; its make shows when it is connected.
    return judge(judged, this.#answers === true || ztunnels() === 0);
  }

  #foundNoGap(uid: string, pod: string, watched: Watched, verdict: Verdict): void {
    const { clock, onGap } = this.#options;
    const nowMs = clock.nowMs();
    if (watched.gapSinceMs !== undefined && watched.repairs > 0) {
      const outcome = watched.repairs > 1 ? 'over' : 'repaired';
      onGap({ uid, pod, verdict: watched.gap!, lastedMs: nowMs - watched.gapSinceMs }, outcome);
      watched.gaps = nowMs - watched.lastGapMs > GAPS_FORGOTTEN_MS ? 1 : watched.gaps + 1;
      watched.lastGapMs = nowMs;
    }
    watched.gapSinceMs = undefined;
    watched.repairs = 0;
    watched.hindrance = undefined;
    // Once may be a busy machine.
    const repeated = verdict.kind === 'proven' || watched.failures > 0;
    watched.failures = 0;
    if (!repeated && watched.state !== undefined) {
      watched.failures = 1;
      watched.dueAtMs = nowMs + MIN_RETRY_MS;
      return;
    }
    const heldUntilMs = watched.lastGapMs + holdMs(watched.gaps);
    if (verdict.kind === 'proven' && watched.state?.status === 'False' && nowMs < heldUntilMs) {
      watched.dueAtMs = Math.min(watched.dueAtMs, heldUntilMs);
      return;
    }
    this.#tell(uid, watched, verdict.kind === 'proven' ? 'True' : 'Unknown', verdict);
  }

  async #foundGap(uid: string, pod: string, watched: Watched, verdict: Verdict): Promise<void> {
    const { clock, ztunnels, repair, onGap, log, intervalMs } = this.#options;
    const nowMs = clock.nowMs();
    watched.failures++;
    if (watched.failures === 1) {
      watched.dueAtMs = nowMs + CONFIRM_MS;
      return;
    }
    watched.gapSinceMs ??= nowMs;
    watched.gap = verdict;
    const lastedMs = nowMs - watched.gapSinceMs;
    const silent = ztunnels() === 0 || nowMs - this.#ztunnelsChangedMs < ZTUNNEL_SETTLES_MS;
    if (verdict.reason === 'ZtunnelNotListening' && silent) {
      watched.dueAtMs = nowMs + (ztunnels() === 0 ? ZTUNNEL_SETTLES_MS : MIN_RETRY_MS);
      const message = 'no ztunnel of this node is connected: what the pod opens fails';
      if (lastedMs >= ZTUNNEL_GRACE_MS)
        this.#tell(uid, watched, 'False', { ...verdict, reason: 'ZtunnelNotConnected', message });
      return;
    }
    const repeated = watched.repairs > 0;
    const told = withHindrance(verdict, watched.hindrance);
    if (watched.repairs === 1) onGap({ uid, pod, verdict: told, lastedMs }, 'open');
    if (repeated) this.#tell(uid, watched, 'False', told);
    const waitMs = Math.min(AFTER_REPAIR_MS * 4 ** watched.repairs, Math.max(intervalMs, MIN_RETRY_MS));
    watched.repairs++;
    try {
      // ztunnel takes what it has already for done: where it does not listen, it has to begin anew.
      await repair(uid, repeated && startsAnew.includes(verdict.reason));
      watched.hindrance = undefined;
    } catch (error) {
      watched.hindrance = describeError(error);
      log.warn('a gap of capture cannot be repaired; it is tried again', {
        pod,
        error: describeError(error),
      });
    }
    watched.dueAtMs = clock.nowMs() + waitMs;
    watched.again = false;
  }

  #tell(uid: string, watched: Watched, status: ProofState['status'], { reason, message }: Verdict): void {
    const before = watched.state;
    watched.state = { status, reason, message };
    if (before?.status !== status || before.reason !== reason) this.#options.onState(uid, watched.state);
  }

  #release(uid: string): void {
    for (const resolve of this.#waiting.get(uid) ?? []) resolve();
    this.#waiting.delete(uid);
  }

  #count(): void {
    const counts = { proven: 0, gap: 0, unproven: 0 };
    for (const { verdict, failures } of this.#watched.values())
      if (verdict !== undefined) counts[verdict.kind === 'gap' && failures < 2 ? 'unproven' : verdict.kind]++;
    const text = JSON.stringify(counts);
    if (text === this.#counts) return;
    this.#counts = text;
    this.#options.onCount(counts);
  }
}

/** What keeps a gap open says more about its cause than where a call has ended. */
function withHindrance(verdict: Verdict, hindrance: string | undefined): Verdict {
  return hindrance === undefined ? verdict : { ...verdict, message: `${verdict.message}. ${hindrance}` };
}

/** How long a pod must be as it should be after that many gaps in a short time. */
function holdMs(gaps: number): number {
  return gaps <= 1 ? 0 : Math.min(FIRST_HOLD_MS * 2 ** (gaps - 2), MAX_HOLD_MS);
}
