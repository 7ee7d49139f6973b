import { PoolDirectory } from '@ambient/hbone';
import { NetworkNamespace, SystemError } from '@ambient/linux';
import type { MeshChange } from '@ambient/mesh';
import { describeError } from '@ambient/runtime';
import { ProxyError } from '../connections/failure.ts';
import type { LocalFacts } from './local-workload.ts';
import type {
  BoundPorts,
  ConnectionReport,
  EndedConnectionReport,
  FromWorker,
  PodStart,
} from './messages.ts';
import { OwnInbound } from './own-inbound.ts';
import type { CaptureWorker } from './pod-capture.ts';
import { PodCapture } from './pod-capture.ts';

/** Dedicated mode's one pod; the main thread counts from 1. */
const OWN_ID = 0;

export interface PodCapturesOptions extends Omit<CaptureWorker, 'directory'> {
  readonly post: (message: FromWorker) => void;
}

/** The pods of one worker. In dedicated mode that is one, in the process's own network namespace. */
export class PodCaptures {
  readonly #worker: CaptureWorker;
  readonly #post: (message: FromWorker) => void;
  /** By `PodStart.id`. */
  readonly #pods = new Map<number, PodCapture>();
  /** Workloads that pods here have been found to be. */
  #uids = new Set<string>();
  /** The proxy's own pod in shared mode. */
  readonly #own: OwnInbound | undefined;
  #started = false;
  #draining = false;

  constructor(options: PodCapturesOptions) {
    this.#worker = { ...options, directory: new PoolDirectory() };
    this.#post = options.post;
    this.#own = this.#openOwn();
  }

  /** The pods of the node matter more than the proxy's own: without it the worker goes on. */
  #openOwn(): OwnInbound | undefined {
    const { mode, ownWorkload, ports, proxyEnabled } = this.#worker.shared.settings;
    if (mode !== 'shared' || !proxyEnabled || ownWorkload === undefined) return undefined;
    try {
      return new OwnInbound(this.#worker, ownWorkload);
    } catch (error) {
      this.#worker.shared.log.log('error', "the proxy's own pod is not served: is its port of HBONE taken?", {
        port: ports.inboundHbone,
        error: describeError(error),
      });
      return undefined;
    }
  }

  get size(): number {
    return this.#pods.size;
  }

  /** The pod of dedicated mode. @throws SystemError */
  addOwn(facts: LocalFacts): BoundPorts {
    const pod = new PodCapture(this.#worker, { facts });
    this.#keep(OWN_ID, pod);
    return pod.ports;
  }

  /** Answers by `pod-ready` or `pod-failed`. */
  add(start: PodStart): void {
    const { id } = start;
    if (this.#draining || this.#pods.has(id)) {
      const why = this.#draining ? 'the proxy is shutting down' : `there is a pod ${id} already`;
      this.#post({ kind: 'pod-failed', id, message: why, byPod: false });
      return;
    }
    const { settings } = this.#worker.shared;
    const { nodeName, network, clusterId } = settings.place;
    const namespace = NetworkNamespace.borrow(start.netnsFd);
    try {
      const facts = { name: start.name, node: nodeName, trustDomain: start.trustDomain, network, clusterId };
      this.#keep(id, new PodCapture(this.#worker, { facts, id, namespace }));
    } catch (error) {
      namespace.close();
      // Nobody but the pod says who listens in its namespace, and which addresses are there.
      const byPod =
        error instanceof SystemError && (error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL');
      this.#post({ kind: 'pod-failed', id, message: describeError(error), byPod });
      return;
    }
    this.#post({ kind: 'pod-ready', id });
  }

  #keep(id: number, pod: PodCapture): void {
    this.#pods.set(id, pod);
    if (pod.workloadUid !== undefined) this.#uids.add(pod.workloadUid);
    if (this.#started) pod.start();
  }

  /** Drains the pod and closes it; answers by `pod-gone`. */
  remove(id: number, deadlineMs: number): void {
    const pod = this.#pods.get(id);
    if (pod === undefined) {
      this.#post({ kind: 'pod-gone', id });
      return;
    }
    const error = new ProxyError('pod-removed', 'the pod is gone and its grace period is over');
    pod.drain({ deadlineMs, listeners: 'keep', error }, () => {
      if (!this.#pods.delete(id)) return;
      pod.close(error);
      this.#post({ kind: 'pod-gone', id });
    });
  }

  /** Accepting begins, also for pods that come later. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#own?.start();
    for (const pod of this.#pods.values()) pod.start();
  }

  onMeshChange(change: MeshChange): void {
    const { shared, metrics, directory } = this.#worker;
    const { store } = shared;
    const { nodeName } = shared.settings.place;
    if (change.workloads.length > 0 || change.services.length > 0) metrics.forget();
    let touchesPods = false;
    for (const uid of change.workloads) {
      const workload = store.workload(uid);
      touchesPods ||= workload?.node === nodeName || this.#uids.has(uid);
      directory.onWorkloadChange(
        uid,
        // One without addresses is reached by its hostname, which is resolved for each connection.
        (ip) =>
          workload !== undefined && (workload.addresses.length === 0 || workload.addresses.includes(ip)),
      );
    }
    if (touchesPods) {
      this.#uids = new Set();
      this.#own?.onMeshChange();
      for (const pod of this.#pods.values()) {
        pod.onMeshChange();
        if (pod.workloadUid !== undefined) this.#uids.add(pod.workloadUid);
      }
    }
    if (!change.policiesChanged) return;
    this.#own?.connections.recheckPolicies();
    for (const pod of this.#pods.values()) pod.connections.recheckPolicies();
  }

  recheckRevocations(): void {
    this.#own?.recheckRevocations();
    for (const pod of this.#pods.values()) pod.recheckRevocations();
  }

  /** Brings the byte counters up to date. */
  reportBytes(): void {
    this.#own?.connections.reportBytes();
    for (const pod of this.#pods.values()) pod.connections.reportBytes();
  }

  reports(): ConnectionReport[] {
    return [...this.#pods.values()].flatMap((pod) => pod.connections.reports());
  }

  /** Connections that have ended since the last call. */
  takeEnded(): EndedConnectionReport[] {
    return [...this.#pods.values()].flatMap((pod) => pod.connections.takeEnded());
  }

  /** The process ends: another one may listen already. @param done told once, with how many connections were cut */
  drain(deadlineMs: number, done: (cut: number) => void): void {
    this.#draining = true;
    const error = new ProxyError('drain-deadline', 'the proxy is shutting down and its grace period is over');
    let left = this.#pods.size + (this.#own === undefined ? 0 : 1);
    let cut = 0;
    if (left === 0) done(0);
    const drained = (each: number): void => {
      cut += each;
      if (--left === 0) done(cut);
    };
    this.#own?.drain({ deadlineMs, error }, drained);
    for (const pod of [...this.#pods.values()]) pod.drain({ deadlineMs, listeners: 'close', error }, drained);
  }

  /** Cuts everything. */
  close(): void {
    this.#own?.close();
    for (const pod of this.#pods.values()) pod.close();
    this.#pods.clear();
  }
}
