import { realClock } from '@ambient/runtime';

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void realClock.setTimer(ms, resolve));
}

/** Milliseconds that something took, and what came of it. */
export async function timed<T>(
  action: () => Promise<T>,
): Promise<{ readonly ms: number; readonly value: T }> {
  const startedMs = realClock.nowMs();
  const value = await action();
  return { ms: Math.round(realClock.nowMs() - startedMs), value };
}
