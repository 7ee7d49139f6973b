import type { Clock } from '../clock/clock.ts';

/** What a part of the process does when the process is going to end. */
export interface DrainWatcher {
  /**
   * Accept nothing new and bring what is under way to its end; call `done` on the registration when that is achieved.
   *
   * @param deadlineAtMs Unix time in milliseconds at which `onForce` would be called
   */
  onDrain(deadlineAtMs: number): void;
  /** The deadline has passed: cut everything now. */
  onForce(): void;
}

/** A watcher's place in the drain. */
export interface DrainRegistration {
  /** This part has nothing left; harmless if repeated. Before a drain it simply takes the part off the list. */
  done(): void;
}

export type DrainOutcome = 'clean' | 'forced';

type DrainState =
  | { readonly kind: 'running' }
  | { readonly kind: 'draining'; readonly deadlineAtMs: number; readonly timer: Disposable }
  | { readonly kind: 'ended'; readonly outcome: DrainOutcome };

/**
 * The end of a process, or of one pod's listeners: `running`, then `draining` until every watcher is done or the
 * deadline passes, then `ended`, once and for all.
 */
export class Drain {
  readonly #clock: Clock;
  readonly #watchers = new Set<DrainWatcher>();
  readonly #finished = Promise.withResolvers<DrainOutcome>();
  #state: DrainState = { kind: 'running' };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get phase(): DrainState['kind'] {
    return this.#state.kind;
  }

  /** Settles when the drain has ended; never rejects. */
  get finished(): Promise<DrainOutcome> {
    return this.#finished.promise;
  }

  /** Registers a part. During a drain its `onDrain` is called at once, after the end its `onForce`. */
  watch(watcher: DrainWatcher): DrainRegistration {
    const state = this.#state;
    if (state.kind === 'ended') {
      watcher.onForce();
      return { done: () => {} };
    }
    this.#watchers.add(watcher);
    if (state.kind === 'draining') watcher.onDrain(state.deadlineAtMs);
    return {
      done: () => {
        this.#watchers.delete(watcher);
        this.#endIfClean();
      },
    };
  }

  /**
   * Starts the drain. A second call can only bring the deadline nearer, as an impatient operator wants it.
   *
   * @param deadlineMs milliseconds from now until the remaining watchers are forced; 0 forces at once
   */
  trigger(deadlineMs: number): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    const deadlineAtMs = this.#clock.nowMs() + deadlineMs;
    if (deadlineMs <= 0) {
      this.force();
      return;
    }
    if (state.kind === 'draining') {
      if (deadlineAtMs < state.deadlineAtMs) this.#startDeadline(deadlineAtMs);
      return;
    }
    this.#startDeadline(deadlineAtMs);
    for (const watcher of [...this.#watchers]) watcher.onDrain(deadlineAtMs);
    this.#endIfClean();
  }

  /** Cuts everything that is left, without waiting for the deadline. */
  force(): void {
    if (this.#state.kind === 'ended') return;
    const left = [...this.#watchers];
    this.#watchers.clear();
    this.#enter({ kind: 'ended', outcome: left.length === 0 ? 'clean' : 'forced' });
    for (const watcher of left) watcher.onForce();
  }

  #startDeadline(deadlineAtMs: number): void {
    const timer = this.#clock.setTimer(deadlineAtMs - this.#clock.nowMs(), () => this.force());
    this.#enter({ kind: 'draining', deadlineAtMs, timer });
  }

  #endIfClean(): void {
    if (this.#state.kind === 'draining' && this.#watchers.size === 0)
      this.#enter({ kind: 'ended', outcome: 'clean' });
  }

  /** The only place where the state changes. */
  #enter(next: DrainState): void {
    if (this.#state.kind === 'draining') this.#state.timer[Symbol.dispose]();
    this.#state = next;
    if (next.kind === 'ended') this.#finished.resolve(next.outcome);
  }
}
