/** Every certificate that this node uses, fetched before it is needed and renewed before it ends. Main thread only. */
import { Backoff, RetryTimer } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import type { CertificateAuthority } from './certificate-authority.ts';
import { dumpState } from './certificate-state.ts';
import type { CertificateState, CertificateStateDump } from './certificate-state.ts';
import type { WorkloadCertificate } from './certificate.ts';
import { ClockSteps } from './clock-steps.ts';
import { FetchQueue } from './fetch-queue.ts';
import type { FetchPriority } from './fetch-queue.ts';
import { RootOverlap } from './root-overlap.ts';
import { formatSpiffe, internIdentity } from './spiffe.ts';
import type { Identity } from './spiffe.ts';

export interface CertificateCacheOptions {
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  /** Calls to the CA at a time; 8 if absent. */
  readonly concurrency?: number;
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number;
}

/** What listeners are told. */
export type CertificateEvent =
  | { readonly kind: 'available'; readonly identity: Identity; readonly certificate: WorkloadCertificate }
  | { readonly kind: 'unavailable'; readonly identity: Identity; readonly error: Error }
  /** A renewal failed while the certificate is still valid. */
  | {
      readonly kind: 'renewal-failed';
      readonly identity: Identity;
      readonly error: Error;
      readonly retryInMs: number;
    }
  | { readonly kind: 'dropped'; readonly identity: Identity };

export type CertificateListener = (event: CertificateEvent) => void;

