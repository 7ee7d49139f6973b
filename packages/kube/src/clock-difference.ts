import type { Clock, Logger } from '@ambient/runtime';

/** Certificates are made good for two minutes before their time; clocks that differ by less harm nobody. */
const toleratedMs = 60_000;

/**
 * Compares the clock of this machine with the API server's, which every answer tells (header Date, RFC 9110 section 6.6.1).
 * Certificates of a control plane whose clock is wrong are refused by proxies, so the log says it once, and once when it is over.
 */
export class ClockDifference {
  readonly #clock: Clock;
  readonly #log: Logger;
  #differs = false;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param date value of the header; one that is no date is passed over */
  observe(date: string | undefined): void {
    const serverMs = Date.parse(date ?? '');
    if (Number.isNaN(serverMs)) return;
    const aheadMs = this.#clock.nowMs() - serverMs;
    const differs = Math.abs(aheadMs) > toleratedMs;
    if (differs === this.#differs) return;
    this.#differs = differs;
    if (!differs) this.#log.info('the clocks of this machine and of the API server agree again');
    else
      this.#log.error('the clock of this machine differs from that of the API server', {
        ahead: `${Math.round(aheadMs / 1000)}s`,
        effect: 'proxies refuse certificates that are not valid yet, or not any more',
        remedy: 'set the clocks of the nodes by NTP',
      });
  }
}
