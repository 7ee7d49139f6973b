import { status } from '@grpc/grpc-js';
import type { ChannelOptions, Metadata, Server, ServerDuplexStream } from '@grpc/grpc-js';
import type { PeerCertificate } from 'node:tls';
import { grpcMethod } from '@ambient/wire';

import type { DeltaServer, StreamEvents } from './delta-server.ts';
import type { ClientIdentity } from './node-check.ts';
import type { DiscoveryRefusal } from './refusal.ts';
import type { StreamTransport } from './session.ts';

/** The other end of a call, as far as the connection shows it. */
export interface CallPeer {
  /** `address:port`. */
  readonly address: string;
  /** The client's certificate, if the server's credentials ask for one; whether they verify it is their business. */
  readonly certificate: PeerCertificate | undefined;
}

/** Says who calls. Rejects with a DiscoveryRefusal (XDS_UNAUTHENTICATED) whom it does not let in. */
export type Authenticate = (metadata: Metadata, peer: CallPeer) => Promise<ClientIdentity>;

type Call = ServerDuplexStream<Buffer, Buffer>;

/** A call of the variant in which each response holds everything: messages are bytes, as they are on the wire. */
export type StateOfTheWorldCall = Call;

/**
 * Options of a grpc-js Server that serves discovery. Clients ping every 30 s (Istio's ztunnel) or 10 s; nothing here limits
 * that, and grpc-js answers pings by itself. A client that says nothing for 30 s is pinged, and dropped after 10 s more.
 */
export const discoveryServerOptions: ChannelOptions = {
  // What a returning client says it holds: 50,000 names with their versions are 5 MB.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc.max_send_message_length': 200 * 1024 * 1024,
  'grpc.max_concurrent_streams': 16,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/**
 * Serves `DeltaAggregatedResources` on a server that may have other services beside.
 *
 * @param stateOfTheWorld who answers the other variant, which is no discovery here; refused by name if absent
 */
export function addDiscoveryService(
  server: Server,
  discovery: DeltaServer,
  authenticate: Authenticate,
  stateOfTheWorld: (call: StateOfTheWorldCall) => void = refuseStateOfTheWorld,
): void {
  const asItIs = (bytes: Buffer): Buffer => bytes;
  const stream = {
    requestStream: true,
    responseStream: true,
    // Messages are encoded and decoded by the server itself: a malformed one is its business, an encoded one is shared.
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  } as const;
  server.addService(
    {
      DeltaAggregatedResources: { ...stream, path: grpcMethod.deltaAggregatedResources },
      StreamAggregatedResources: { ...stream, path: grpcMethod.streamAggregatedResources },
    },
    {
      DeltaAggregatedResources: (call: Call) => {
        new GrpcStreamTransport(call, discovery, authenticate);
      },
      StreamAggregatedResources: stateOfTheWorld,
    },
  );
}

/** Ends such a call with a text that names the variant to use. */
export function refuseStateOfTheWorld(call: StateOfTheWorldCall): void {
  call.on('error', () => {});
  call.emit('error', {
    code: status.UNIMPLEMENTED,
    details: 'only incremental discovery is served here: use DeltaAggregatedResources',
  });
}

class GrpcStreamTransport implements StreamTransport {
  readonly peer: string;
  readonly #call: Call;
  readonly #authenticate: Authenticate;
  readonly #events: StreamEvents;
  #open = true;

  constructor(call: Call, discovery: DeltaServer, authenticate: Authenticate) {
    this.#call = call;
    this.#authenticate = authenticate;
    this.peer = call.getPeer();
    this.#events = discovery.accept(this);
    call.on('drain', () => this.#events.drained());
    call.on('cancelled', () => this.#ended());
    // Writing to a stream that has just been reset; `cancelled` follows.
    call.on('error', () => this.#ended());
  }

  authenticate(): Promise<ClientIdentity> {
    const certificate = this.#call.getAuthContext().sslPeerCertificate;
    return this.#authenticate(this.#call.metadata, { address: this.peer, certificate });
  }

  read(): void {
    this.#call.on('data', (bytes: Buffer) => {
      if (this.#open) this.#events.receive(bytes);
    });
    this.#call.on('end', () => {
      if (!this.#open) return;
      this.#ended();
      this.#call.end();
    });
  }

  write(bytes: Buffer, flushed: () => void): boolean {
    return this.#call.write(bytes, flushed);
  }

  close(refusal: DiscoveryRefusal | undefined): void {
    this.#open = false;
    if (refusal === undefined) this.#call.end();
    else this.#call.emit('error', { code: refusal.status, details: refusal.message });
  }

  #ended(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#events.ended();
  }
}
