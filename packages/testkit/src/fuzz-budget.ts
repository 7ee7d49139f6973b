/** The part of fast-check's parameters that limits a property test. */
export interface FuzzBudget {
  /** Upper limit of the cases that are tried. */
  readonly numRuns: number;
  /** Time after which no further case is tried, milliseconds. */
  readonly interruptAfterTimeLimit: number;
  /** Running out of time is the plan, no failure. */
  readonly markInterruptAsFailure: false;
}

/** Short enough that a hundred properties do not make `npm test` slow. */
const usualMs = 500;
const usualRuns = 1000;

/**
 * How long a property test may search, for `fc.assert(property, fuzzBudget())`. Give such a test a title that holds
 * `[fuzz]`: `npm run fuzz` finds it by that, and sets FUZZ_SECONDS to let each property search for so long.
 *
 * @throws RangeError if FUZZ_SECONDS is set, but is no positive number
 */
export function fuzzBudget(fuzzSeconds: string | undefined = process.env['FUZZ_SECONDS']): FuzzBudget {
  if (fuzzSeconds === undefined)
    return { numRuns: usualRuns, interruptAfterTimeLimit: usualMs, markInterruptAsFailure: false };
  const seconds = Number(fuzzSeconds);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new RangeError(`FUZZ_SECONDS must be a positive number of seconds, not "${fuzzSeconds}"`);
  return { numRuns: 0x7fffffff, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false };
}
