import type { EndedConnectionReport } from '../worker/messages.ts';
import type { Located } from './local-connections.ts';

export type EndedConnection = Located<EndedConnectionReport>;

/** More than a watcher sees in one interval of a busy node; who is slower than that misses some. */
const capacity = 4096;

/** The connections that ended lately, numbered, so that each of several watchers gets every one of them once. */
export class EndedConnections {
  #kept: EndedConnection[] = [];
  /** Number of the first one that is kept. */
  #first = 1;

  add(connections: readonly EndedConnection[]): void {
    this.#kept.push(...connections);
    const surplus = this.#kept.length - capacity;
    if (surplus <= 0) return;
    this.#kept = this.#kept.slice(surplus);
    this.#first += surplus;
  }

  /** Those after a number, and the number of the last one there is. */
  since(number: number): { readonly connections: readonly EndedConnection[]; readonly last: number } {
    const last = this.#first + this.#kept.length - 1;
    return { connections: this.#kept.slice(Math.max(0, number + 1 - this.#first)), last };
  }
}
