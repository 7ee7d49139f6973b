/** Proxies as the control plane sees them: delta streams that take everything, acknowledge it, and note when it came. */
import { Client, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { envoy, grpcMethod, typeUrl } from '@ambient/wire';
import { readResponse } from './read-response.ts';
import { nowMs, pause, serve } from './serve.ts';

/** When a change of a pod came to the clients, Unix time in milliseconds. */
export interface Arrival {
  readonly clients: number;
  readonly lastMs: number;
}

interface ConnectOptions {
  /** `host:port`, plaintext. */
  readonly address: string;
  readonly clients: number;
  /** Resources of each type after which a client has the whole mesh. */
  readonly addresses: number;
  readonly policies: number;
}

const { DeltaDiscoveryRequest } = envoy.service.discovery.v3;
const retryMs = 20;
const maxMessageBytes = 200 * 1024 * 1024;
const arrivals = new Map<number, { clients: number; lastMs: number }>();
const clients: Proxy[] = [];

/** One client: opens its stream until it is served, then keeps it. */
class Proxy {
  readonly #options: ConnectOptions;
  readonly #id: number;
  readonly #complete = Promise.withResolvers<number>();
  readonly #counts = new Map<string, number>();
  #call: ClientDuplexStream<Uint8Array, Buffer> | undefined;
  #client: Client | undefined;
  ended = '';

  constructor(options: ConnectOptions, id: number) {
    this.#options = options;
    this.#id = id;
    this.#open();
  }

  /** Unix time in milliseconds at which it had everything. */
  get complete(): Promise<number> {
    return this.#complete.promise;
  }

  #open(): void {
    this.#client = new Client(this.#options.address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
    });
    const call = this.#client.makeBidiStreamRequest<Uint8Array, Buffer>(
      grpcMethod.deltaAggregatedResources,
      (request) => Buffer.from(request),
      (bytes) => bytes,
    );
    this.#call = call;
    call.on('data', (bytes: Buffer) => this.#receive(bytes));
    call.on('error', (error: Error) => void this.#failed(error));
    const name = `proxy-${this.#id}`;
    const node = {
      id: `ztunnel~10.255.0.1~${name}.istio-system~istio-system.svc.cluster.local`,
      metadata: {
        fields: {
          NAME: { stringValue: name },
          NAMESPACE: { stringValue: 'istio-system' },
          CLUSTER_ID: { stringValue: 'Kubernetes' },
        },
      },
    };
    for (const url of [typeUrl.address, typeUrl.authorization])
      call.write(DeltaDiscoveryRequest.encode({ node, typeUrl: url }).finish());
  }

  #receive(bytes: Buffer): void {
    const atMs = nowMs();
    const { type, nonce, resources, revisions } = readResponse(bytes);
    this.#call!.write(DeltaDiscoveryRequest.encode({ typeUrl: type, responseNonce: nonce }).finish());
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + resources);
    for (const revision of revisions) {
      const arrival = arrivals.get(revision) ?? { clients: 0, lastMs: 0 };
      arrivals.set(revision, arrival);
      arrival.clients++;
      arrival.lastMs = atMs;
    }
    const has = (url: string): number => this.#counts.get(url) ?? 0;
    if (
      has(typeUrl.address) >= this.#options.addresses &&
      has(typeUrl.authorization) >= this.#options.policies
    )
      this.#complete.resolve(atMs);
  }

  async #failed(error: Error): Promise<void> {
    this.#client?.close();
    if (this.#counts.size > 0) {
      this.ended = error.message;
      this.#complete.reject(error);
      return;
    }
    await pause(retryMs);
    this.#open();
  }
}

const handlers = {
  /** Adds clients. @returns when the last of them had everything, Unix time in milliseconds */
  async connect(options: ConnectOptions): Promise<number> {
    const added = Array.from({ length: options.clients }, (_, i) => new Proxy(options, clients.length + i));
    clients.push(...added);
    return Math.max(...(await Promise.all(added.map(({ complete }) => complete))));
  },

  /** Where each of these changes has come to by now. */
  arrivals({ revisions }: { readonly revisions: readonly number[] }): Arrival[] {
    return revisions.map((revision) => arrivals.get(revision) ?? { clients: 0, lastMs: 0 });
  },

  /** Why streams have ended: nothing, if all is well. */
  ended(_: undefined): string[] {
    return clients.map(({ ended }) => ended).filter((reason) => reason !== '');
  },
};

export type StreamsProgram = typeof handlers;

serve(handlers);
