import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { envoy } from '@ambient/wire';

import type { DeltaStream, StreamHoldings, StreamTypeStatus } from './delta-stream.ts';
import { checkNode } from './node-check.ts';
import type { ClientIdentity, ClientNode } from './node-check.ts';
import { DiscoveryRefusal } from './refusal.ts';
import type { Outgoing } from './shared-responses.ts';
import type { WriteBudget } from './write-budget.ts';

/** A client's stream as the server sees it: gRPC in production, a script in tests. */
export interface StreamTransport {
  /** Address of the client, for logs and debug pages. */
  readonly peer: string;
  /** Who the client is. @throws DiscoveryRefusal if it is nobody who may ask */
  authenticate(): Promise<ClientIdentity>;
  /** From now on requests are delivered to the session; until then they wait. */
  read(): void;
  /**
   * Sends one encoded response. `flushed` is called when it has left this process's buffers.
   *
   * @returns false if the session should write nothing more until it is told `drained`
   */
  write(bytes: Buffer, flushed: () => void): boolean;
  /** Ends the stream: cleanly, or with the refusal's status and text. Nothing is delivered afterwards. */
  close(refusal: DiscoveryRefusal | undefined): void;
}

/** What the server counts. */
export interface DeltaServerMetrics {
  /** Streams that are served, after each change of their number (pilot_xds). */
  connections(count: number): void;
  /** A response was handed to a stream (pilot_xds_pushes). */
  pushed(typeUrl: string, resources: number, removed: number, bytes: number): void;
  /** Seconds from a change of a table until a response with it has left this process (pilot_proxy_convergence_time). */
  pushLatency(typeUrl: string, seconds: number): void;
  /** A client refused a response (pilot_total_xds_rejects). */
  rejected(typeUrl: string): void;
  /** A stream was refused or closed by the server, by RefusalCode. */
  refused(code: string): void;
}

/** One stream on debug pages. */
export interface ConnectionStatus {
  /** Counts streams of this server from 1. */
  readonly id: number;
  readonly peer: string;
  /** '' until the client is authenticated. */
  readonly principal: string;
  /** What the client says of itself; undefined before its first request. */
  readonly node: ClientNode | undefined;
  /** Unix time in milliseconds. */
  readonly connectedAtMs: number;
  readonly types: readonly StreamTypeStatus[];
}

export interface SessionOptions {
  readonly id: number;
  readonly transport: StreamTransport;
  readonly identity: ClientIdentity;
  readonly stream: DeltaStream;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeltaServerMetrics;
  readonly budget: WriteBudget;
  /** How long a client may take for its first request, and for each answer. */
  readonly answerTimeoutMs: number;
  /** Called once when it is over, from whichever side. */
  readonly onClosed: (refusal: DiscoveryRefusal | undefined) => void;
}

const knownWarnings = 16;

