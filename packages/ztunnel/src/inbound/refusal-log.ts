import { HboneError } from '@ambient/hbone';
import type { SocketAddress } from '@ambient/linux';
import type { LiveConnections } from '../connections/live-connections.ts';

/** A peer that asks for nonsense again and again must not crowd everybody else out of the log. */
const REFUSALS_TOLD = 100;

/** Tells the refused requests of one HBONE connection: each of the first, then how many more there were. */
export class RefusalLog {
  readonly #connections: LiveConnections;
  readonly #peer: SocketAddress;
  readonly #local: SocketAddress;
  #count = 0;

  constructor(connections: LiveConnections, peer: SocketAddress, local: SocketAddress) {
    this.#connections = connections;
    this.#peer = peer;
    this.#local = local;
  }

  /** A request was refused before there was anything that metrics could count it under. */
  refused(error: Error): void {
    this.#count++;
    if (this.#count <= REFUSALS_TOLD) this.#connections.refused('inbound', this.#peer, this.#local, error);
  }

  /** The connection has ended. */
  finish(): void {
    const untold = this.#count - REFUSALS_TOLD;
    if (untold <= 0) return;
    const text = `${untold} more requests of this connection were refused`;
    this.#connections.refused('inbound', this.#peer, this.#local, new HboneError('bad-request', text));
  }
}
