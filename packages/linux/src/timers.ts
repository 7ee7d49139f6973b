/**
 * A hashed timing wheel: setting and cancelling are O(1), whatever the number of timers, so that a deadline per
 * connection costs nothing when it never fires.
 */
const SLOTS = 1024;
const TICK_MS = 8;

/** Anything that wants to be told at a later time. A subclass or an object with `onTimer`. */
export class Timer {
  /** @internal */ deadlineMs = -1;
  /** @internal */ next: Timer | undefined;
  /** @internal */ previous: Timer | undefined;
  /** @internal */ slot = -1;
  /** @internal */ readonly fire: () => void;

  constructor(fire: () => void) {
    this.fire = fire;
  }

  /** True between `set` and the earlier of firing and cancelling. */
  get armed(): boolean {
    return this.slot >= 0;
  }
}

export class TimerWheel {
  readonly #slots: (Timer | undefined)[] = new Array<Timer | undefined>(SLOTS).fill(undefined);
  #count = 0;
  #cursorTick: number;
  /** No timer is due before this; may be early, never late. */
  #nextDueMs = Infinity;

  constructor(nowMs: number) {
    this.#cursorTick = Math.floor(nowMs / TICK_MS);
  }

  /** Number of armed timers. */
  get count(): number {
    return this.#count;
  }

  /** Arms or re-arms `timer` to fire no earlier than `nowMs + delayMs`, at most one tick (8 ms) late. */
  set(timer: Timer, nowMs: number, delayMs: number): void {
    this.cancel(timer);
    const deadlineMs = nowMs + Math.max(0, delayMs);
    const tick = Math.max(Math.ceil(deadlineMs / TICK_MS), this.#cursorTick + 1);
    const slot = tick % SLOTS;
    timer.deadlineMs = deadlineMs;
    timer.slot = slot;
    const head = this.#slots[slot];
    timer.next = head;
    if (head !== undefined) head.previous = timer;
    this.#slots[slot] = timer;
    this.#count++;
    const dueMs = tick * TICK_MS;
    if (dueMs < this.#nextDueMs) this.#nextDueMs = dueMs;
  }

  /** Does nothing when the timer is not armed. */
  cancel(timer: Timer): void {
    if (timer.slot < 0) return;
    if (timer.previous !== undefined) timer.previous.next = timer.next;
    else this.#slots[timer.slot] = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.next = timer.previous = undefined;
    timer.slot = -1;
    this.#count--;
  }

  /** Milliseconds to wait until something may be due: 0 when it is, Infinity when nothing is armed. */
  waitMs(nowMs: number): number {
    if (this.#count === 0) return Infinity;
    return Math.max(0, this.#nextDueMs - nowMs);
  }

  /** Fires all that are due at `nowMs`. A timer may arm and cancel timers, itself included, while it fires. */
  expire(nowMs: number, onFault: (error: unknown) => void): void {
    if (nowMs < this.#nextDueMs) return;
    const lastTick = Math.floor(nowMs / TICK_MS);
    const firstTick = Math.max(this.#cursorTick + 1, lastTick - SLOTS + 1);
    this.#cursorTick = lastTick;
    for (let tick = firstTick; tick <= lastTick; tick++) {
      let due: Timer[] | undefined;
      for (let timer = this.#slots[tick % SLOTS]; timer !== undefined; timer = timer.next)
        if (timer.deadlineMs <= nowMs) (due ??= []).push(timer);
      if (due === undefined) continue;
      for (const timer of due) {
        if (timer.slot < 0 || timer.deadlineMs > nowMs) continue; // an earlier one cancelled or re-armed it
        this.cancel(timer);
        try {
          timer.fire();
        } catch (error) {
          onFault(error);
        }
      }
    }
    this.#nextDueMs = this.#findNextDueMs();
  }

  #findNextDueMs(): number {
    if (this.#count === 0) return Infinity;
    for (let tick = this.#cursorTick + 1; tick <= this.#cursorTick + SLOTS; tick++)
      if (this.#slots[tick % SLOTS] !== undefined) return tick * TICK_MS;
    return Infinity;
  }
}
