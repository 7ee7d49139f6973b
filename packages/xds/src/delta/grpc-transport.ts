import type { ChannelOptions, ClientDuplexStream, Client } from '@grpc/grpc-js';
import { isUntimelyCertificate, realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';
import { envoy, grpcMethod } from '@ambient/wire';

import { XdsStreamError } from '../errors.ts';
import type { DeltaStream, DeltaStreamEvents, DeltaTransport } from './delta-client.ts';
import type { DeltaRequest, DeltaResponse } from './delta-state.ts';
import type { ServerTrust } from './server-trust.ts';
import { tlsCredentials } from './tls-channel.ts';

export interface GrpcTransportOptions {
  /** `https://host:port`, or `http://` for plaintext; without a scheme it is https. */
  readonly address: string;
  readonly trust: ServerTrust;
  /** Headers of each stream, asked for when it opens: token, cluster, XDS_HEADER_*. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Time for TCP and TLS together; 5 s if absent. */
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}

const maxMessageBytes = 200 * 1024 * 1024;

/** Discovery streams over gRPC. Each stream has a channel of its own, so that the roots are read anew for each. */
export class GrpcTransport implements DeltaTransport {
  readonly address: string;
  readonly #options: GrpcTransportOptions;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    this.address = options.address.includes('://') ? options.address : `https://${options.address}`;
  }

  open(events: DeltaStreamEvents): DeltaStream {
    return new GrpcStream(this.address, this.#options, events);
  }
}

class GrpcStream implements DeltaStream {
  readonly #address: string;
  readonly #options: GrpcTransportOptions;
  readonly #events: DeltaStreamEvents;
  /** Requests from before the gRPC library is loaded. */
  #early: DeltaRequest[] = [];
  #call: ClientDuplexStream<DeltaRequest, DeltaResponse> | undefined;
  #client: Client | undefined;
  #connectTimer: Disposable | undefined;
  /** The server has answered with response headers. */
  #established = false;
  #over = false;

  constructor(address: string, options: GrpcTransportOptions, events: DeltaStreamEvents) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
    this.#dial().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#end(
        new XdsStreamError(
          'XDS_SETUP',
          `cannot prepare a connection to ${address}: ${reason}; check XDS_ADDRESS, XDS_ROOT_CA and the token file`,
          reason,
          undefined,
          { cause: error },
        ),
      );
    });
  }

  send(request: DeltaRequest): void {
    if (this.#over) return;
    if (this.#call === undefined) this.#early.push(request);
    else this.#call.write(request);
  }

  close(): void {
    this.#over = true;
    this.#release();
  }

  async #dial(): Promise<void> {
    // Loaded late: a process with a local mesh file never needs it.
    const grpc = await import('@grpc/grpc-js');
    if (this.#over) return;
    const url = new URL(this.#address);
    const secure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const credentials = secure
      ? tlsCredentials(grpc, host, this.#options.trust)
      : grpc.credentials.createInsecure();
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(this.#options.headers?.() ?? {})) metadata.set(name, value);
    const target = `${url.hostname}:${url.port === '' ? (secure ? 443 : 80) : url.port}`;
    const client = new grpc.Client(target, credentials, channelOptions);
    this.#client = client;
    const timeoutMs = this.#options.connectTimeoutMs ?? 5000;
    this.#connectTimer = (this.#options.clock ?? realClock).setTimer(timeoutMs, () => {
      if (client.getChannel().getConnectivityState(false) === grpc.connectivityState.READY) return;
      this.#end(this.#connectError(`no connection within ${timeoutMs} ms`));
    });
    const call = client.makeBidiStreamRequest<DeltaRequest, DeltaResponse>(
      grpcMethod.deltaAggregatedResources,
      (request) => Buffer.from(envoy.service.discovery.v3.DeltaDiscoveryRequest.encode(request).finish()),
      (bytes) => envoy.service.discovery.v3.DeltaDiscoveryResponse.decode(bytes),
      metadata,
    );
    this.#call = call;
    call.on('metadata', () => {
      this.#established = true;
    });
    call.on('data', (response: DeltaResponse) => {
      if (!this.#over) this.#events.onResponse(response);
    });
    call.on('error', () => {
      // The status event that always follows says the same.
    });
    call.on('status', (status) => {
      if (status.code === grpc.status.OK) this.#end(undefined);
      else if (!this.#established) this.#end(this.#connectError(status.details, status.code));
      else
        this.#end(
          new XdsStreamError(
            'XDS_STATUS',
            `${this.#address} ended the stream with status ${status.code}: ${status.details}`,
            status.details,
            status.code,
          ),
        );
    });
    const early = this.#early;
    this.#early = [];
    for (const request of early) call.write(request);
  }

  #connectError(details: string, status?: number): XdsStreamError {
    return new XdsStreamError(
      'XDS_CONNECT',
      `cannot open a discovery stream to ${this.#address}: ${details}; ` +
        (isUntimelyCertificate(details)
          ? "compare the clocks of this node and of the control plane's"
          : 'check that the control plane runs, XDS_ADDRESS, and XDS_ROOT_CA if its certificate is not trusted'),
      details,
      status,
    );
  }

  #end(error: XdsStreamError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    this.#events.onEnd(error);
  }

  #release(): void {
    this.#early = [];
    this.#connectTimer?.[Symbol.dispose]();
    this.#call?.cancel();
    this.#client?.close();
  }
}

const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  // Reconnecting is the client's business, with its own delays and fresh roots.
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
};
