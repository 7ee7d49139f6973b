import type { Http2Connection } from '@ambient/http';
import type { Carrier } from './light-traffic.ts';
import { LightTraffic } from './light-traffic.ts';
import { WindowEstimate } from './window-estimate.ts';

/**
 * What a connection lets its peer send. The connection's window follows what has come, the streams' windows what was
 * handed on: a tunnel whose application does not read holds up itself only. Where many do not read, what is held for them
 * reaches a limit, from which on the connection's window follows what is handed on as well.
 */
export class ReceiveCredit<T> {
  readonly #http2: Http2Connection<T>;
  readonly #estimate: WindowEstimate;
  readonly #light = new LightTraffic();
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

  /** Tunnels that carry little have received something lately. */
  lightTraffic(nowMs: number): boolean {
    return this.#light.isPresent(nowMs);
  }

  /** @param tunnel whose bytes have come; undefined when it is gone */
  onReceived(tunnel: Carrier | undefined, bytes: number, nowMs: number): void {
    if (tunnel !== undefined) this.#light.onBytes(tunnel, bytes, nowMs);
    this.#held += bytes;
    this.#owed += bytes;
    if (this.#held <= this.#maxHeldBytes) this.#pay();
    if (this.#estimate.onReceived(bytes, nowMs, this.#light.isPresent(nowMs)))
      this.#http2.setConnectionWindow(this.#estimate.windowBytes);
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
