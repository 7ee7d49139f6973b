import { realClock } from '@ambient/runtime';

/** How often somebody who only answers questions is asked. */
const askEveryMs = 20;

/**
 * Asks until there is an answer.
 *
 * @throws Error naming `what` if there is none within `deadlineMs`
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  deadlineMs = 15_000,
): Promise<T> {
  const endMs = realClock.nowMs() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (realClock.nowMs() > endMs) throw new Error(`no ${what} within ${deadlineMs} ms`);
    await new Promise<void>((resolve) => void realClock.setTimer(askEveryMs, resolve));
  }
}
