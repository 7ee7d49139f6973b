import type { UnixSocket } from '@ambient/linux';
import { EventLoopReactor } from '@ambient/linux';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import { ZdsConnection } from './connection.ts';
import type { PreparePacket } from './connection.ts';
import { ZdsError } from './errors.ts';
import type { ZdsReply, ZdsWorkload } from './messages.ts';
import { encodeAdd, encodeDel, encodeKeep, encodeSnapshotSent } from './messages.ts';
import type { PlaceHolder } from './socket-place.ts';
import { SocketPlace } from './socket-place.ts';

/** A pod whose traffic goes through ztunnel. */
export interface ZdsPod extends ZdsWorkload {
  /** Its network namespace, open; undefined while that has not been found (after a restart of the agent). */
  readonly netns: { readonly fd: number } | undefined;
}

export interface ZdsServerOptions {
  /** Where ztunnel dials; Istio's is /var/run/ztunnel/ztunnel.sock. */
  readonly path: string;
  /**
   * The node's enrolled pods by UID, kept current by the owner. What a new ztunnel is told first; a pod is read from here
   * when its turn comes, so a namespace may be closed as soon as its pod is out of the map.
   */
  readonly pods: ReadonlyMap<string, ZdsPod>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with the number of ztunnels that are connected, whenever it changes. */
  readonly onConnected?: (count: number) => void;
  /** For a hello and for each reply, milliseconds; Istio's 5000. */
  readonly replyTimeoutMs?: number;
}

const REPLY_TIMEOUT_MS = 5000;
/** Five connections are accepted a second: a ztunnel that fails at once must not keep the agent busy. */
const ACCEPT_INTERVAL_MS = 200;

/**
 * The agent's side of ZDS, by which ztunnel learns of a node's pods: seqpacket, one bare message a packet, a pod's network
 * namespace beside it as a descriptor (facts §6). Several ztunnels may be connected, during an upgrade: the newest gets
 * the new pods, all are told of those that go.
 */
export class ZdsServer {
  readonly #options: ZdsServerOptions;
  readonly #reactor: EventLoopReactor;
  #place: SocketPlace;
  /** In order of arrival. */
  readonly #connections = new Set<ZdsConnection>();
  #acceptAgain: Disposable | undefined;
  #stopped = false;

  /** Listens, in place of whoever listened there before. @throws SystemError */
  static listen(options: ZdsServerOptions): ZdsServer {
    const server = new ZdsServer(options);
    server.begin();
    return server;
  }

  /** Takes the place of whoever listened there before; a ztunnel that dials waits until `begin`. @throws SystemError */
  static claim(options: ZdsServerOptions): ZdsServer {
    return new ZdsServer(options);
  }

  private constructor(options: ZdsServerOptions) {
    this.#options = options;
    this.#place = new SocketPlace(options.path);
    try {
      this.#reactor = new EventLoopReactor((error) => this.#fault(error));
    } catch (error) {
      this.#place.close();
      throw error;
    }
  }

  /** Serves the ztunnels that dial, from now on. */
  begin(): void {
    this.#listen();
  }

  /** Whom a ztunnel that dials finds. A file may be removed by hand, or by an agent that had taken the place and left. */
  get holder(): PlaceHolder {
    return this.#place.holder;
  }

  /** Whether the agent that had the place before still listens. */
  beforeListens(): Promise<boolean> {
    return this.#place.beforeListens();
  }

