/**
 * How long a container that ended waits for its next start. The steps are those of a kubelet divided by ten (which waits 10 s
 * to 5 min and forgets after 10 min), since in a lab somebody looks on.
 */
export const crashLoop = { firstMs: 1000, longestMs: 30_000, forgetMs: 60_000 } as const;

/** What is remembered of a container's ends in a row. */
export interface CrashHistory {
  readonly crashes: number;
}

export interface RestartDelay {
  readonly history: CrashHistory;
  /** Milliseconds from its end; 0 for the first time. */
  readonly delayMs: number;
}

/** @param ranMs how long the run lived that has ended, milliseconds */
export function restartDelay(history: CrashHistory, ranMs: number): RestartDelay {
  const crashes = ranMs >= crashLoop.forgetMs ? 0 : history.crashes;
  const delayMs = crashes === 0 ? 0 : Math.min(crashLoop.longestMs, crashLoop.firstMs * 2 ** (crashes - 1));
  return { history: { crashes: crashes + 1 }, delayMs };
}
