import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { envoy, grpcMethod, typeUrl } from '@ambient/wire';
import { waitFor } from '@ambient/testkit/lab';

const { DeltaDiscoveryRequest, DeltaDiscoveryResponse } = envoy.service.discovery.v3;
type Request = envoy.service.discovery.v3.IDeltaDiscoveryRequest;
type Response = envoy.service.discovery.v3.DeltaDiscoveryResponse;

/** What a client says of itself; it is not checked against anything here. */
export interface ClaimedNode {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly nodeName?: string;
}

export interface DiscoveryClientOptions {
  /** `host:port`. */
  readonly address: string;
  /** Plaintext if absent. */
  readonly credentials?: ChannelCredentials;
  readonly headers?: Readonly<Record<string, string>>;
  readonly node?: ClaimedNode;
  /** What it does about responses; accept them if absent. */
  readonly answers?: 'accept' | 'reject' | 'never';
  /** What it holds of earlier streams. */
  readonly holds?: Held;
}

/** By type: the name of each resource with its version. */
export type Held = ReadonlyMap<string, ReadonlyMap<string, string>>;

export const types = [typeUrl.address, typeUrl.authorization] as const;

const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': 64 * 1024 * 1024 };

/** A client of delta discovery that asks for everything, remembers what an obedient proxy would, and answers as it likes. */
export class DiscoveryClient implements Disposable {
  readonly held = new Map<string, Map<string, string>>();
  readonly contents = new Map<string, Uint8Array>();
  readonly responses: Response[] = [];
  /** Names that were ever said to be gone. */
  readonly removed: string[] = [];
  /** How the stream ended. */
  status: StatusObject | undefined;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Request, Response>;
  readonly #options: DiscoveryClientOptions;

  constructor(given: DiscoveryClientOptions) {
    this.#options = given;
    this.#client = new Client(given.address, given.credentials ?? credentials.createInsecure(), options);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(given.headers ?? {})) metadata.set(name, value);
    this.#call = this.#client.makeBidiStreamRequest<Request, Response>(
      grpcMethod.deltaAggregatedResources,
      (request) => Buffer.from(DeltaDiscoveryRequest.encode(request).finish()),
      (bytes) => DeltaDiscoveryResponse.decode(bytes),
      metadata,
    );
    this.#call.on('data', (response: Response) => this.#receive(response));
    this.#call.on('error', () => {});
    this.#call.on('status', (status) => (this.status = status));
    const { namespace = 'istio-system', serviceAccount, nodeName } = given.node ?? {};
    const fields = {
      NAMESPACE: { stringValue: namespace },
      ...(serviceAccount === undefined ? {} : { SERVICE_ACCOUNT: { stringValue: serviceAccount } }),
      ...(nodeName === undefined ? {} : { NODE_NAME: { stringValue: nodeName } }),
    };
    for (const type of types) {
      const holds = given.holds?.get(type) ?? new Map<string, string>();
      this.held.set(type, new Map(holds));
      this.#call.write({
        node: { id: `ztunnel~10.9.9.9~z.${namespace}~${namespace}.svc.cluster.local`, metadata: { fields } },
        typeUrl: type,
        initialResourceVersions: Object.fromEntries(holds),
      });
    }
  }

  get open(): boolean {
    return this.status === undefined;
  }

  /** The first response of each type has come. */
  get synced(): boolean {
    return types.every((type) => this.responses.some((response) => response.typeUrl === type));
  }

  /** Names that are held, of both types. */
  names(): string[] {
    return [...this.held.values()].flatMap((resources) => [...resources.keys()]).sort();
  }

  holds(name: string): boolean {
    return [...this.held.values()].some((resources) => resources.has(name));
  }

  /** Waits until something of this name is held, or is not. */
  until(name: string, held = true, timeoutMs?: number): Promise<true> {
    return waitFor(
      () => {
        if (!this.open) throw new Error(`the stream ended: ${this.status!.details}`);
        return this.holds(name) === held;
      },
      `${name} ${held ? 'to come' : 'to go'}`,
      timeoutMs,
    );
  }

  /** Waits until the first response of each type has come. */
  sync(timeoutMs?: number): Promise<true> {
    return waitFor(
      () => {
        if (!this.open) throw new Error(`the stream ended: ${this.status!.details}`);
        return this.synced;
      },
      'the first responses',
      timeoutMs,
    );
  }

  ended(timeoutMs?: number): Promise<StatusObject> {
    return waitFor(() => this.status, 'the end of the stream', timeoutMs);
  }

  [Symbol.dispose](): void {
    this.#call.cancel();
    this.#client.close();
  }

  #receive(response: Response): void {
    this.responses.push(response);
    const held = this.held.get(response.typeUrl)!;
    for (const { name, version, resource } of response.resources) {
      held.set(name ?? '', version ?? '');
      this.contents.set(name ?? '', resource?.value ?? new Uint8Array());
    }
    for (const name of response.removedResources) {
      held.delete(name);
      this.removed.push(name);
    }
    const { answers = 'accept' } = this.#options;
    if (answers === 'never') return;
    this.#call.write({
      typeUrl: response.typeUrl,
      responseNonce: response.nonce,
      ...(answers === 'reject' ? { errorDetail: { code: 3, message: 'I like none of it' } } : {}),
    });
  }
}
