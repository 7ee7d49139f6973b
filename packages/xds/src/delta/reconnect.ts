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
 * One difference: an immediate retry that gets nowhere (no response arrives before the next end) is followed by the growing
 * delay, so that a server that hangs up at once, or an unreadable root certificate, cannot spin the process.
 */
export class ReconnectDelay {
  #ms = initialMs;
  #progress = true;

  /** To be called when a stream brings its first response. */
  progressed(): void {
    this.#progress = true;
  }

  /**
   * The stream ended: cleanly (undefined) or with an error.
   *
   * @returns milliseconds to wait, and the reason for metrics
   */
  ended(error: XdsStreamError | undefined): { readonly waitMs: number; readonly reason: TerminationReason } {
    const progress = this.#progress;
    this.#progress = false;
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
