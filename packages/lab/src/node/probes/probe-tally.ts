export interface Thresholds {
  readonly success: number;
  readonly failure: number;
}

/** Counts a probe's results in a row until they amount to a change. Pure. */
export class ProbeTally {
  readonly #thresholds: Thresholds;
  #last: boolean | undefined;
  #inARow = 0;

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  /** @returns what the results amount to; undefined as long as there are too few of a kind */
  add(success: boolean): 'passed' | 'failed' | undefined {
    this.#inARow = success === this.#last ? this.#inARow + 1 : 1;
    this.#last = success;
    const { success: toPass, failure: toFail } = this.#thresholds;
    if (this.#inARow < (success ? toPass : toFail)) return undefined;
    return success ? 'passed' : 'failed';
  }
}
