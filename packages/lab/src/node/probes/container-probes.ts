import type { Clock } from '@ambient/runtime';

import type { Probe } from '../../objects/pod.ts';
import { ProbeTally } from './probe-tally.ts';
import type { ProbeOutcome } from './send-probe.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ContainerProbesOptions {
  readonly startup: Probe | undefined;
  readonly liveness: Probe | undefined;
  readonly readiness: Probe | undefined;
  readonly clock: Clock;
  readonly send: (probe: Probe, timeoutMs: number) => Promise<ProbeOutcome>;
  readonly onStarted: () => void;
  readonly onReady: (ready: boolean) => void;
  /** A start-up or liveness probe has failed for good: the container is to be ended. */
  readonly onFatal: (kind: ProbeKind, probe: Probe) => void;
  /** Each attempt that failed. */
  readonly onFailure: (kind: ProbeKind, message: string) => void;
}

/** Time between looks at a container that has not been found well yet; shorter than a kubelet's, for a quick start. */
const earlyLookMs = 300;

/**
 * The probes of one run of a container: liveness and readiness wait for the start-up probe. A container without a start-up probe
 * has started at once, one without a readiness probe is ready as soon as it has started. Until the first success, start-up and
 * readiness are looked at more often than the period says; what fails in between is not counted.
 */
export class ContainerProbes implements Disposable {
  readonly #options: ContainerProbesOptions;
  readonly #timers = new Set<Disposable>();
  readonly #startedMs: number;
  #stopped = false;

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
  }

  start(): void {
    const { startup, onFatal } = this.#options;
    if (startup === undefined) this.#started();
    else
      this.#repeat('startup', startup, (result) => {
        if (result === 'failed') onFatal('startup', startup);
        else this.#started();
        return 'end';
      });
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #started(): void {
    const { liveness, readiness, onStarted, onReady, onFatal } = this.#options;
    onStarted();
    if (readiness === undefined) onReady(true);
    else
      this.#repeat('readiness', readiness, (result) => {
        onReady(result === 'passed');
        return 'go on';
      });
    if (liveness !== undefined)
      this.#repeat('liveness', liveness, (result) => {
        if (result === 'passed') return 'go on';
        onFatal('liveness', liveness);
        return 'end';
      });
  }

  #repeat(kind: ProbeKind, probe: Probe, act: (result: 'passed' | 'failed') => 'go on' | 'end'): void {
    const { clock, send, onFailure } = this.#options;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    const tally = new ProbeTally({
      success: probe.successThreshold ?? 1,
      failure: probe.failureThreshold ?? 3,
    });
    let early = kind !== 'liveness';
    let dueMs = Math.max(clock.nowMs(), this.#startedMs + (probe.initialDelaySeconds ?? 0) * 1000);
    const attempt = async (): Promise<void> => {
      const atMs = clock.nowMs();
      const due = atMs >= dueMs;
      const { success, message } = await send(probe, timeoutMs);
      if (this.#stopped) return;
      if (success) early = false;
      if (due || success) {
        dueMs = atMs + periodMs;
        if (!success) onFailure(kind, message);
        const result = tally.add(success);
        if (result !== undefined && act(result) === 'end') return;
        // What follows from the result may have ended the container.
        if (this.#isStopped()) return;
      }
      const nextMs = early ? Math.min(dueMs, atMs + earlyLookMs) : dueMs;
      this.#after(Math.max(0, nextMs - clock.nowMs()), attempt);
    };
    this.#after(dueMs - clock.nowMs(), attempt);
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #after(ms: number, act: () => Promise<void>): void {
    const timer = this.#options.clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      void act();
    });
    this.#timers.add(timer);
  }
}
