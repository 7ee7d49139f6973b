import type { MeshUpdate } from '@ambient/mesh';
import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { envoy } from '@ambient/wire';

import type { RejectedResourceError, XdsStreamError } from '../errors.ts';
import { DeltaState } from './delta-state.ts';
import type { DeltaRequest, DeltaResponse, TypeStatus } from './delta-state.ts';
import { ReconnectDelay } from './reconnect.ts';
import type { TerminationReason } from './reconnect.ts';

/** An open, or opening, discovery stream. */
export interface DeltaStream {
  /** Requests sent before the stream is established are kept until it is. */
  send(request: DeltaRequest): void;
  /** Ends the stream from this side; no event follows. */
  close(): void;
}

export interface DeltaStreamEvents {
  onResponse(response: DeltaResponse): void;
  /** Once, last: the stream ended cleanly (undefined) or failed. Never called from within `open`. */
  onEnd(error: XdsStreamError | undefined): void;
}

/** How streams come about: gRPC in production, a script in tests. */
export interface DeltaTransport {
  /** Where streams go, for the log and for dumps. */
  readonly address: string;
  open(events: DeltaStreamEvents): DeltaStream;
}

/** Hooks for istio_xds_message_total, istio_xds_message_bytes_total and istio_xds_connection_terminations_total. */
export interface XdsMetrics {
  /** A response of this type arrived with so many bytes of resources. */
  message(typeUrl: string, bytes: number): void;
  terminated(reason: TerminationReason): void;
}

export interface DeltaClientOptions {
  readonly transport: DeltaTransport;
  readonly node: envoy.config.core.v3.INode;
  /** XDS_ON_DEMAND: addresses are fetched as they are demanded. */
  readonly onDemand?: boolean;
  /** Called with what one response changed, before it is acknowledged; in several parts if that is much. */
  readonly onUpdate: (updates: readonly MeshUpdate[]) => void;
  /** Called once: each wildcard type has had a response that was accepted whole. */
  readonly onReady?: () => void;
  readonly onReject?: (rejected: readonly RejectedResourceError[]) => void;
  readonly metrics?: XdsMetrics;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** The client as dumps show it. */
export interface DeltaClientStatus {
  readonly address: string;
  readonly state: 'stopped' | 'connecting' | 'connected' | 'waiting';
  /** Streams opened so far. */
  readonly streams: number;
  readonly ready: boolean;
  /** Resource types that the first synchronization still waits for. */
  readonly pendingTypes: readonly string[];
  /** Why the last stream ended, '' if it is the first or ended cleanly. */
  readonly lastError: string;
  readonly types: readonly TypeStatus[];
}

type Connection =
  | { readonly state: 'stopped' }
  | { readonly state: 'connecting' | 'connected'; readonly stream: DeltaStream }
  | { readonly state: 'waiting'; readonly timer: Disposable };

/**
 * Keeps the mesh in step with a control plane: holds one discovery stream open, hands on what changes, acknowledges, and
 * opens the next stream when one ends.
 */
export class DeltaClient implements Disposable {
  readonly #options: DeltaClientOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #state: DeltaState;
  readonly #onDemand: boolean;
  readonly #delay: ReconnectDelay;
  readonly #waiters = new Map<string, Set<() => void>>();
  #connection: Connection = { state: 'stopped' };
  #streams = 0;
  #lastError = '';

  constructor(options: DeltaClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#delay = new ReconnectDelay(this.#clock);
    this.#log = options.log;
    this.#onDemand = options.onDemand ?? false;
    this.#state = new DeltaState({ node: options.node, onDemand: this.#onDemand });
  }

