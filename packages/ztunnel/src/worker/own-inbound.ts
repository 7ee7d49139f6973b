import { HboneError, HbonePool } from '@ambient/hbone';
import type { SocketAddress } from '@ambient/linux';
import { Timer } from '@ambient/linux';
import type { LocalWorkloadName } from '@ambient/mesh';
import { ProxyError } from '../connections/failure.ts';
import { LiveConnections } from '../connections/live-connections.ts';
import { HboneListener } from '../inbound/hbone-listener.ts';
import { CaptureProof } from './capture-proof.ts';
import type { WorkerContext } from './context.ts';
import { LocalWorkload } from './local-workload.ts';
import type { CaptureWorker, DrainOptions } from './pod-capture.ts';

/** How often a drain looks whether it is over. */
const DRAIN_POLL_MS = 20;

/**
 * HBONE for the proxy's own pod, in shared mode: who scrapes its metrics from inside the mesh gets there under policies
 * like anywhere else. The pod is not captured, so nothing carries a mark, and the client's address is not kept (facts §6).
 */
export class OwnInbound {
  readonly #context: WorkerContext;
  readonly #workload: LocalWorkload;
  readonly #inbound: HboneListener;
  #drain: { readonly deadline: Timer; readonly poll: Timer } | undefined;

  /** Binds the port of HBONE in the process's own namespace. @throws SystemError with nothing left */
  constructor(worker: CaptureWorker, name: LocalWorkloadName) {
    const { shared } = worker;
    const { place, ports, ipv6Enabled, socket } = shared.settings;
    const reactor = worker.reactor.tenant();
    const dialOptions = { quota: worker.descriptors?.pod() };
    this.#context = {
      ...shared,
      settings: { ...shared.settings, socket: { ...socket, packetMark: undefined, originalSource: 'off' } },
      reactor,
      pool: new HbonePool(reactor, shared.hbone, shared.keepAlive, dialOptions, worker.directory),
      connections: new LiveConnections(worker.metrics, worker.accessLog, Date.now),
      captureProof: new CaptureProof(name),
      dialOptions,
    };
    this.#workload = new LocalWorkload(
      reactor,
      shared.store,
      { name, node: place.nodeName },
      {
        onFault: (error) => {
          worker.onFault(error);
        },
      },
    );
    const at: SocketAddress = { ip: ipv6Enabled ? '::' : '0.0.0.0', port: ports.inboundHbone };
    try {
      this.#inbound = new HboneListener(this.#context, at, this.#workload);
    } catch (error) {
      this.#context.pool.close();
      reactor.close();
      throw error;
    }
  }

  get connections(): LiveConnections {
    return this.#context.connections;
  }

  /** Starts to accept. */
  start(): void {
    this.#inbound.start();
  }

  /** Workloads of this node have changed. */
  onMeshChange(): void {
    this.#workload.onMeshChange();
  }

  /** The revocation list has changed: cuts whoever is on it now. */
  recheckRevocations(): void {
    this.#inbound.recheckRevocations();
  }

  /** Takes nothing new and lets connections end. @param done told once, with how many were cut at the deadline */
  drain({ deadlineMs, error }: Omit<DrainOptions, 'listeners'>, done: (cut: number) => void): void {
    if (this.#drain !== undefined) return;
    const { reactor } = this.#context;
    const finish = (cut: number): void => {
      reactor.cancelTimer(deadline);
      reactor.cancelTimer(poll);
      done(cut);
    };
    const look = (): void => {
      if (this.connections.size === 0 && this.#inbound.connectionCount === 0) finish(0);
      else reactor.setTimer(poll, DRAIN_POLL_MS);
    };
    const deadline = new Timer(() => {
      finish(this.connections.cutAll(error));
    });
    const poll = new Timer(look);
    this.#drain = { deadline, poll };
    this.#inbound.drain();
    reactor.setTimer(deadline, deadlineMs);
    look();
  }

  /** Cuts everything and closes. */
  close(): void {
    const { reactor, pool } = this.#context;
    if (this.#drain !== undefined) {
      reactor.cancelTimer(this.#drain.deadline);
      reactor.cancelTimer(this.#drain.poll);
    }
    this.#workload.close();
    this.connections.cutAll(new ProxyError('shut-down', 'the proxy was told to stop'));
    this.#inbound.close(new HboneError('shut-down', 'the proxy was told to stop'));
    pool.close();
    reactor.close();
  }
}
