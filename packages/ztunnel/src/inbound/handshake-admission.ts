import { HboneError } from '@ambient/hbone';
import type { Reactor } from '@ambient/linux';
import { Timer } from '@ambient/linux';

/** Unfinished handshakes that one pod may have in one worker. */
const MAX_HALF_OPEN = 256;
/** A peer that has not finished within this makes room for those who wait. Handshakes take milliseconds. */
const PATIENCE_MS = 1000;

/** A connection that was accepted and cannot carry anything yet. */
export interface HalfOpen {
  /** Ends it to make room; `finish` must follow. */
  cut: (error: HboneError) => void;
  /** It can now, or has ended. */
  finish(): void;
}

interface Place extends HalfOpen {
  readonly sinceMs: number;
}

/**
 * Bounds the handshakes that one pod has under way. When all places are taken the rest wait in the kernel; if the oldest does
 * not get on meanwhile, it is cut, so that silent peers cannot keep others out.
 */
export class HandshakeAdmission {
  readonly #reactor: Reactor;
  readonly #gate: { hold(): void; release(): void };
  readonly #max: number;
  /** Oldest first. */
  readonly #places = new Set<Place>();
  readonly #patience = new Timer(() => {
    this.#cutSilent();
  });

  /** @param gate the listener */
  constructor(reactor: Reactor, gate: { hold(): void; release(): void }, max = MAX_HALF_OPEN) {
    this.#reactor = reactor;
    this.#gate = gate;
    this.#max = max;
  }

  /** Handshakes under way. */
  get size(): number {
    return this.#places.size;
  }

  /** A connection was accepted. @param cut ends it to make room; `finish` must follow */
  begin(cut: (error: HboneError) => void): HalfOpen {
    const place: Place = {
      sinceMs: this.#reactor.nowMs,
      cut,
      finish: () => {
        if (!this.#places.delete(place) || this.#places.size >= this.#max) return;
        this.#reactor.cancelTimer(this.#patience);
        this.#gate.release();
      },
    };
    this.#places.add(place);
    if (this.#places.size >= this.#max) {
      this.#gate.hold();
      if (!this.#patience.armed) this.#watch();
    }
    return place;
  }

  #watch(): void {
    for (const oldest of this.#places) {
      const leftMs = oldest.sinceMs + PATIENCE_MS - this.#reactor.nowMs;
      this.#reactor.setTimer(this.#patience, Math.max(0, leftMs));
      return;
    }
  }

  #cutSilent(): void {
    const text = `${this.#places.size} handshakes are under way`;
    for (const place of [...this.#places]) {
      if (this.#places.size < this.#max || this.#reactor.nowMs - place.sinceMs < PATIENCE_MS) break;
      place.cut(new HboneError('handshakes-crowded', text));
    }
    if (this.#places.size >= this.#max) this.#watch();
  }

  close(): void {
    this.#reactor.cancelTimer(this.#patience);
    this.#places.clear();
  }
}
