import type { ConnectionReport, CollectedConnections } from '../worker/messages.ts';
import type { Collected } from '../workers/data-workers.ts';
import type { ConnectionSource } from './connections-endpoint.ts';
import { EndedConnections } from './ended-connections.ts';
import type { LocalConnection, Located } from './local-connections.ts';

export interface WorkerReportsOptions {
  readonly collect: (connections: CollectedConnections) => Promise<readonly Collected[]>;
  /** Takes over the counts. A worker tells each of them once, so whoever asks it must. */
  readonly absorb: (collected: readonly Collected[]) => void;
  /** Adds which pod of this node has each connection. */
  readonly locate: <T extends ConnectionReport>(reports: readonly T[]) => Located<T>[];
}

/** The connections of all data workers, as operators ask for them. */
export class WorkerReports implements Omit<ConnectionSource, 'clock'> {
  readonly #options: WorkerReportsOptions;
  readonly #ended = new EndedConnections();

  constructor(options: WorkerReportsOptions) {
    this.#options = options;
  }

  /** As the workers tell them: each with the number of its pod. */
  async live(): Promise<readonly ConnectionReport[]> {
    return liveOf(await this.#collect('live'));
  }

  async connections(): Promise<readonly LocalConnection[]> {
    return this.#options.locate(await this.live());
  }

  async watchConnections(): Promise<{
    readonly live: readonly LocalConnection[];
    readonly ended: EndedConnections;
  }> {
    const { locate } = this.#options;
    const collected = await this.#collect('ended-too');
    this.#ended.add(locate(collected.flatMap(({ ended = [] }) => ended)));
    return { live: locate(liveOf(collected)), ended: this.#ended };
  }

  async #collect(connections: CollectedConnections): Promise<readonly Collected[]> {
    const collected = await this.#options.collect(connections);
    this.#options.absorb(collected);
    return collected;
  }
}

function liveOf(collected: readonly Collected[]): ConnectionReport[] {
  return collected.flatMap(({ connections }) => connections);
}
