import { realClock } from '@ambient/runtime';

const ASK_EVERY_MS = 100;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void realClock.setTimer(ms, resolve));
}

/**
 * Asks until there is an answer; a question that fails is asked again.
 * @throws Error that names `what`, and what the last question failed of
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  deadlineMs = 60_000,
): Promise<T> {
  const endMs = realClock.nowMs() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    if (realClock.nowMs() > endMs)
      throw new Error(
        `no ${what} within ${deadlineMs} ms${cause === undefined ? '' : `: ${cause instanceof Error ? cause.message : '?'}`}`,
        {
          cause,
        },
      );
    await pause(ASK_EVERY_MS);
  }
}

/** Milliseconds that something took, and what came of it. */
export async function timed<T>(
  action: () => Promise<T>,
): Promise<{ readonly ms: number; readonly value: T }> {
  const startedMs = realClock.nowMs();
  const value = await action();
  return { ms: Math.round(realClock.nowMs() - startedMs), value };
}
