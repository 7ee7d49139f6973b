import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import type { KubeClient } from './client.ts';
import { KubeStatusError } from './errors.ts';
import { claimed, heldByOther, observe, released } from './lease-record.ts';
import type { Lease, LeaseSpec, Observation } from './lease-record.ts';
import { builtInPath } from './built-in.ts';

/** Access to one Lease. `update` fails with status 409 if it has changed since it was read. */
export interface LeaseApi {
  get(timeoutMs: number): Promise<Lease | undefined>;
  create(spec: LeaseSpec, timeoutMs: number): Promise<Lease>;
  update(lease: Lease, spec: LeaseSpec, timeoutMs: number): Promise<Lease>;
}

export interface LeaderElectionOptions {
  readonly api: LeaseApi;
  /** Unique among the candidates: the name of the pod. */
  readonly identity: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Others wait so long after the last sign of the leader; 15 s if absent. Milliseconds. */
  readonly durationMs?: number;
  /** A leader that could not renew for so long stops leading, before others may begin; 10 s if absent. Milliseconds. */
  readonly renewDeadlineMs?: number;
  /** Between attempts; 2 s if absent. Milliseconds. */
  readonly retryMs?: number;
  readonly random?: () => number;
  readonly onStarted: () => void;
  /** Leadership was lost, or given back. */
  readonly onStopped: () => void;
}

/**
 * One candidate for the lead among replicas, by a Lease. At no time do two lead, as long as their clocks run at about the same
 * speed: what they show does not matter, since each measures by its own clock since when a record has not changed.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  #running = false;
  #leading = false;
  #observed: Observation | undefined;
  #timer: Disposable | undefined;
  #deadline: Disposable | undefined;
  #attempt: Promise<void> = Promise.resolve();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#durationMs = options.durationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2000;
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Who leads, as far as is known; '' if nobody. */
  get leader(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? '';
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#try();
  }

  /** Stops leading first, then gives the lease back, so that the next one need not wait. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#timer?.[Symbol.dispose]();
    const wasLeading = this.#leading;
    this.#stopLeading('shutting down');
    await this.#attempt;
    const observed = this.#observed;
    if (!wasLeading || observed?.lease.spec?.holderIdentity !== this.#options.identity) return;
    try {
      const spec = released(observed.lease.spec, this.#clock.nowMs());
      await this.#options.api.update(observed.lease, spec, this.#retryMs);
    } catch (error) {
      this.#options.log.info('the lease was not given back and runs out by itself', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #try(): void {
    const sentMs = this.#clock.nowMs();
    this.#attempt = this.#acquireOrRenew(sentMs).then(
      (acquired) => {
        const late = this.#clock.nowMs() - sentMs >= this.#renewDeadlineMs;
        if (acquired && !late) this.#acquired(sentMs);
        else if (!acquired) this.#stopLeading(`${this.leader || 'nobody'} holds the lease`);
      },
      (error: unknown) => {
        // While the deadline has not come, the lease is still ours.
        this.#options.log.log(this.#leading ? 'warn' : 'debug', 'cannot reach the lease', {
          error: error instanceof Error ? error.message : String(error),
        });
        if (isConflict(error)) this.#observed = undefined;
      },
    );
    void this.#attempt.then(() => {
      if (!this.#running) return;
      const { random = Math.random } = this.#options;
      const spread = this.#leading ? 1 : 1 + 0.2 * random();
      this.#timer = this.#clock.setTimer(this.#retryMs * spread, () => this.#try());
    });
  }

  /** @returns whether the lease is held. @throws what the API throws */
  async #acquireOrRenew(sentMs: number): Promise<boolean> {
    const { api, identity } = this.#options;
    const timeoutMs = this.#renewDeadlineMs / 2;
    // A leader knows its own record, and is told by a conflict if it is no longer so.
    if (!this.#leading || this.#observed === undefined) {
      const lease = await api.get(timeoutMs);
      if (lease === undefined) {
        const made = await api.create(claimed(undefined, identity, this.#durationMs, sentMs), timeoutMs);
        this.#observed = { lease: made, sinceMs: sentMs };
        return true;
      }
      this.#observed = observe(this.#observed, lease, this.#clock.nowMs());
      if (heldByOther(this.#observed, identity, this.#clock.nowMs())) return false;
    }
    const { lease } = this.#observed;
    const spec = claimed(lease.spec, identity, this.#durationMs, sentMs);
    this.#observed = { lease: await api.update(lease, spec, timeoutMs), sinceMs: sentMs };
    return true;
  }

  #acquired(sentMs: number): void {
    if (!this.#running) return;
    this.#deadline?.[Symbol.dispose]();
    const leftMs = this.#renewDeadlineMs - (this.#clock.nowMs() - sentMs);
    this.#deadline = this.#clock.setTimer(leftMs, () => this.#stopLeading('the lease could not be renewed'));
    if (this.#leading) return;
    this.#leading = true;
    this.#options.log.info('leading', { identity: this.#options.identity });
    this.#options.onStarted();
  }

  #stopLeading(reason: string): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = undefined;
    if (!this.#leading) return;
    this.#leading = false;
    this.#options.log.info('no longer leading', { identity: this.#options.identity, reason });
    this.#options.onStopped();
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeStatusError && error.status === 409;
}

/** A Lease of the API server. */
export class HttpLeaseApi implements LeaseApi {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #name: string;

  constructor(client: KubeClient, namespace: string, name: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
  }

  async get(timeoutMs: number): Promise<Lease | undefined> {
    try {
      return await this.#client.request<Lease>({ path: this.#path(this.#name), timeoutMs, retries: 0 });
    } catch (error) {
      if (error instanceof KubeStatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  create(spec: LeaseSpec, timeoutMs: number): Promise<Lease> {
    const metadata = { name: this.#name, namespace: this.#namespace };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    return this.#client.request({ method: 'POST', path: this.#path(), body, timeoutMs, retries: 0 });
  }

  update(lease: Lease, spec: LeaseSpec, timeoutMs: number): Promise<Lease> {
    const body = { ...lease, spec };
    return this.#client.request({
      method: 'PUT',
      path: this.#path(this.#name),
      body,
      timeoutMs,
      retries: 0,
    });
  }

  #path(name?: string): string {
    return builtInPath('Lease', this.#namespace, name);
  }
}
