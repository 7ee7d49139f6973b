import type { Clock } from '@ambient/runtime';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly perSecond: number;
  /** Who comes when so many wait is refused. */
  readonly maxWaiting: number;
}

interface Waiting {
  readonly admitted: () => void;
  left: boolean;
}

/** How much of a second's admissions may come at once. */
const burstSeconds = 0.1;

/** Lets newcomers in at a bounded rate, first come, first served, so that a storm of them does not starve who is in. */
export class Admission implements Disposable {
  readonly #options: AdmissionOptions;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number;
  #queue: Waiting[] = [];
  #waiting = 0;
  #timer: Disposable | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#burst = Math.max(1, options.perSecond * burstSeconds);
    this.#tokens = this.#burst;
    this.#filledAtMs = options.clock.nowMs();
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Calls back at once or when it is the newcomer's turn. Disposing what this returns gives the turn up.
   *
   * @returns undefined if too many wait
   */
  enter(admitted: () => void): Disposable | undefined {
    if (this.#waiting >= this.#options.maxWaiting) return undefined;
    const newcomer: Waiting = { admitted, left: false };
    this.#queue.push(newcomer);
    this.#waiting++;
    this.#serve();
    return {
      [Symbol.dispose]: () => {
        if (newcomer.left) return;
        newcomer.left = true;
        this.#waiting--;
      },
    };
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#queue = [];
    this.#waiting = 0;
  }

  #serve(): void {
    this.#fill();
    let served = 0;
    while (served < this.#queue.length && this.#tokens >= 1) {
      const newcomer = this.#queue[served++]!;
      if (newcomer.left) continue;
      newcomer.left = true;
      this.#waiting--;
      this.#tokens--;
      newcomer.admitted();
    }
    this.#queue.splice(0, served);
    if (this.#waiting === 0 || this.#timer !== undefined) return;
    const untilTokenMs = Math.ceil(((1 - this.#tokens) * 1000) / this.#options.perSecond);
    this.#timer = this.#options.clock.setTimer(Math.max(1, untilTokenMs), () => {
      this.#timer = undefined;
      this.#serve();
    });
  }

  #fill(): void {
    const nowMs = this.#options.clock.nowMs();
    // A clock that is set back brings nothing, and takes nothing.
    const passedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (passedMs * this.#options.perSecond) / 1000);
  }
}
