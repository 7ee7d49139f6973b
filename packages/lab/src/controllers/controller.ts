import type { Clock, Logger } from '@ambient/runtime';

import type { ClusterCache } from './cache/cluster-cache.ts';
import type { ClusterWriter } from './cache/cluster-writer.ts';
import type { EventSink } from '../events/event-recorder.ts';

/** What every controller works with. */
export interface ControllerContext {
  readonly cache: ClusterCache;
  readonly writer: ClusterWriter;
  readonly events: EventSink;
  readonly log: Logger;
  readonly clock: Clock;
}

/** One that runs from its construction, on a cache that is in step, until it is stopped. */
export interface Controller {
  /** Nothing is due or being done. */
  readonly idle: boolean;
  stop(): Promise<void>;
}
