import type { Http2Reason } from './errors.ts';

/**
 * How much a peer may ask of this side without moving data. Rates are counted over `windowMs`; a peer is cut off when it
 * passes one. What is in proportion to streams and data is never abuse, so a busy peer does not trip them.
 */
export interface AbuseLimits {
  /** Length of the window over which frames are counted, milliseconds. */
  readonly windowMs: number;
  /** Streams that may be cancelled before their answer, or fail by the peer's fault, whatever their share is. */
  readonly maxResets: number;
  /** Beyond `maxResets`: which share of the streams opened may end so, 0 to 1. */
  readonly maxResetShare: number;
  /** SETTINGS frames. */
  readonly maxSettings: number;
  /** Entries in one SETTINGS frame. */
  readonly maxSettingsEntries: number;
  /** PING frames, beyond one per frame of headers or data either way. */
  readonly maxPings: number;
  /** Frames that carry nothing and end nothing. */
  readonly maxEmptyFrames: number;
  /** WINDOW_UPDATE frames, beyond four per frame sent and one per 512 bytes sent. */
  readonly maxWindowUpdates: number;
  /** PRIORITY frames and frames of unknown type, beyond four per stream opened. */
  readonly maxPriorities: number;
  /** CONTINUATION frames of one header block. */
  readonly maxContinuations: number;
  /** Compressed bytes of one header block; beyond it the connection ends. */
  readonly maxHeaderBlockBytes: number;
  /** Bytes of control output that may wait while the peer asks for more. */
  readonly maxQueuedOutput: number;
}

/** Far above what proxies do to each other, and far below what costs a worker its time or memory. */
export const DEFAULT_ABUSE_LIMITS: AbuseLimits = {
  windowMs: 10_000,
  maxResets: 1000,
  maxResetShare: 0.5,
  maxSettings: 100,
  maxSettingsEntries: 64,
  maxPings: 1000,
  maxEmptyFrames: 1000,
  maxWindowUpdates: 10_000,
  maxPriorities: 2000,
  maxContinuations: 128,
  maxHeaderBlockBytes: 128 << 10,
  maxQueuedOutput: 1 << 20,
};

/** Counts what one peer does. Each method returns the reason to cut the peer off, or undefined. */
export class AbuseGuard {
  readonly limits: AbuseLimits;
  readonly #now: () => number;
  #windowStart: number;
  #resets = 0;
  #streams = 0;
  #settings = 0;
  #pings = 0;
  #emptyFrames = 0;
  #windowUpdates = 0;
  #priorities = 0;
  #framesMoved = 0;
  #framesSent = 0;
  #bytesSent = 0;

  constructor(limits: AbuseLimits, now: () => number) {
    this.limits = limits;
    this.#now = now;
    this.#windowStart = now();
  }

  /** A stream was opened by the peer or by us. */
  streamOpened(): void {
    this.#streams++;
    this.#framesMoved++;
  }

  /** A DATA frame with something in it came. */
  dataReceived(): void {
    this.#framesMoved++;
  }

  /** A DATA frame of `bytes` went out. */
  dataSent(bytes: number): void {
    this.#framesMoved++;
    this.#framesSent++;
    this.#bytesSent += bytes;
  }

  /** A header block went out. */
  headersSent(): void {
    this.#framesMoved++;
    this.#framesSent++;
  }

  /** The peer cancelled a stream before its answer, or made us reset one. */
  reset(): Http2Reason | undefined {
    this.#roll();
    this.#resets++;
    const limit = Math.max(this.limits.maxResets, this.#streams * this.limits.maxResetShare);
    return this.#resets > limit ? 'rapid-reset' : undefined;
  }

  settings(): Http2Reason | undefined {
    this.#roll();
    return ++this.#settings > this.limits.maxSettings ? 'settings-flood' : undefined;
  }

  /** A PING, or an answer to one, came. */
  ping(): Http2Reason | undefined {
    this.#roll();
    return ++this.#pings > this.limits.maxPings + this.#framesMoved ? 'ping-flood' : undefined;
  }

  emptyFrame(): Http2Reason | undefined {
    this.#roll();
    return ++this.#emptyFrames > this.limits.maxEmptyFrames ? 'empty-frame-flood' : undefined;
  }

  windowUpdate(): Http2Reason | undefined {
    if (++this.#windowUpdates <= this.limits.maxWindowUpdates) return undefined;
    // Frequent for a peer that reads much, so the clock is read only when the plain count is passed.
    this.#roll();
    const earned = this.#framesSent * 4 + this.#bytesSent / 512;
    return this.#windowUpdates > this.limits.maxWindowUpdates + earned ? 'window-update-flood' : undefined;
  }

  priority(): Http2Reason | undefined {
    this.#roll();
    const limit = this.limits.maxPriorities + this.#streams * 4;
    return ++this.#priorities > limit ? 'priority-flood' : undefined;
  }

  #roll(): void {
    const now = this.#now();
    if (now - this.#windowStart < this.limits.windowMs) return;
    this.#windowStart = now;
    this.#resets = 0;
    this.#streams = 0;
    this.#settings = 0;
    this.#pings = 0;
    this.#emptyFrames = 0;
    this.#windowUpdates = 0;
    this.#priorities = 0;
    this.#framesMoved = 0;
    this.#framesSent = 0;
    this.#bytesSent = 0;
  }
}
