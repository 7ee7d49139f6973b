import type { DialOptions, KeepAlive, Reactor, SocketAddress } from '@ambient/linux';
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
  /** Uid of the workload at the destination; another one may get the address after it. Empty where it is not known. */
  readonly workload: string;
}

export interface PoolRequest {
  readonly key: PoolKey;
  readonly connect: ConnectRequest;
  /** The client's certificate and roots: asked for when a connection is dialled, since they are renewed meanwhile. */
  readonly context: () => TlsContext;
  readonly verify: VerifyPeer;
  readonly sink: TunnelSink;
  /** The tunnel that was opened for this request; told before the request is sent. */
  onTunnel(tunnel: HboneTunnel): void;
}

interface Bucket {
  readonly key: string;
  readonly of: PoolKey;
  readonly workload: string;
  readonly destinationIp: string;
  readonly connections: ClientConnection[];
  readonly waiting: Place[];
  dialling: ClientConnection | undefined;
  /** The workload has left this address: what still comes to stand here is for those who wait already. */
  retired: boolean;
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

/** What leads to each workload, over all pools of a worker: a workload that goes or moves is looked up, not searched for. */
export class PoolDirectory {
  readonly #buckets = new Map<string, Set<Bucket>>();

  /** @internal for HbonePool */
  add(bucket: Bucket): void {
    if (bucket.workload === '') return;
    const known = this.#buckets.get(bucket.workload);
    if (known === undefined) this.#buckets.set(bucket.workload, new Set([bucket]));
    else known.add(bucket);
  }

  /** @internal for HbonePool */
  remove(bucket: Bucket): void {
    const known = this.#buckets.get(bucket.workload);
    if (known?.delete(bucket) === true && known.size === 0) this.#buckets.delete(bucket.workload);
  }

  /**
   * A workload has changed or is gone: connections to an address that it does not have any more take no new tunnels, and
   * close with their last one.
   * @param hasAddress whether it has this one now
   */
  onWorkloadChange(uid: string, hasAddress: (ip: string) => boolean): void {
    for (const bucket of [...(this.#buckets.get(uid) ?? [])])
      if (!hasAddress(bucket.destinationIp)) retire(bucket);
  }
}

function isSameKey(one: PoolKey, other: PoolKey): boolean {
  return (
    one.workload === other.workload &&
    one.sourceIdentity === other.sourceIdentity &&
    one.sourceIp === other.sourceIp &&
    one.destination.port === other.destination.port &&
    one.destination.ip === other.destination.ip &&
    one.expectedIdentities.length === other.expectedIdentities.length &&
    one.expectedIdentities.every((identity, i) => identity === other.expectedIdentities[i])
  );
}

function retire(bucket: Bucket): void {
  bucket.retired = true;
  for (const connection of [...bucket.connections]) connection.release();
}

/** Client connections by key, shared by the tunnels of one pod in one worker. One dial per key at a time. */
export class HbonePool {
  readonly #reactor: Reactor;
  readonly #settings: HboneSettings;
  readonly #keepAlive: KeepAlive | undefined;
  readonly #buckets = new Map<string, Bucket>();
  /** The bucket that each workload was last called by: most often the next one too, and no key needs to be made. */
  readonly #latest = new Map<string, Bucket>();
  readonly #dialOptions: DialOptions;
  readonly #directory: PoolDirectory;
  #draining = false;

  /**
   * @param dialOptions of all its sockets: their mark, and the network namespace of the pod
   * @param directory shared by the pools of a worker
   */
  constructor(
    reactor: Reactor,
    settings: HboneSettings,
    keepAlive: KeepAlive | undefined,
    dialOptions: DialOptions = {},
    directory = new PoolDirectory(),
  ) {
    this.#reactor = reactor;
    this.#settings = settings;
    this.#keepAlive = keepAlive;
    this.#dialOptions = dialOptions;
    this.#directory = directory;
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
    let bucket = this.#latest.get(poolKey.workload);
    if (bucket === undefined || !isSameKey(bucket.of, poolKey)) {
      bucket = this.#bucketByKey(poolKey);
      this.#latest.set(poolKey.workload, bucket);
    }
    bucket.retired = false; // whoever asks now has read it from the mesh as it is
    return bucket;
  }

  #bucketByKey(poolKey: PoolKey): Bucket {
    const to = formatAddress(poolKey.destination);
    const { workload } = poolKey;
    const ids = poolKey.expectedIdentities.join(' ');
    const key = `${poolKey.sourceIdentity} ${poolKey.sourceIp} ${to} ${workload} ${ids}`;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = {
        key,
        of: poolKey,
        workload,
        destinationIp: poolKey.destination.ip,
        connections: [],
        waiting: [],
        dialling: undefined,
        retired: false,
      };
      this.#buckets.set(key, bucket);
      this.#directory.add(bucket);
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
          if (this.#draining || bucket.retired) opened.release();
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
    connection.dial(to, request.context(), this.#dialOptions, this.#keepAlive);
  }

  #serveWaiting(bucket: Bucket): void {
    this.#fill(bucket);
    const next = bucket.waiting[0];
    if (next !== undefined && bucket.dialling === undefined) this.#dial(bucket, next.request);
  }

  #fill(bucket: Bucket): void {
    for (const connection of bucket.connections)
      while (bucket.waiting.length > 0 && connection.available)
        this.#open(connection, bucket.waiting.shift()!);
  }

  #forget(bucket: Bucket, gone: ClientConnection, error: HboneError): void {
    const at = bucket.connections.indexOf(gone);
    if (at >= 0) bucket.connections.splice(at, 1);
    if (bucket.dialling === gone) {
      bucket.dialling = undefined;
      this.#fill(bucket); // a server that was silent may have spoken meanwhile
      for (const { request } of bucket.waiting.splice(0)) request.sink.onTunnelClosed(error);
    }
    if (bucket.connections.length > 0 || bucket.dialling !== undefined || bucket.waiting.length > 0) return;
    this.#buckets.delete(bucket.key);
    if (this.#latest.get(bucket.workload) === bucket) this.#latest.delete(bucket.workload);
    this.#directory.remove(bucket);
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
      this.#directory.remove(bucket);
    }
    this.#buckets.clear();
    this.#latest.clear();
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
