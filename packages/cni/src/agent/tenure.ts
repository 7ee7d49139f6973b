import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import { isListening } from '../zds/socket-place.ts';
import type { NodeService } from './serve-node.ts';

export interface TenureOptions {
  /** Begins to serve the node; undefined: the signal has ended the wait. */
  readonly serve: (signal: AbortSignal) => Promise<NodeService | undefined>;
  /** Who listens here serves the node. */
  readonly ztunnelSocket: string;
  readonly isServed?: (ztunnelSocket: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_INTERVAL_MS = 500;
/** An agent that has ended may be about to be started again by the kubelet, for which nothing has to change hands. */
const VACANT_LOOKS = 2;

/**
 * Which of a node's agents serves it: the one whose file is at the socket for ztunnel. Two overlap where a DaemonSet surges. An
 * agent that was succeeded ends its work on pods, which stay captured, and stands by; when the other has ended, in whatever
 * way, it serves again. The kernel tells whether that one listens, so there is nothing that a killed agent could leave behind.
 */
export class Tenure {
  readonly #options: TenureOptions;
  readonly #ending = new AbortController();
  #service: NodeService | undefined;
  #vacantLooks = 0;
  #timer: Disposable | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: TenureOptions) {
    this.#options = options;
  }

  /** Begins to serve. @returns whether it does; not, if the signal has ended the wait @throws what `serve` throws */
  async begin(signal: AbortSignal): Promise<boolean> {
    const end = (): void => this.#ending.abort();
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    this.#service = await this.#options.serve(this.#ending.signal);
    if (this.#service === undefined) return false;
    this.#lookLater();
    return true;
  }

  /** Changes nothing of who serves from now on. @returns what serves the node, which belongs to the caller */
  async end(): Promise<NodeService | undefined> {
    this.#ending.abort();
    this.#timer?.[Symbol.dispose]();
    await this.#looking;
    const service = this.#service;
    this.#service = undefined;
    return service;
  }

  #lookLater(): void {
    if (this.#ending.signal.aborted) return;
    this.#timer = this.#options.clock.setTimer(LOOK_INTERVAL_MS, () => {
      this.#looking = this.#look().finally(() => this.#lookLater());
    });
  }

  async #look(): Promise<void> {
    try {
      if (this.#service === undefined) await this.#standBy();
      else if (this.#service.isSucceeded) await this.#yield(this.#service);
    } catch (error) {
      this.#options.log.error('this agent cannot change its part beside another one; it is tried again', {
        error: describeError(error),
      });
    }
  }

  async #yield(service: NodeService): Promise<void> {
    const { log } = this.#options;
    log.info('another agent has taken the node over; this one stands by');
    this.#service = undefined;
    this.#vacantLooks = 0;
    await service[Symbol.asyncDispose]();
  }

  async #standBy(): Promise<void> {
    const { serve, ztunnelSocket, isServed = isListening, log } = this.#options;
    this.#vacantLooks = (await isServed(ztunnelSocket)) ? 0 : this.#vacantLooks + 1;
    if (this.#vacantLooks < VACANT_LOOKS || this.#ending.signal.aborted) return;
    log.warn('the other agent of this node has ended; this one serves again');
    this.#service = await serve(this.#ending.signal);
  }
}
