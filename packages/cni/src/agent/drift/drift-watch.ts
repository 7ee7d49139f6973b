import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';

export interface DriftWatchOptions {
  /** Captured pods, by UID. */
  readonly pods: () => Iterable<string>;
  readonly generations: {
    /** A text that changes with a pod's rules and routing, cheap to ask for; undefined where it cannot be told. */
    of(uid: string): string | undefined;
    /** Hears of changes in all pods, which costs no more than in one. */
    hear(): void;
    /** As `of`, of the moment of the last `hear`. */
    heard(uid: string): string | undefined;
    /** Forgets pods that are not captured any more. */
    prune(): void;
  };
  /** Compares a pod's rules with what they should be, and repairs them: some processes each. */
  readonly verify: (uid: string) => Promise<readonly string[]>;
  /** Between two looks at all pods, milliseconds. */
  readonly intervalMs: number;
  /** Every pod is compared at least so often, whatever its generation says, milliseconds. */
  readonly fullIntervalMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Seen {
  readonly generation: string | undefined;
  readonly verifiedAtMs: number;
}

/** Pods that are compared in one look: the rest has its turn in the next. */
const PER_LOOK = 20;

/**
 * Finds captured pods whose rules were changed by somebody else. Each look hears of changes, and compares rule by rule
 * only where there was one, or where that was not done for long.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  readonly #seen = new Map<string, Seen>();
  #timer: Disposable | undefined;
  #stopped = false;

  constructor(options: DriftWatchOptions) {
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

  /** A pod's rules have just been set: there is nothing to compare before they change. */
  noteSet(uid: string): void {
    const { generations, clock } = this.#options;
    this.#seen.set(uid, { generation: generations.of(uid), verifiedAtMs: clock.nowMs() });
  }

  /** One look at all pods; resolves when what was due has been compared. */
  async look(): Promise<void> {
    const { pods, generations, verify, clock, fullIntervalMs, log } = this.#options;
    generations.prune();
    generations.hear();
    const present = new Set(pods());
    for (const uid of this.#seen.keys()) if (!present.has(uid)) this.#seen.delete(uid);
    const nowMs = clock.nowMs();
    const due: { uid: string; verifiedAtMs: number }[] = [];
    for (const uid of present) {
      const seen = this.#seen.get(uid);
      const changed = seen === undefined || seen.generation !== generations.heard(uid);
      if (changed || nowMs - seen.verifiedAtMs >= fullIntervalMs)
        due.push({ uid, verifiedAtMs: changed ? 0 : seen.verifiedAtMs });
    }
    due.sort((a, b) => a.verifiedAtMs - b.verifiedAtMs);
    await Promise.all(
      due.slice(0, PER_LOOK).map(async ({ uid }) => {
        // Before the comparison: what changes while it goes on is a change again.
        const before = generations.of(uid);
        try {
          const drift = await verify(uid);
          const after = drift.length === 0 ? before : generations.of(uid);
          this.#seen.set(uid, { generation: after, verifiedAtMs: nowMs });
        } catch (error) {
          log.debug('a comparison of rules failed', { uid, error: describeError(error) });
        }
      }),
    );
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options;
    if (this.#stopped) return;
    this.#timer = clock.setTimer(intervalMs, () => void this.look().finally(() => this.#schedule()));
  }
}
