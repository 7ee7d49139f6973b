/** A discovery client that keeps what it is sent, byte for byte, in the form of the recorded discovery. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import { realClock } from '@ambient/runtime';
import { envoy, grpcMethod, istio, typeUrl } from '@ambient/wire';

import { goldenForm } from '../../../packages/control-plane/src/translate/golden-form.test-data.ts';

type Request = envoy.service.discovery.v3.IDeltaDiscoveryRequest;
type Response = envoy.service.discovery.v3.DeltaDiscoveryResponse;

export interface RecorderOptions {
  /** HOST:PORT */
  readonly address: string;
  readonly credentials?: ChannelCredentials;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the client holds from before, `Address NAME` and the like to the version. */
  readonly holds?: Readonly<Record<string, string>>;
}

export class DiscoveryEndedError extends Error {
  override readonly name = 'DiscoveryEndedError';
  readonly code = 'discovery-ended';
}

const shortNames: Readonly<Record<string, string>> = {
  [typeUrl.address]: 'Address',
  [typeUrl.authorization]: 'Authorization',
};

/** Subscribed to everything of both types, as a ztunnel is. */
export class DiscoveryRecorder implements Disposable {
  /** `Address NAME` and `Authorization NAME` to the resource, in golden form. */
  readonly resources: Record<string, unknown> = {};
  /** The same names to the versions that were sent. */
  readonly versions: Record<string, string> = {};
  /** Names in the order in which they were sent, removals with a minus sign. */
  readonly history: string[] = [];
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Request, Response>;
  readonly #waiting = new Set<() => void>();
  readonly #answered = new Set<string>();
  #ended: Error | undefined;

  constructor(options: RecorderOptions) {
    this.#client = new Client(options.address, options.credentials ?? credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.headers ?? {})) metadata.set(name, value);
    this.#call = this.#client.makeBidiStreamRequest<Request, Response>(
      grpcMethod.deltaAggregatedResources,
      (request) => Buffer.from(envoy.service.discovery.v3.DeltaDiscoveryRequest.encode(request).finish()),
      (bytes) => envoy.service.discovery.v3.DeltaDiscoveryResponse.decode(bytes),
      metadata,
    );
    this.#call.on('data', (response: Response) => this.#take(response));
    this.#call.on('error', (error: Error) => this.#end(error));
    this.#call.on('end', () => this.#end(new Error('the server ended the stream')));
    const node = {
      id: 'ztunnel~127.0.0.1~ztunnel.istio-system~istio-system.svc.cluster.local',
      metadata: { fields: { NODE_NAME: { stringValue: 'n1' } } },
    };
    const heldOf = (type: string): Record<string, string> =>
      Object.fromEntries(
        Object.entries(options.holds ?? {}).flatMap(([key, version]) =>
          key.startsWith(`${type} `) ? [[key.slice(type.length + 1), version]] : [],
        ),
      );
    for (const [url, type] of Object.entries(shortNames))
      this.#call.write({ typeUrl: url, node, initialResourceVersions: heldOf(type) });
  }

  /** Both subscriptions have been answered. */
  async ready(): Promise<void> {
    await this.until(() => this.#answered.size === 2, 'an answer to both subscriptions');
  }

  /**
   * Waits until `condition` holds, looked at after each response.
   *
   * @throws DiscoveryEndedError if the stream ends before, or if it takes longer than `deadlineMs`
   */
  async until(condition: () => boolean, what: string, deadlineMs = 10_000): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (condition()) resolve();
      else if (this.#ended !== undefined)
        reject(new DiscoveryEndedError(`discovery ended before ${what}`, { cause: this.#ended }));
    };
    using _timer = realClock.setTimer(deadlineMs, () =>
      reject(new DiscoveryEndedError(`no ${what} within ${deadlineMs} ms`)),
    );
    this.#waiting.add(look);
    try {
      look();
      await promise;
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** How the stream ended. @throws DiscoveryEndedError if it goes on */
  async ended(deadlineMs = 10_000): Promise<Error> {
    try {
      await this.until(() => false, 'the end', deadlineMs);
    } catch (error) {
      if (this.#ended === undefined) throw error;
    }
    return this.#ended!;
  }

  [Symbol.dispose](): void {
    this.#call.cancel();
    this.#client.close();
  }

  #take(response: Response): void {
    const type = shortNames[response.typeUrl] ?? response.typeUrl;
    for (const { name, version, resource } of response.resources) {
      const key = `${type} ${name ?? ''}`;
      const bytes = resource?.value ?? new Uint8Array();
      const message =
        response.typeUrl === typeUrl.address
          ? istio.workload.Address.decode(bytes)
          : istio.security.Authorization.decode(bytes);
      this.resources[key] = goldenForm(message);
      this.versions[key] = version ?? '';
      this.history.push(key);
    }
    for (const name of response.removedResources) {
      const key = `${type} ${name}`;
      delete this.resources[key];
      delete this.versions[key];
      this.history.push(`-${key}`);
    }
    this.#call.write({ typeUrl: response.typeUrl, responseNonce: response.nonce });
    this.#answered.add(response.typeUrl);
    this.#look();
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}
