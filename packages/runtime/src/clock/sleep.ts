import type { Clock } from './clock.ts';

/**
 * Waits, by a clock that tests can pause.
 *
 * @param ms milliseconds
 * @param signal ends the wait early, without an error; the timer is gone then
 */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const over = Promise.withResolvers<void>();
  using _timer = clock.setTimer(ms, over.resolve);
  const onAbort = (): void => over.resolve();
  signal?.addEventListener('abort', onAbort, { once: true });
  await over.promise;
  signal?.removeEventListener('abort', onAbort);
}
