import type { Http2Connection } from '@ambient/http';
import { WindowEstimate } from './window-estimate.ts';

/**
 * What a connection lets its peer send. The connection's window follows what has come, the streams' windows what was
 * handed on: a tunnel whose application does not read holds up itself only. Where many do not read, what is held for them
 * reaches a limit, from which on the connection's window follows what is handed on as well.
 */
export class ReceiveCredit<T> {
  readonly #http2: Http2Connection<T>;
  readonly #estimate: WindowEstimate;
  readonly #maxHeldBytes: number;
  #held = 0;
  #owed = 0;

  /** @param maxHeldBytes received and not handed on, over all tunnels, beyond which the peer has to wait */
  constructor(http2: Http2Connection<T>, windowBytes: number, maxHeldBytes: number, nowMs: number) {
    this.#http2 = http2;
    this.#estimate = new WindowEstimate(windowBytes, nowMs);
    this.#maxHeldBytes = maxHeldBytes;
  }

  onRoundTrip(milliseconds: number): void {
    this.#estimate.onRoundTrip(milliseconds);
  }

  /** Bytes have come for a tunnel. */
  onReceived(bytes: number, nowMs: number): void {
    this.#held += bytes;
    this.#owed += bytes;
    if (this.#held <= this.#maxHeldBytes) this.#pay();
    if (this.#estimate.onReceived(bytes, nowMs)) this.#http2.setConnectionWindow(this.#estimate.windowBytes);
  }

  /** Bytes have been handed on, or their tunnel is gone. */
  onHandedOn(bytes: number): void {
    this.#held -= bytes;
    if (this.#owed > 0 && this.#held <= this.#maxHeldBytes) this.#pay();
  }

  #pay(): void {
    this.#http2.releaseConnectionWindow(this.#owed);
    this.#owed = 0;
  }
}
