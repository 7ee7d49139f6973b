import type { Clock } from '@ambient/runtime';
import type { XdsStreamError } from '../errors.ts';

/** Label `reason` of istio_xds_connection_terminations_total. */
export type TerminationReason = 'ConnectionError' | 'Reconnect' | 'Error' | 'Complete';

const initialMs = 10;
const maxMs = 15_000;
const unknown = 2;
const cancelled = 1;
const deadlineExceeded = 4;
const unavailable = 14;

/**
 * How long to wait before the next stream, as Istio's ztunnel does it: a failed connect or an error status doubles the delay
 * from 20 ms to 15 s; a status that says "come again" waits 10 ms; a clean end or an error on this side waits not at all.
 *
 * Two differences. An immediate retry that gets nowhere (no response arrives before the next end) is followed by the growing
 * delay, so that a server that hangs up at once, or an unreadable root certificate, cannot spin the process. And a stream that
 * has served for as long as the longest delay starts over, however it ends: a control plane that is killed ends it with an
 * error status, and each such end would add to the failures of hours ago.
 */
export class ReconnectDelay {
  readonly #clock: Clock;
  #ms = initialMs;
  #progress = true;
  /** When the stream that is open brought its first response; undefined while it has brought none. */
  #servedSinceMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called when a stream brings a response. */
  progressed(): void {
    this.#progress = true;
    this.#servedSinceMs ??= this.#clock.nowMs();
  }

  /**
   * The stream ended: cleanly (undefined) or with an error.
   *
   * @returns milliseconds to wait, and the reason for metrics
   */
  ended(error: XdsStreamError | undefined): { readonly waitMs: number; readonly reason: TerminationReason } {
    const progress = this.#progress;
    this.#progress = false;
    const since = this.#servedSinceMs;
    this.#servedSinceMs = undefined;
    if (since !== undefined && this.#clock.nowMs() - since >= maxMs) this.#ms = initialMs;
    if (error === undefined) return { waitMs: this.#immediate(progress), reason: 'Complete' };
    switch (error.code) {
      case 'XDS_SETUP':
        return { waitMs: this.#immediate(progress), reason: 'Error' };
      case 'XDS_CONNECT':
        return { waitMs: this.#grow(), reason: 'ConnectionError' };
      case 'XDS_STATUS':
        if (!asksToReconnect(error)) return { waitMs: this.#grow(), reason: 'Error' };
        this.#ms = initialMs;
        return { waitMs: initialMs, reason: 'Reconnect' };
    }
  }

  #grow(): number {
    this.#ms = Math.min(maxMs, this.#ms * 2);
    return this.#ms;
  }

  #immediate(progress: boolean): number {
    if (!progress) return this.#grow();
    this.#ms = initialMs;
    return 0;
  }
}

function asksToReconnect(error: XdsStreamError): boolean {
  switch (error.status) {
    case unknown:
    case cancelled:
    case deadlineExceeded:
      return true;
    case unavailable:
      return (
        error.details.includes('transport is closing') || error.details.includes('received prior goaway')
      );
    default:
      return false;
  }
}
