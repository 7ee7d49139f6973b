import { setTimeout as pause } from 'node:timers/promises';

const lookMs = 20;

/**
 * Looks until a condition holds; for what other processes bring about.
 *
 * @param what for the error of a wait that was in vain; a function is asked at the end
 * @returns what the condition returned
 */
export async function waitFor<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  what: string | (() => string | Promise<string>),
  timeoutMs = 30_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs)
      throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : await what()}`);
    await pause(lookMs);
  }
}
