import { sleep } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

/** Where a command works, and how it reports. */
export interface OperatorContext {
  readonly clock: Clock;
  /** One line of progress. */
  readonly say: (line: string) => void;
}

const lookEveryMs = 250;

/**
 * Looks again and again until there is something.
 *
 * @param look undefined: not yet
 * @param patienceMs milliseconds from now
 * @returns undefined if it did not come in time
 */
export async function waitUntil<T>(
  clock: Clock,
  patienceMs: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const endMs = clock.nowMs() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || clock.nowMs() >= endMs) return found;
    await sleep(clock, lookEveryMs);
  }
}
