import type { HboneError, ServerConnectionOwner } from '@ambient/hbone';
import { LOCAL_CONGESTION_CONTROL, ServerConnection } from '@ambient/hbone';
import { Http2Error } from '@ambient/http';
import type { SocketAddress, TcpSocket } from '@ambient/linux';
import type { Workload } from '@ambient/mesh';
import { workloadIdentity } from '@ambient/mesh';
import { ownWorkloadUnknown, ProxyError } from '../connections/failure.ts';
import { TrafficListener } from '../connections/traffic-listener.ts';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { ClientIdentity } from './client-identity.ts';
import type { HalfOpen } from './handshake-admission.ts';
import { HandshakeAdmission } from './handshake-admission.ts';
import { RefusalLog } from './refusal-log.ts';
import { serveTunnel } from './serve-tunnel.ts';

const BACKLOG = 1024;
/** Ends that an operator wants to know of, whether the connection carried tunnels at that moment or not. */
function isPeerFault(error: HboneError): boolean {
  return error.cause instanceof Http2Error || error.code === 'ping-timeout' || error.code === 'defect';
}

/** One HBONE connection of a peer, and what its tunnels need to know. */
export interface InboundPeer {
  readonly connection: ServerConnection;
  readonly client: ClientIdentity;
  readonly workload: Workload;
  readonly refusals: RefusalLog;
}

/** Takes HBONE connections from other proxies. */
export class HboneListener extends TrafficListener {
  readonly #workloads: LocalWorkloads;
  readonly #admission: HandshakeAdmission;
  readonly #connections = new Map<ServerConnection, ClientIdentity>();

  constructor(context: WorkerContext, at: SocketAddress, workloads: LocalWorkloads) {
    super(context, {
      at,
      backlog: BACKLOG,
      name: 'inbound',
      direction: 'inbound',
      provisionalCongestionControl: LOCAL_CONGESTION_CONTROL,
    });
    this.#workloads = workloads;
    this.#admission = new HandshakeAdmission(context.reactor, this.listener);
  }

  protected accept(socket: TcpSocket, peer: SocketAddress): void {
    if (this.context.captureProof.answer('hbone', socket, peer)) return;
    const local = socket.localAddress();
    if (local === undefined) {
      socket.close();
      return;
    }
    const refuse = (error: Error): void => {
      halfOpen.finish();
      if (socket.closed) return; // crowded out while it waited
      socket.close();
      this.context.connections.refused('inbound', peer, local, error);
    };
    const halfOpen = this.#admission.begin(refuse);
    this.#workloads.find((workload) => {
      if (workload === undefined) {
        refuse(ownWorkloadUnknown());
        return;
      }
      this.context.certificates.request(workloadIdentity(workload), (contexts, error) => {
        if (contexts === undefined)
          refuse(error ?? new ProxyError('certificate-unavailable', 'no certificate for this pod'));
        else if (!socket.closed) {
          this.#serve(socket, { peer, local }, workload, contexts.server, halfOpen);
        }
      });
    });
  }

  #serve(
    socket: TcpSocket,
    addresses: { readonly peer: SocketAddress; readonly local: SocketAddress },
    workload: Workload,
    tls: ConstructorParameters<typeof ServerConnection>[4],
    halfOpen: HalfOpen,
  ): void {
    const { peer, local } = addresses;
    const context = this.context;
    const client = new ClientIdentity(context, workload.trustDomain);
    const refusals = new RefusalLog(context.connections, peer, local);
    const owner: ServerConnectionOwner = {
      verifyClient: (leaf, chain) => client.verify(leaf, chain),
      onOpen: () => {
        halfOpen.finish();
      },
      onConnect: (offer) => {
        // A connection may last for days: each of its tunnels is for the pod as the mesh knows it now, with the policies of now.
        const current = this.#workloads.current ?? workload;
        return serveTunnel(
          context,
          { connection: offer.connection, client, workload: current, refusals },
          offer,
        );
      },
      onBadRequest: (_connection, error) => {
        refusals.refused(error);
      },
      onGone: (connection, error) => {
        halfOpen.finish();
        refusals.finish();
        this.#forget(connection, peer, local, error);
      },
    };
    let connection: ServerConnection;
    try {
      connection = new ServerConnection(context.reactor, context.hbone, socket, addresses, tls, owner);
    } catch (error) {
      halfOpen.finish();
      socket.close(); // the kernel or OpenSSL is out of something
      context.connections.refused('inbound', peer, local, error as Error);
      return;
    }
    if (connection.state === 'closed') return;
    this.#connections.set(connection, client);
    halfOpen.cut = (error) => {
      connection.fail(error);
    };
  }

  #forget(connection: ServerConnection, peer: SocketAddress, local: SocketAddress, error: HboneError): void {
    const known = this.#connections.delete(connection);
    if (error.code === 'shut-down') return;
    // Tunnels have lines of their own. Said here is why a connection without tunnels ended, and what its peer did wrong.
    const silent = known && connection.wasUsed && !isPeerFault(error);
    if (!silent) this.context.connections.refused('inbound', peer, local, error);
  }

  /** Cuts the connections whose client has been revoked. */
  recheckRevocations(): void {
    for (const [connection, client] of [...this.#connections]) {
      const error = client.findRevocation();
      if (error !== undefined) connection.fail(error);
    }
  }

  /** HBONE connections that stand or are being made. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Takes no more connections and no more tunnels; connections close with their last tunnel. */
  override drain(): void {
    super.drain();
    this.drainConnections();
  }

  /** Tells the peers that are connected to open no more tunnels; who connects anew is served. */
  drainConnections(): void {
    for (const connection of [...this.#connections.keys()]) connection.drain();
  }

  /** Cuts everything. */
  close(error: HboneError): void {
    this.listener.close();
    this.#admission.close();
    for (const connection of [...this.#connections.keys()]) connection.fail(error);
  }
}
