import { CaError } from '@ambient/identity';
import type { CertificateAuthority, Identity, WorkloadCertificate } from '@ambient/identity';
import { formatSpiffe } from '@ambient/identity/peer';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

export interface RestoringAuthorityOptions {
  readonly authority: CertificateAuthority;
  /** Certificates of the last process that are valid still, by SPIFFE id; asked for at the first need. */
  readonly restored: () => Promise<ReadonlyMap<string, WorkloadCertificate> | undefined>;
  /** How long the CA may take before a restored certificate is used, milliseconds. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The CA is not there. If it is, and refuses, then its word counts. */
const absences: ReadonlySet<string> = new Set(['ca-unreachable', 'ca-connect-timeout', 'ca-timeout']);

/**
 * A CA that has the certificates of the last process to fall back on: once for each identity, while the CA itself does not
 * answer. The cache renews what it gets from here as it renews any other.
 */
export class RestoringAuthority implements CertificateAuthority {
  readonly #options: RestoringAuthorityOptions;
  /** Identities that the CA has answered for, or that have been given theirs. */
  readonly #settled = new Set<string>();

  constructor(options: RestoringAuthorityOptions) {
    this.#options = options;
  }

  async fetch(identity: Identity, signal?: AbortSignal): Promise<WorkloadCertificate> {
    const { authority, clock, patienceMs } = this.#options;
    const spiffe = formatSpiffe(identity);
    if (this.#settled.has(spiffe)) return authority.fetch(identity, signal);
    const call = new AbortController();
    const given = signal === undefined ? call.signal : AbortSignal.any([signal, call.signal]);
    const answer = authority.fetch(identity, given);
    const patience = Promise.withResolvers<'late'>();
    const timer = clock.setTimer(patienceMs, () => patience.resolve('late'));
    try {
      const first = await Promise.race([answer, patience.promise]);
      if (first !== 'late') {
        this.#settled.add(spiffe);
        return first;
      }
      const restored = await this.#restore(spiffe, `the CA has not answered within ${patienceMs} ms`);
      if (restored === undefined) return await answer;
      answer.catch(() => undefined);
      call.abort();
      return restored;
    } catch (error) {
      if (!(error instanceof CaError && absences.has(error.code)) || signal?.aborted === true) throw error;
      const restored = await this.#restore(spiffe, describeError(error));
      if (restored === undefined) throw error;
      return restored;
    } finally {
      timer[Symbol.dispose]();
    }
  }

  close(): void {
    this.#options.authority.close();
  }

  async #restore(spiffe: string, reason: string): Promise<WorkloadCertificate | undefined> {
    const { restored, clock, log } = this.#options;
    const certificate = (await restored())?.get(spiffe);
    if (certificate === undefined || certificate.expiredAt(clock.nowMs())) return undefined;
    this.#settled.add(spiffe);
    log.warn('the certificate of the last process is used until the CA gives another', {
      identity: spiffe,
      expires: new Date(certificate.notAfterMs).toISOString(),
      error: reason,
    });
    return certificate;
  }
}
