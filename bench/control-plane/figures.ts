import type { PodChange } from './programs/api.ts';
import type { Arrival } from './programs/streams.ts';

export interface ChangeFigures {
  /** From the request that changed the pod until the last client had it. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** Changes that came to all clients, a second from the first request to the last arrival. */
  readonly rate: number;
  /** Changes under way in the last third of the time, over those in the first third, on average. */
  readonly backlogGrowth: number;
}

/** @param clients that each change is to come to; one that has not come to all counts as never come */
export function figuresOfChanges(
  changes: readonly PodChange[],
  arrivals: readonly Arrival[],
  clients: number,
): ChangeFigures {
  const latencies = changes.map(({ sentMs }, i) => {
    const arrival = arrivals[i]!;
    return arrival.clients >= clients ? arrival.lastMs - sentMs : Infinity;
  });
  const came = latencies.filter(Number.isFinite).length;
  const sentMs = changes.map((change) => change.sentMs);
  const [firstMs, lastSentMs] = [Math.min(...sentMs), Math.max(...sentMs)];
  const lastMs = Math.max(lastSentMs, ...arrivals.map((arrival) => arrival.lastMs));
  const sorted = latencies.toSorted((a, b) => a - b);
  const third = Math.floor(changes.length / 3);
  return {
    latencyMs: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) },
    rate: (came * 1000) / Math.max(1, lastMs - firstMs),
    backlogGrowth:
      underWay(changes.slice(-third), latencies.slice(-third)) -
      underWay(changes.slice(0, third), latencies.slice(0, third)),
  };
}

/** The value that so large a part does not exceed. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

/** How many are under way at a time: how often they come, times how long they take (Little's law). */
function underWay(changes: readonly PodChange[], latencies: readonly number[]): number {
  if (changes.length < 2) return 0;
  const spanMs = changes.at(-1)!.sentMs - changes[0]!.sentMs;
  const meanMs = latencies.reduce((sum, each) => sum + each, 0) / latencies.length;
  return (meanMs * (changes.length - 1)) / spanMs;
}
