import type { Descriptor } from '@ambient/linux';
import { describeError } from '@ambient/runtime';
import { AgentMessageError, AgentProtocolError, PodRefusedError } from './errors.ts';
import type { NodePods } from './node-pods.ts';
import { PodNamespace } from './pod-namespace.ts';
import { decodeRequest } from './zds-messages.ts';
import type { ZdsRequest } from './zds-messages.ts';

/** One packet of the node agent. */
export interface AgentPacket {
  readonly bytes: Uint8Array;
  /** Came with it; the session becomes its owner. */
  readonly descriptor: Descriptor | undefined;
  /** It, or what came with it, was longer than allowed. */
  readonly truncated: boolean;
}

/** What is to be done about a packet. */
export type SessionOutcome =
  /** Success is to be said. */
  | { readonly kind: 'ok' }
  /** The request has no effect now, as is to be said; the conversation goes on. */
  | { readonly kind: 'refused'; readonly error: Error }
  /** The error is to be said, then the connection to be given up and made anew. */
  | { readonly kind: 'reconnect'; readonly error: AgentMessageError }
  /** The error is to be said, then the process to end. */
  | { readonly kind: 'fatal'; readonly error: AgentProtocolError };

/** What the session asks of the registry of pods. */
export type SessionPods = Pick<NodePods, 'add' | 'remove' | 'retain' | 'dropPending' | 'settled'>;

/**
 * What one connection to the node agent means, without its I/O: first a snapshot of the node's pods and its end, then
 * changes. One packet is handled at a time.
 */
export class ZdsSession {
  readonly #pods: SessionPods;
  /** UIDs that the snapshot names; undefined once it has ended. */
  #snapshot: Set<string> | undefined = new Set();

  /** Pods that earlier connections could not bring to be served are forgotten: this one names them again. */
  constructor(pods: SessionPods) {
    this.#pods = pods;
    pods.dropPending();
  }

  /** Whether the snapshot is whole and all that was asked for is served, as far as its pods let it. */
  get settled(): boolean {
    return this.#snapshot === undefined && this.#pods.settled;
  }

  async handle(packet: AgentPacket): Promise<SessionOutcome> {
    let descriptor = packet.descriptor;
    try {
      if (packet.truncated) throw new AgentMessageError('a packet of the node agent was cut');
      const request = decodeRequest(packet.bytes);
      if (request.kind === 'add') {
        const given = descriptor;
        descriptor = undefined;
        await this.#add(request, given);
      } else {
        if (descriptor !== undefined)
          throw new AgentMessageError(`"${request.kind}" of the node agent came with a descriptor`);
        this.#take(request);
      }
      return { kind: 'ok' };
    } catch (error) {
      if (error instanceof AgentProtocolError) return { kind: 'fatal', error };
      if (error instanceof AgentMessageError) return { kind: 'reconnect', error };
      return { kind: 'refused', error: error instanceof Error ? error : new Error(describeError(error)) };
    } finally {
      descriptor?.close();
    }
  }

  async #add(
    { uid, name }: Extract<ZdsRequest, { readonly kind: 'add' }>,
    descriptor: Descriptor | undefined,
  ): Promise<void> {
    using owned = new DisposableStack();
    if (descriptor !== undefined) owned.use(descriptor);
    if (name === undefined)
      throw new AgentProtocolError('ZDS_ADD_WITHOUT_WORKLOAD', `adds pod ${uid} without saying which it is`);
    if (descriptor === undefined)
      throw new AgentMessageError(`the node agent adds pod ${uid} without its network namespace`);
    const empty = [['uid', uid] as const, ...Object.entries(name)].find(([, value]) => value === '');
    if (empty !== undefined) throw new PodRefusedError(uid, empty[0]);
    owned.move();
    const namespace = new PodNamespace(descriptor);
    this.#snapshot?.add(uid);
    await this.#pods.add({ uid, name, namespace });
  }

  #take(request: Exclude<ZdsRequest, { readonly kind: 'add' }>): void {
    switch (request.kind) {
      case 'keep':
        if (this.#snapshot === undefined)
          throw new AgentProtocolError(
            'ZDS_KEEP_AFTER_SNAPSHOT',
            `keeps pod ${request.uid} after the end of its snapshot`,
          );
        this.#snapshot.add(request.uid);
        break;
      case 'del':
        this.#snapshot?.delete(request.uid);
        this.#pods.remove(request.uid);
        break;
      case 'snapshot-sent':
        if (this.#snapshot === undefined)
          throw new AgentProtocolError('ZDS_SECOND_SNAPSHOT', 'ends its snapshot twice');
        this.#pods.retain(this.#snapshot);
        this.#snapshot = undefined;
        break;
    }
  }
}
