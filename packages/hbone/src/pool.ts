import type { KeepAlive, Reactor, SocketAddress } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import type { VerifyPeer } from './client-connection.ts';
import { ClientConnection } from './client-connection.ts';
import type { ConnectRequest } from './connect-headers.ts';
import { HboneError } from './errors.ts';
import type { HboneSettings } from './settings.ts';
import type { HboneTunnel, TunnelSink } from './tunnel.ts';

/** Where a tunnel leads and as whom: tunnels share a connection only when all of this is equal. */
export interface PoolKey {
  /** SPIFFE id of the client. */
  readonly sourceIdentity: string;
  /** The server must prove one of these. */
  readonly expectedIdentities: readonly string[];
  readonly destination: SocketAddress;
  readonly sourceIp: string;
}

export interface PoolRequest {
  readonly key: PoolKey;
  readonly connect: ConnectRequest;
  /** The client's certificate and roots: asked for when a connection is dialled, since they are renewed meanwhile. */
  readonly context: () => TlsContext;
  readonly verify: VerifyPeer;
  readonly mark: number | undefined;
  readonly sink: TunnelSink;
  /** The tunnel that was opened for this request; told before the request is sent. */
  onTunnel(tunnel: HboneTunnel): void;
}

interface Bucket {
  readonly key: string;
  readonly connections: ClientConnection[];
  readonly waiting: Place[];
  dialling: ClientConnection | undefined;
}

/** A request on its way to a tunnel. */
interface Place {
  readonly request: PoolRequest;
  bucket: Bucket;
  /** How often a server has refused it unseen: REFUSED_STREAM, which makes it safe to ask again (RFC 9113, section 8.7). */
  refusals: number;
}

/** Once may be a server that goes away; one that refuses again means it. */
const MAX_REFUSALS = 1;

/** A place in the pool's queue, to give up before the connection stands. */
export interface PendingTunnel {
  cancel(): void;
}

/** Client connections by key, shared by the tunnels of one worker. One dial per key at a time. */
export class HbonePool {
  readonly #reactor: Reactor;
  readonly #settings: HboneSettings;
  readonly #keepAlive: KeepAlive | undefined;
  readonly #buckets = new Map<string, Bucket>();
  #draining = false;

  constructor(reactor: Reactor, settings: HboneSettings, keepAlive: KeepAlive | undefined) {
    this.#reactor = reactor;
    this.#settings = settings;
    this.#keepAlive = keepAlive;
  }

  /** Connections that stand or are being made. */
  get connectionCount(): number {
    let count = 0;
    for (const bucket of this.#buckets.values())
      count += bucket.connections.length + (bucket.dialling === undefined ? 0 : 1);
    return count;
  }

  /** Opens a tunnel in a connection that has room, or in a new one. Failure is told to the request's sink. */
  request(request: PoolRequest): PendingTunnel {
    const place: Place = { request, bucket: this.#bucketOf(request.key), refusals: 0 };
    this.#seat(place);
    return {
      cancel: () => {
        const { waiting } = place.bucket;
        const at = waiting.indexOf(place);
        if (at >= 0) waiting.splice(at, 1);
      },
    };
  }

  #seat(place: Place): void {
    const { bucket } = place;
    const connection = bucket.connections.find((each) => each.available);
    if (connection !== undefined && this.#open(connection, place)) return;
    bucket.waiting.push(place);
    if (bucket.dialling === undefined) this.#dial(bucket, place.request);
  }

  #bucketOf(poolKey: PoolKey): Bucket {
    const to = formatAddress(poolKey.destination);
    const key = `${poolKey.sourceIdentity} ${poolKey.sourceIp} ${to} ${poolKey.expectedIdentities.join(' ')}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { key, connections: [], waiting: [], dialling: undefined };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  #dial(bucket: Bucket, request: PoolRequest): void {
    const to = request.key.destination;
    const connection = new ClientConnection(
      this.#reactor,
      this.#settings,
      request.verify,
      formatAddress(to),
      {
        onOpen: (opened) => {
          bucket.dialling = undefined;
          bucket.connections.push(opened);
          this.#serveWaiting(bucket);
        },
        onTunnelClosed: () => {
          if (bucket.waiting.length > 0) this.#serveWaiting(bucket);
        },
        onGone: (gone, error) => {
          this.#forget(bucket, gone, error);
        },
      },
    );
    bucket.dialling = connection;
    connection.dial(to, request.context(), { mark: request.mark }, this.#keepAlive);
  }

  #serveWaiting(bucket: Bucket): void {
    for (const connection of bucket.connections)
      while (bucket.waiting.length > 0 && connection.available)
        this.#open(connection, bucket.waiting.shift()!);
    const next = bucket.waiting[0];
    if (next !== undefined && bucket.dialling === undefined) this.#dial(bucket, next.request);
  }

  #forget(bucket: Bucket, gone: ClientConnection, error: HboneError): void {
    const at = bucket.connections.indexOf(gone);
    if (at >= 0) bucket.connections.splice(at, 1);
    if (bucket.dialling === gone) {
      bucket.dialling = undefined;
      for (const { request } of bucket.waiting.splice(0)) request.sink.onTunnelClosed(error);
    }
    if (bucket.connections.length === 0 && bucket.dialling === undefined && bucket.waiting.length === 0)
      this.#buckets.delete(bucket.key);
  }

  /** Asks about the server of every connection again. @param judge what is wrong with a verified chain, in DER */
  recheckPeers(judge: (chain: readonly Buffer[]) => HboneError | undefined): void {
    for (const bucket of [...this.#buckets.values()])
      for (const connection of [...bucket.connections]) {
        const error = judge(connection.peerChain());
        if (error !== undefined) connection.fail(error);
      }
  }

  /** Connections to be left: no new tunnels there, closed with their last one. */
  drain(): void {
    this.#draining = true;
    for (const bucket of this.#buckets.values())
      for (const connection of [...bucket.connections]) connection.release();
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Cuts everything. */
  close(): void {
    const error = new HboneError('shut-down', 'the proxy is shutting down');
    for (const bucket of [...this.#buckets.values()]) {
      bucket.dialling?.fail(error);
      for (const connection of [...bucket.connections]) connection.fail(error);
    }
    this.#buckets.clear();
  }

  /** @returns false when the connection takes no more; a request that cannot be sent at all is told so, and done with */
  #open(connection: ClientConnection, place: Place): boolean {
    const { request } = place;
    let tunnel: HboneTunnel | undefined;
    try {
      tunnel = connection.openTunnel(request.connect, request.sink);
    } catch (cause) {
      request.sink.onTunnelClosed(
        new HboneError('defect', `this CONNECT request cannot be sent: ${String(cause)}`, { cause }),
      );
      return true;
    }
    if (tunnel === undefined) return false;
    if (place.refusals < MAX_REFUSALS)
      tunnel.retry = () => {
        place.refusals++;
        place.bucket = this.#bucketOf(request.key);
        this.#seat(place);
      };
    request.onTunnel(tunnel);
    return true;
  }
}