  /** Makes the socket file anew; ztunnels that are connected stay so. @throws SystemError it listens as before */
  listenAgain(): void {
    const place = new SocketPlace(this.#options.path);
    this.#acceptAgain?.[Symbol.dispose]();
    this.#reactor.unregister(this.#place.listener.fd);
    this.#place.close();
    this.#place = place;
    this.#listen();
  }

  /** Ztunnels that are connected, said hello or not. */
  get connected(): number {
    return this.#connections.size;
  }

  /**
   * Hands a pod to the newest ztunnel, after whatever that has still to be told. The namespace stays open until this
   * settles.
   * @throws ZdsError ERR_ZDS_NO_ZTUNNEL, ERR_ZDS_REFUSED (ztunnel goes on trying), or as `ZdsConnection.request`
   */
  async add(pod: ZdsPod & { readonly netns: { readonly fd: number } }): Promise<void> {
    const newest = [...this.#connections].at(-1);
    if (newest === undefined) throw new ZdsError('ERR_ZDS_NO_ZTUNNEL', `cannot hand over pod ${pod.uid}`);
    const reply = await newest.request(() => ({ bytes: encodeAdd(pod), netns: pod.netns.fd }));
    accepted(reply, `ztunnel refuses pod ${pod.namespace}/${pod.name}`);
  }

  /**
   * Tells every ztunnel that a pod is gone; with none connected there is nobody to tell, and that is no error.
   * @throws ZdsError the first failure, after all have been told
   */
  async del(uid: string): Promise<void> {
    const replies = await Promise.allSettled(
      [...this.#connections].map(async (connection) => {
        const reply = await connection.request(() => ({ bytes: encodeDel(uid) }));
        accepted(reply, `ztunnel refuses to release pod ${uid}`);
      }),
    );
    for (const reply of replies) if (reply.status === 'rejected') throw reply.reason;
  }

  /** Closes every connection (ztunnels go on carrying traffic, and dial again) and removes its own socket file. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#acceptAgain?.[Symbol.dispose]();
    this.#reactor.unregister(this.#place.listener.fd);
    // Before the place is given up: who waits for that finds no ztunnel here any more.
    for (const connection of [...this.#connections]) connection.close();
    this.#place.close();
    await this.#reactor.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #listen(): void {
    this.#acceptAgain = undefined;
    this.#reactor.registerReadable(this.#place.listener.fd, {
      onReadiness: () => this.#accept(),
      onFault: (error) => this.#fault(error),
    });
  }

  #accept(): void {
    // Before accept(2), which may fail for want of descriptors: then too the next attempt waits.
    this.#reactor.unregister(this.#place.listener.fd);
    this.#acceptAgain = this.#options.clock.setTimer(ACCEPT_INTERVAL_MS, () => this.#listen());
    const socket = this.#place.listener.accept();
    if (socket !== undefined) this.#welcome(socket);
  }

  #welcome(socket: UnixSocket): void {
    const { clock, logger, replyTimeoutMs = REPLY_TIMEOUT_MS } = this.#options;
    const connection: ZdsConnection = new ZdsConnection({
      socket,
      reactor: this.#reactor,
      clock,
      replyTimeoutMs,
      snapshot: () => this.#snapshot(),
      onSnapshotRefused: (reason) => logger.warn('ztunnel refuses a part of the snapshot', { reason }),
      onClosed: (error) => {
        this.#connections.delete(connection);
        this.#changed();
        if (!this.#stopped)
          logger.warn('ztunnel is gone', { connected: this.connected, reason: error.message });
      },
    });
    this.#connections.add(connection);
    this.#changed();
    logger.info('ztunnel has connected', { connected: this.connected });
  }

  #snapshot(): PreparePacket[] {
    const { pods } = this.#options;
    const packets: PreparePacket[] = [...pods.keys()].map((uid) => () => {
      const pod = pods.get(uid);
      if (pod === undefined) return undefined; // gone since; ztunnel has not heard of it
      if (pod.netns === undefined) return { bytes: encodeKeep(uid) };
      return { bytes: encodeAdd(pod), netns: pod.netns.fd };
    });
    return [...packets, () => ({ bytes: encodeSnapshotSent() })];
  }

  #changed(): void {
    this.#options.onConnected?.(this.connected);
  }

  #fault(error: unknown): void {
    this.#options.logger.error('the socket for ztunnel fails; it is tried again', {
      error: describeError(error),
    });
  }
}

function accepted(reply: ZdsReply, what: string): void {
  if (reply.kind === 'refused') throw new ZdsError('ERR_ZDS_REFUSED', `${what}: ${reply.reason}`);
}
