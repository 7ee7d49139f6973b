import { setTimeout as pause } from 'node:timers/promises';

/** Between the first looks; what takes longer is looked at less often, so that waiting does not keep a busy machine busy. */
const firstPauseMs = 5;
const lastPauseMs = 50;
const growth = 1.2;

type Condition<T> = () => T | undefined | false | Promise<T | undefined | false>;

/**
 * Looks until a condition holds; for what other processes bring about.
 *
 * @param what for the error of a wait that was in vain; a function is asked at the end
 * @returns what the condition returned
 */
export async function waitFor<T>(
  condition: Condition<T>,
  what: string | (() => string | Promise<string>),
  timeoutMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(lastPauseMs, pauseMs * growth)) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs)
      throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : await what()}`);
    await pause(pauseMs);
  }
}

/** As `waitFor`, but a condition that throws does not hold yet; what it threw last is in the error of a wait in vain. */
export function waitThroughFailures<T>(
  condition: Condition<T>,
  what: string,
  timeoutMs = 60_000,
): Promise<T> {
  let failure = '';
  const held = async (): Promise<T | undefined | false> => {
    try {
      const found = await condition();
      failure = '';
      return found;
    } catch (error) {
      failure = `: ${error instanceof Error ? error.message : String(error)}`;
      return undefined;
    }
  };
  return waitFor(held, () => `${what}${failure}`, timeoutMs);
}