/** Serves one authenticated client until either side ends. */
export class Session {
  readonly identity: ClientIdentity;
  readonly #options: SessionOptions;
  readonly #stream: DeltaStream;
  readonly #log: Logger;
  readonly #connectedAtMs: number;
  /** Long responses that are not out yet. */
  readonly #unflushed = new Set<Disposable>();
  readonly #resume = (): void => this.pump();
  #node: ClientNode | undefined;
  #writable = true;
  #open = true;
  #grace: Disposable | undefined;
  #warnings = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#stream = options.stream;
    this.#log = options.log;
    this.#connectedAtMs = options.clock.nowMs();
  }

  get id(): number {
    return this.#options.id;
  }

  get stream(): DeltaStream {
    return this.#stream;
  }

  /** One request of the client, encoded. */
  receive(bytes: Uint8Array): void {
    this.#guard(() => {
      const request = decode(bytes);
      if (this.#node === undefined) {
        this.#node = checkNode(request.node, this.identity);
        this.#log.info('discovery stream opened', {
          client: this.#options.id,
          node: this.#node.id,
          principal: this.identity.principal,
          peer: this.#options.transport.peer,
        });
      }
      const received = this.#stream.receive(request, this.#options.clock.nowMs());
      if (received.kind === 'nack') {
        this.#options.metrics.rejected(received.typeUrl);
        this.#warn('client rejected a response; it keeps what it had of the resources named', received);
      } else if (received.kind === 'unknown-type')
        this.#warn(
          'client asked for a resource type that is not served; it is sent an empty answer',
          received,
        );
    });
    this.pump();
  }

  /** The transport takes more. */
  drained(): void {
    this.#writable = true;
    this.pump();
  }

  /** Sends what is due, as far as the client and the transport allow. */
  pump(): void {
    this.#guard(() => {
      while (this.#open && this.#writable) {
        if (this.#stream.wantsSnapshot && this.#options.budget.isSpent) {
          this.#options.budget.wait(this.#resume);
          return;
        }
        const response = this.#stream.next(this.#options.clock.nowMs());
        if (response === undefined) break;
        this.#write(response);
      }
      this.#armGrace();
    });
  }

  /** Closes the stream if the client keeps the server waiting for too long. */
  checkPatience(nowMs: number): void {
    const { answerTimeoutMs } = this.#options;
    if (this.#node === undefined) {
      if (nowMs - this.#connectedAtMs >= answerTimeoutMs)
        this.close(new DiscoveryRefusal('XDS_CLIENT_SILENT', `no request came within ${answerTimeoutMs} ms`));
      return;
    }
    const since = this.#stream.waitingSinceMs;
    if (since === undefined || nowMs - since < answerTimeoutMs) return;
    this.close(
      new DiscoveryRefusal(
        'XDS_CLIENT_STALLED',
        `a response was neither accepted nor rejected within ${answerTimeoutMs} ms; check that the client is not starved of CPU`,
      ),
    );
  }

  /** Ends the stream from this side. */
  close(refusal?: DiscoveryRefusal): void {
    if (!this.#open) return;
    this.#options.transport.close(refusal);
    this.#over(refusal);
  }

  /** The client, or the network, has ended the stream. */
  ended(): void {
    if (this.#open) this.#over(undefined);
  }

  status(): ConnectionStatus {
    return {
      id: this.#options.id,
      peer: this.#options.transport.peer,
      principal: this.identity.principal,
      node: this.#node,
      connectedAtMs: this.#connectedAtMs,
      types: this.#stream.status(),
    };
  }

  /** Names by name, for the pages that show one client. */
  holdings(): StreamHoldings[] {
    return this.#stream.holdings();
  }

  #write(response: Outgoing): void {
    const { transport, metrics, budget, clock } = this.#options;
    const { typeUrl, sinceMs, bytes } = response;
    const counted = budget.take(bytes.length);
    if (counted !== undefined) this.#unflushed.add(counted);
    this.#writable = transport.write(bytes, () => {
      if (counted !== undefined) {
        this.#unflushed.delete(counted);
        counted[Symbol.dispose]();
      }
      if (sinceMs !== undefined) metrics.pushLatency(typeUrl, Math.max(0, clock.nowMs() - sinceMs) / 1000);
    });
    metrics.pushed(typeUrl, response.resources, response.removed, bytes.length);
  }

  /** What waits for the client to subscribe to an earlier type goes out when the grace is over. */
  #armGrace(): void {
    const endsAtMs = this.#stream.graceEndsAtMs;
    const inMs = (endsAtMs ?? 0) - this.#options.clock.nowMs();
    if (!this.#open || this.#grace !== undefined || endsAtMs === undefined || inMs <= 0) return;
    this.#grace = this.#options.clock.setTimer(inMs, this.#resume);
  }

  /** A client's fault, or one of ours in serving it, costs this stream alone. */
  #guard(work: () => void): void {
    if (!this.#open) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof DiscoveryRefusal))
        this.#log.error('serving a discovery stream failed', { error: describeError(error) });
      this.close(
        error instanceof DiscoveryRefusal
          ? error
          : new DiscoveryRefusal('XDS_INTERNAL', 'internal error; the log of the control plane tells more', {
              cause: error,
            }),
      );
    }
  }

  #over(refusal: DiscoveryRefusal | undefined): void {
    this.#open = false;
    this.#grace?.[Symbol.dispose]();
    this.#options.budget.leave(this.#resume);
    for (const counted of this.#unflushed) counted[Symbol.dispose]();
    this.#unflushed.clear();
    this.#options.onClosed(refusal);
  }

  /** The client's own doing, so a client cannot fill the log. */
  #warn(message: string, received: { readonly typeUrl: string; readonly error: string }): void {
    if (this.#warnings++ >= knownWarnings) return;
    this.#log.warn(message, {
      client: this.#options.id,
      node: this.#node?.id ?? '',
      type_url: received.typeUrl,
      ...(received.error === '' ? {} : { error: received.error.slice(0, 1000) }),
    });
  }
}

function decode(bytes: Uint8Array): envoy.service.discovery.v3.IDeltaDiscoveryRequest {
  try {
    return envoy.service.discovery.v3.DeltaDiscoveryRequest.decode(bytes);
  } catch (error) {
    throw new DiscoveryRefusal('XDS_REQUEST_MALFORMED', 'a request is no DeltaDiscoveryRequest', {
      cause: error,
    });
  }
}
