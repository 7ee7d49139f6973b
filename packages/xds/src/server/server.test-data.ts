import type { DeltaServerMetrics } from './session.ts';

/** Counts nothing. */
export const noMetrics: DeltaServerMetrics = {
  connections: () => {},
  pushed: () => {},
  pushLatency: () => {},
  rejected: () => {},
  refused: () => {},
};