  /** Opens the first stream; without effect while running. */
  start(): void {
    if (this.#connection.state === 'stopped') this.#open();
  }

  /** Ends the stream and forgets all waiters without telling them; the client may be started again. */
  stop(): void {
    const connection = this.#connection;
    this.#connection = { state: 'stopped' };
    this.#waiters.clear();
    if (connection.state === 'waiting') connection.timer[Symbol.dispose]();
    else if (connection.state !== 'stopped') connection.stream.close();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /**
   * Asks for one address, by resource name (uid, or `namespace/hostname`) or `network/ip`. `answered` is called once the
   * control plane has spoken about it and the updates have been handed on, whether it exists or not: at once when it is held
   * already or everything is subscribed anyway. The caller bounds the wait, and disposes what this returns to end it.
   */
  demand(name: string, answered: () => void): Disposable {
    if (!this.#onDemand || this.#state.holdsAddress(name)) {
      answered();
      return { [Symbol.dispose]: () => {} };
    }
    let waiters = this.#waiters.get(name);
    if (waiters === undefined) this.#waiters.set(name, (waiters = new Set()));
    const waiter = (): void => answered();
    waiters.add(waiter);
    const request = this.#state.demand(name);
    if (request !== undefined && 'stream' in this.#connection) this.#connection.stream.send(request);
    return { [Symbol.dispose]: () => void this.#waiters.get(name)?.delete(waiter) };
  }

  status(): DeltaClientStatus {
    return {
      address: this.#options.transport.address,
      state: this.#connection.state,
      streams: this.#streams,
      ready: this.#state.ready,
      pendingTypes: this.#state.pendingTypes,
      lastError: this.#lastError,
      types: this.#state.status(),
    };
  }

  #open(): void {
    this.#streams++;
    // An event of a stream that was closed, or replaced, is none of ours.
    const current = (): boolean => 'stream' in this.#connection && this.#connection.stream === stream;
    const stream = this.#options.transport.open({
      onResponse: (response) => {
        if (current()) this.#receive(stream, response);
      },
      onEnd: (error) => {
        if (current()) this.#ended(error);
      },
    });
    this.#connection = { state: 'connecting', stream };
    for (const request of this.#state.open()) stream.send(request);
  }

  #receive(stream: DeltaStream, response: DeltaResponse): void {
    const resources = response.resources ?? [];
    if (this.#connection.state === 'connecting') this.#connection = { state: 'connected', stream };
    this.#delay.progressed();
    this.#lastError = '';
    const url = response.typeUrl ?? '';
    const bytes = resources.reduce((sum, entry) => sum + (entry.resource?.value?.length ?? 0), 0);
    this.#options.metrics?.message(url, bytes);
    this.#log.debug('received response', {
      type_url: url,
      size: resources.length,
      removes: response.removedResources?.length ?? 0,
    });
    const reception = this.#state.receive(response, this.#options.onUpdate);
    if (reception.updates.length > 0) this.#options.onUpdate(reception.updates);
    if (reception.rejected.length > 0) {
      for (const error of reception.rejected)
        this.#log.warn('resource rejected, its previous version stays in force', {
          type_url: url,
          resource: error.resource,
          error: error.message,
        });
      this.#options.onReject?.(reception.rejected);
    }
    for (const name of reception.answered) {
      const waiters = this.#waiters.get(name);
      this.#waiters.delete(name);
      for (const waiter of waiters ?? []) waiter();
    }
    // A callback may have stopped the client.
    if (this.#connection.state !== 'connected' || this.#connection.stream !== stream) return;
    stream.send(reception.reply);
    if (reception.becameReady) {
      this.#log.info('first synchronization complete');
      this.#options.onReady?.();
    }
  }

  #ended(error: XdsStreamError | undefined): void {
    const { waitMs, reason } = this.#delay.ended(error);
    this.#lastError = error?.message ?? '';
    this.#options.metrics?.terminated(reason);
    const fields = {
      address: this.#options.transport.address,
      retry_in: `${waitMs}ms`,
      error: error?.message,
    };
    if (reason === 'Complete' || reason === 'Reconnect') this.#log.info('discovery stream ended', fields);
    else this.#log.warn('discovery stream failed', { ...fields, code: error?.code });
    const timer = this.#clock.setTimer(waitMs, () => this.#open());
    this.#connection = { state: 'waiting', timer };
  }
}