/** There is no valid certificate for an identity now; `cause` is the last failure of the CA. */
export class CertificateUnavailableError extends Error {
  override readonly name = 'CertificateUnavailableError';
  readonly code: 'certificate-unavailable' | 'certificate-dropped';
  constructor(identity: Identity, code: CertificateUnavailableError['code'], cause?: Error) {
    super(
      code === 'certificate-dropped'
        ? `The last workload with identity ${formatSpiffe(identity)} left this node while its certificate was fetched.`
        : `No valid certificate for ${formatSpiffe(identity)}: ${cause?.message ?? 'the CA gave none'}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
  }
}

const retryInitialMs = 1000;
const retryMaxMs = 150_000;
const retryJitter = 0.2;
/** A renewal comes up to this share of half the lifetime early, so that a node's renewals spread out. */
const renewalJitter = 0.05;
/** A certificate that ends at once is not renewed in a tight loop. */
const shortestRenewalMs = 1000;
/** Timers wake at least this often. */
const longestNapMs = 3_600_000;

interface Waiter {
  readonly resolve: (certificate: WorkloadCertificate) => void;
  readonly reject: (error: Error) => void;
}

interface Entry {
  readonly identity: Identity;
  readonly key: string;
  state: CertificateState;
  readonly waiters: Waiter[];
  readonly roots: RootOverlap;
  readonly abort: AbortController;
  readonly retry: RetryTimer;
  /** While a renewal waits for its time. */
  renewal: Disposable | undefined;
  /** Unix time in milliseconds. */
  renewAtMs: number;
  rootChange: Disposable | undefined;
  /** Ends the state `available` with the certificate, should no renewal have come. */
  expiry: Disposable | undefined;
}

/**
 * Certificates by identity. An identity that was asked for stays until it is dropped; its certificate is renewed at
 * half its life, or of what is left of it if that is over when it comes. When renewal fails the valid certificate stays
 * in use, and the CA is asked again after 1 s, doubled up to 150 s, each by up to 20 % more or less.
 *
 * The roots of a certificate handed out here are those of its own reply and those of earlier replies whose leaves are
 * still valid, so that both sides of a root rotation trust each other while it lasts ({@link RootOverlap}).
 */
export class CertificateCache implements Disposable {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #ca: CertificateAuthority;
  readonly #queue: FetchQueue;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<CertificateListener>();
  /** While there are entries. */
  #steps: ClockSteps | undefined;

  constructor(options: CertificateCacheOptions) {
    this.#ca = options.ca;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#queue = new FetchQueue(options.concurrency ?? 8);
  }

  /**
   * The certificate of an identity, fetched if nobody asked for it before.
   *
   * Waits only while the first fetch runs. If that fails, those who wait fail with it, and later calls fail at once
   * until a retry succeeded, so that connections do not pile up before a CA that is down.
   *
   * @throws CertificateUnavailableError
   */
  request(identity: Identity, priority: FetchPriority = 'connection'): Promise<WorkloadCertificate> {
    const entry = this.#entry(identity, priority);
    const { state } = entry;
    // Somebody needs it now: a renewal that still waits for its turn goes first.
    this.#queue.promote(entry.key, priority);
    switch (state.kind) {
      case 'available':
        return state.certificate.expiredAt(this.#clock.nowMs())
          ? Promise.reject(expired(entry.identity, state.renewalError))
          : Promise.resolve(state.certificate);
      case 'unavailable':
        return Promise.reject(
          new CertificateUnavailableError(entry.identity, 'certificate-unavailable', state.error),
        );
      case 'initializing':
        return new Promise((resolve, reject) => entry.waiters.push({ resolve, reject }));
    }
  }

  /** Begins to hold certificates for these identities; nobody waits, and listeners hear the outcome. */
  prefetch(identities: Iterable<Identity>): void {
    for (const identity of identities) this.#entry(identity, 'prefetch');
  }

  /** The valid certificate of an identity, if there is one now. Fetches nothing. */
  current(identity: Identity): WorkloadCertificate | undefined {
    const state = this.state(identity);
    return state?.kind === 'available' ? state.certificate : undefined;
  }

  /** The state of an identity, undefined if it was never asked for or was dropped. */
  state(identity: Identity): CertificateState | undefined {
    const entry = this.#entries.get(formatSpiffe(identity));
    if (entry === undefined) return undefined;
    const { state } = entry;
    return state.kind === 'available' && state.certificate.expiredAt(this.#clock.nowMs())
      ? { kind: 'unavailable', error: expired(entry.identity, state.renewalError) }
      : state;
  }

  /** Every identity that is held, for the pages of the admin server. */
  dump(): CertificateStateDump[] {
    return Array.from(this.#entries.values(), ({ identity }) => dumpState(identity, this.state(identity)!));
  }

  /** Hears every change from now on; the caller disposes it. */
  onUpdate(listener: CertificateListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Forgets an identity: no workload of this node has it any more. Those who wait for it fail. */
  drop(identity: Identity): void {
    const entry = this.#entries.get(formatSpiffe(identity));
    if (entry === undefined) return;
    this.#forget(entry);
    this.#emit({ kind: 'dropped', identity: entry.identity });
  }

  /** What has made the CA fail may be over: those that wait for their next attempt are fetched now. */
  retryFailed(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.retry.waiting) continue;
      entry.retry.reset();
      this.#fetch(entry, entry.state.kind === 'available' ? 'renewal' : 'prefetch');
    }
  }

  /** Stops all fetches and timers. Listeners hear nothing more. */
  [Symbol.dispose](): void {
    this.#listeners.clear();
    for (const entry of this.#entries.values()) this.#forget(entry);
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#queue.remove(entry.key);
    entry.retry[Symbol.dispose]();
    entry.renewal?.[Symbol.dispose]();
    entry.rootChange?.[Symbol.dispose]();
    entry.expiry?.[Symbol.dispose]();
    if (this.#entries.size === 0) {
      this.#steps?.[Symbol.dispose]();
      this.#steps = undefined;
    }
    const error = new CertificateUnavailableError(entry.identity, 'certificate-dropped');
    entry.abort.abort(error);
    for (const { reject } of entry.waiters.splice(0)) reject(error);
  }

  #entry(identity: Identity, priority: FetchPriority): Entry {
    const key = formatSpiffe(identity);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const backoff = new Backoff({
      initialMs: retryInitialMs,
      maxMs: retryMaxMs,
      jitter: retryJitter,
      random: this.#random,
    });
    const entry: Entry = {
      identity: internIdentity(identity),
      key,
      state: { kind: 'initializing' },
      waiters: [],
      roots: new RootOverlap(),
      abort: new AbortController(),
      retry: new RetryTimer(this.#clock, backoff),
      renewal: undefined,
      renewAtMs: 0,
      rootChange: undefined,
      expiry: undefined,
    };
    this.#entries.set(key, entry);
    this.#steps ??= new ClockSteps({ clock: this.#clock, onStep: () => this.#clockWasSet() });
    this.#fetch(entry, priority);
    return entry;
  }

  #fetch(entry: Entry, priority: FetchPriority): void {
    this.#queue.add(entry.key, priority, async () => {
      try {
        const certificate = await this.#ca.fetch(entry.identity, entry.abort.signal);
        if (this.#holds(entry)) this.#accept(entry, certificate);
      } catch (error) {
        if (this.#holds(entry)) this.#fail(entry, asError(error));
      }
    });
  }

  /** False once the entry was dropped, even if the same identity is back as another entry. */
  #holds(entry: Entry): boolean {
    return this.#entries.get(entry.key) === entry;
  }

  #accept(entry: Entry, reply: WorkloadCertificate): void {
    const nowMs = this.#clock.nowMs();
    entry.roots.add(reply.rootsPem, reply.notAfterMs, nowMs);
    const certificate = reply.withRoots(entry.roots.list(nowMs));
    entry.retry.reset();
    entry.state = { kind: 'available', certificate, renewalError: undefined };
    // Where this clock is ahead of the CA's, a reply may be past its half life when it comes, as the next will be.
    const fromMs = reply.notBeforeMs + reply.notAfterMs > 2 * nowMs ? reply.notBeforeMs : nowMs;
    const halfLifeMs = (reply.notAfterMs - fromMs) / 2;
    const renewAtMs = fromMs + halfLifeMs * (1 - renewalJitter * this.#random());
    this.#renewAt(entry, Math.max(renewAtMs, nowMs + shortestRenewalMs));
    this.#watchRoots(entry);
    this.#watchExpiry(entry, reply.notAfterMs);
    for (const { resolve } of entry.waiters.splice(0)) resolve(certificate);
    this.#emit({ kind: 'available', identity: entry.identity, certificate });
  }

  #fail(entry: Entry, error: Error): void {
    const retryInMs = entry.retry.schedule(() => this.#fetch(entry, 'renewal'));
    const { state, identity } = entry;
    if (state.kind === 'available' && !state.certificate.expiredAt(this.#clock.nowMs())) {
      entry.state = { ...state, renewalError: error };
      this.#emit({ kind: 'renewal-failed', identity, error, retryInMs });
      return;
    }
    entry.expiry?.[Symbol.dispose]();
    entry.state = { kind: 'unavailable', error };
    const failure = new CertificateUnavailableError(identity, 'certificate-unavailable', error);
    for (const { reject } of entry.waiters.splice(0)) reject(failure);
    this.#emit({ kind: 'unavailable', identity, error: failure });
  }

  #renewAt(entry: Entry, dueMs: number): void {
    const nowMs = this.#clock.nowMs();
    entry.renewal?.[Symbol.dispose]();
    entry.renewAtMs = dueMs;
    entry.renewal = this.#clock.setTimer(Math.min(dueMs - nowMs, longestNapMs), () => {
      entry.renewal = undefined;
      if (this.#clock.nowMs() >= dueMs) this.#fetch(entry, 'renewal');
      else this.#renewAt(entry, dueMs);
    });
  }

  /** Sets all timers by the time that it is now. */
  #clockWasSet(): void {
    for (const entry of [...this.#entries.values()]) {
      const { state } = entry;
      if (entry.renewal !== undefined) this.#renewAt(entry, entry.renewAtMs);
      if (state.kind !== 'available') continue;
      this.#refreshRoots(entry);
      this.#watchRoots(entry);
      this.#watchExpiry(entry, state.certificate.notAfterMs);
    }
    // A CA whose certificate was not valid by the wrong time may be trusted now.
    this.retryFailed();
  }

  /** Tells listeners at the end of a certificate, and not only when the next renewal fails: that may be minutes later. */
  #watchExpiry(entry: Entry, notAfterMs: number): void {
    entry.expiry?.[Symbol.dispose]();
    const leftMs = Math.max(notAfterMs - this.#clock.nowMs(), 0);
    entry.expiry = this.#clock.setTimer(Math.min(leftMs + 1, longestNapMs), () => {
      entry.expiry = undefined;
      const { state, identity } = entry;
      if (state.kind !== 'available') return;
      if (!state.certificate.expiredAt(this.#clock.nowMs())) {
        this.#watchExpiry(entry, notAfterMs);
        return;
      }
      const error = expired(identity, state.renewalError);
      entry.state = { kind: 'unavailable', error: error.cause as Error };
      this.#emit({ kind: 'unavailable', identity, error });
    });
  }

  /** Takes out the roots of earlier replies as their leaves end. */
  #watchRoots(entry: Entry): void {
    entry.rootChange?.[Symbol.dispose]();
    entry.rootChange = undefined;
    const nowMs = this.#clock.nowMs();
    const changeMs = entry.roots.nextChangeMs(nowMs);
    if (changeMs === undefined) return;
    entry.rootChange = this.#clock.setTimer(Math.min(changeMs - nowMs, longestNapMs), () => {
      this.#refreshRoots(entry);
      this.#watchRoots(entry);
    });
  }

  #refreshRoots(entry: Entry): void {
    const { state } = entry;
    if (state.kind !== 'available') return;
    const rootsPem = entry.roots.list(this.#clock.nowMs());
    if (rootsPem.length === state.certificate.rootsPem.length) return;
    const certificate = state.certificate.withRoots(rootsPem);
    entry.state = { ...state, certificate };
    this.#emit({ kind: 'available', identity: entry.identity, certificate });
  }

  #emit(event: CertificateEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function expired(identity: Identity, renewalError: Error | undefined): CertificateUnavailableError {
  const cause =
    renewalError ?? new Error('it expired before the CA renewed it; is the clock of this node right?');
  return new CertificateUnavailableError(identity, 'certificate-unavailable', cause);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
