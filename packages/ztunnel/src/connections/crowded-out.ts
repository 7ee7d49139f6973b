import type { SocketAddress } from '@ambient/linux';
import type { WorkerContext } from '../worker/context.ts';

/** Lines a second: who opens connections in a loop must not crowd everybody else out of the log as well. */
const TOLD_PER_SECOND = 10;
const SECOND_MS = 1000;

/** Tells of the connections that one listener did not take because its pod has no socket left. */
export class CrowdedOut {
  readonly #context: Pick<WorkerContext, 'reactor' | 'connections' | 'log'>;
  readonly #direction: 'inbound' | 'outbound';
  #sinceMs = -Infinity;
  #count = 0;

  constructor(
    context: Pick<WorkerContext, 'reactor' | 'connections' | 'log'>,
    direction: 'inbound' | 'outbound',
  ) {
    this.#context = context;
    this.#direction = direction;
  }

  /** A connection is refused. */
  refused(peer: SocketAddress, destination: SocketAddress | undefined, error: Error): void {
    const { reactor, connections, log } = this.#context;
    if (reactor.nowMs - this.#sinceMs >= SECOND_MS) {
      const untold = this.#count - TOLD_PER_SECOND;
      if (untold > 0) log.log('warn', 'more connections were refused like those before', { count: untold });
      this.#sinceMs = reactor.nowMs;
      this.#count = 0;
    }
    if (++this.#count <= TOLD_PER_SECOND) connections.refused(this.#direction, peer, destination, error);
  }
}
