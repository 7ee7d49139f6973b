import { MAX_31_BITS } from './frame.ts';
import type { Http2Stream } from './stream.ts';

/** A stream that sent no more than this since the last grant is taken for one that talks, not one that carries bulk. */
const SMALL_TALK_BYTES = 64 << 10;

/** Below this a connection window is too small to hold something back from it. */
const RESERVE_FROM = 1 << 20;

/** Least share of a grant, so that many waiting streams do not cut it into crumbs. */
const LEAST_SHARE = 16 << 10;

/**
 * The peer's connection window, and who may use it.
 *
 * Streams that find it empty wait in a ring. A grant is shared: each in turn gets an equal part first, and what is left
 * goes round again. A sixteenth of a large window is kept from streams that carry bulk, so that a small exchange beside
 * them need not wait for the next grant. Nothing is scanned when nobody waits.
 *
 * What is kept back must not stop the bulk for good: a peer need not grant anything while there is something left, and one
 * that fills its window up to less than before does not. So the peer is probed in each grant in which bulk meets the
 * reserve: what it grants for the bytes that it has got comes ahead of its answer. If nothing came, the reserve is given
 * up; if something came and bulk still waits, that is another grant.
 */
export class SendWindow<T> {
  #available: number;
  /** Largest that it has been: what the peer gives at most. */
  #peak: number;
  #reserve = 0;
  #grant = 0;
  /** Grant at whose end the peer was asked whether another is coming. */
  #probedGrant = -1;
  #share = MAX_31_BITS;
  #serving = false;
  #head: Http2Stream<T> | undefined;
  #tail: Http2Stream<T> | undefined;
  #waiting = 0;

  constructor(initial: number) {
    this.#available = initial;
    this.#peak = initial;
  }

  /** Bytes left; never negative. */
  get available(): number {
    return this.#available;
  }

  /** Streams that wait for it. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes that `stream` may take now. */
  allowance(stream: Http2Stream<T>): number {
    let bytes = this.#available;
    const sent = stream.grant === this.#grant ? stream.sentInGrant : 0;
    if (sent >= SMALL_TALK_BYTES) bytes -= this.#reserve;
    if (this.#serving && bytes > this.#share) bytes = this.#share;
    return bytes > 0 ? bytes : 0;
  }

  take(stream: Http2Stream<T>, bytes: number): void {
    this.#available -= bytes;
    if (stream.grant !== this.#grant) {
      stream.grant = this.#grant;
      stream.sentInGrant = 0;
    }
    stream.sentInGrant += bytes;
    if (this.#serving) this.#share -= bytes;
  }

  /** Adds what the peer granted; false when it passes 2^31-1. */
  grow(bytes: number): boolean {
    if (this.#available + bytes > MAX_31_BITS) return false;
    this.#available += bytes;
    this.#grant++;
    if (this.#available > this.#peak) {
      this.#peak = this.#available;
      this.#reserve = this.#peak < RESERVE_FROM ? 0 : this.#peak >>> 4;
    }
    return true;
  }

  /** Whether bulk waits for what is kept from it and the peer should be probed: true once in a grant. */
  takeProbe(): boolean {
    if (this.#waiting === 0 || this.#probedGrant === this.#grant) return false;
    if (this.#available === 0 || this.#available > this.#reserve) return false;
    this.#probedGrant = this.#grant;
    return true;
  }

  /** The peer has answered a probe. @returns true when it has granted nothing since: what was kept back may go */
  onProbeAnswered(): boolean {
    if (this.#probedGrant !== this.#grant || this.#reserve === 0) return false;
    this.#reserve = 0;
    this.#peak = 0; // the next grant shows how large the window is now
    return true;
  }

  /** Puts `stream` at the end of the ring, if it is not in it. */
  wait(stream: Http2Stream<T>): void {
    if (stream.waiting) return;
    stream.waiting = true;
    stream.previousWaiting = this.#tail;
    if (this.#tail === undefined) this.#head = stream;
    else this.#tail.nextWaiting = stream;
    this.#tail = stream;
    this.#waiting++;
  }

  /** Takes `stream` out of the ring, if it is in it. */
  leave(stream: Http2Stream<T>): void {
    if (!stream.waiting) return;
    const previous = stream.previousWaiting;
    const next = stream.nextWaiting;
    if (previous === undefined) this.#head = next;
    else previous.nextWaiting = next;
    if (next === undefined) this.#tail = previous;
    else next.previousWaiting = previous;
    stream.previousWaiting = undefined;
    stream.nextWaiting = undefined;
    stream.waiting = false;
    this.#waiting--;
  }

  /**
   * Calls the streams that wait, in turn, for as long as there is something to share.
   *
   * A stream that is called and sends nothing leaves the ring, and one that sends goes to its end, so this ends.
   */
  serve(call: (stream: Http2Stream<T>) => void): void {
    if (this.#serving) return; // a grant within a call: the outer round sees it
    this.#serving = true;
    let turns = 0;
    let share = 0;
    while (this.#head !== undefined && this.#available > this.#reserve) {
      if (turns === 0) {
        turns = this.#waiting;
        share = Math.max(LEAST_SHARE, Math.floor((this.#available - this.#reserve) / turns));
      }
      turns--;
      this.#share = share;
      const stream = this.#head;
      this.leave(stream);
      call(stream);
    }
    this.#serving = false;
  }
}
