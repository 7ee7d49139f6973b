import type { LocalWorkloadName } from '@ambient/mesh';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { LocalIdentities } from '../certificates/local-identities.ts';
import type { FromWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';
import { PodCaptureError } from './errors.ts';
import { PodCapture } from './pod-capture.ts';
import type { PodNamespace } from './pod-namespace.ts';

/** What workers say of pods. */
export type PodAnswer = Extract<FromWorker, { readonly kind: 'pod-ready' | 'pod-failed' | 'pod-gone' }>;

/** A pod as the node agent hands it over. */
export interface NodePod {
  /** Kubernetes UID. */
  readonly uid: string;
  readonly name: LocalWorkloadName;
  /** The registry becomes its holder. */
  readonly namespace: PodNamespace;
}

/** A pod as dumps show it. */
export interface NodePodStatus {
  readonly uid: string;
  readonly name: LocalWorkloadName;
  /** `Pending` while it cannot be captured, or is just being. */
  readonly state: 'Pending' | 'Up';
  /** By which connections name it (`ConnectionReport.pod`). */
  readonly captureId: number | undefined;
}

/** Hooks for the workload_manager_* metrics. */
export interface NodePodsMetrics {
  /** By how much the number of served and of waiting pods has changed. */
  active(delta: number): void;
  pending(delta: number): void;
  started(): void;
  stopped(): void;
}

export interface NodePodsOptions {
  readonly clock: Clock;
  /** What connections of a pod that is gone may still take, milliseconds. */
  readonly drainMs: number;
  /** Of pods whose workload the control plane has not told yet; asked for each. */
  readonly trustDomain: () => string;
  /** Told of the identity of each pod that is served, and when nothing of it is left. */
  readonly identities: Pick<LocalIdentities, 'hold' | 'release'>;
  readonly metrics: NodePodsMetrics;
  readonly log: Logger;
}

interface Entry extends NodePod {
  capture: PodCapture | undefined;
  state: 'Pending' | 'Up';
  /** It is itself the cause that it is not served, as the last attempt found. */
  byPod: boolean;
}

/**
 * The pods of this node whose traffic is carried, as the node agent has told of them. Pods stay when the agent goes; what
 * changes the list is only the agent's word.
 */
export class NodePods implements Disposable {
  readonly #options: NodePodsOptions;
  readonly #workers = new Set<WorkerLink>();
  readonly #pods = new Map<string, Entry>();
  /** By id, those that end included. */
  readonly #captures = new Map<number, PodCapture>();
  #pending = 0;
  #nextId = 1;

  constructor(options: NodePodsOptions) {
    this.#options = options;
  }

  /** Whether a pod that was handed over is not served. */
  get havePending(): boolean {
    return this.#pending > 0;
  }

  /**
   * Whether all is served that can be. A pod that is itself in the way, as by listening on a port of the proxy, does not
   * count: it would keep the process unready for all other pods of the node, and with it every upgrade of the DaemonSet
   * from going on.
   */
  get settled(): boolean {
    if (this.#pending === 0) return true;
    for (const { state, byPod } of this.#pods.values()) if (state === 'Pending' && !byPod) return false;
    return true;
  }

  /**
   * Serves a pod. The same pod in the same namespace is left as it is; in another, it is another one, and the connections
   * of the old one end within the grace.
   * @throws PodCaptureError the pod then waits for {@link retryPending}
   */
  async add(pod: NodePod): Promise<void> {
    const known = this.#pods.get(pod.uid);
    if (known?.state === 'Up' && known.namespace.identity === pod.namespace.identity) {
      pod.namespace.release();
      return;
    }
    if (known !== undefined) this.remove(pod.uid);
    const entry: Entry = { ...pod, capture: undefined, state: 'Pending', byPod: false };
    this.#pods.set(pod.uid, entry);
    this.#countPending(1);
    await this.#capture(entry);
  }

  /** The pod is gone, or no longer to be served; unknown ones are no error. Its connections end within the grace. */
  remove(uid: string): void {
    const entry = this.#pods.get(uid);
    if (entry === undefined) return;
    const { metrics, drainMs, log } = this.#options;
    this.#pods.delete(uid);
    if (entry.state === 'Pending') this.#countPending(-1);
    else {
      metrics.active(-1);
      metrics.stopped();
      log.info('pod released', { ...describePod(entry), grace: `${drainMs}ms` });
    }
    entry.capture?.end(drainMs);
    entry.namespace.release();
  }

  /** Drops the pods that are not among these. */
  retain(uids: ReadonlySet<string>): void {
    for (const uid of [...this.#pods.keys()]) if (!uids.has(uid)) this.remove(uid);
  }

  /** Forgets the pods that are not served yet: the agent will name them again. */
  dropPending(): void {
    for (const { uid, state } of [...this.#pods.values()]) if (state === 'Pending') this.remove(uid);
  }

  /** Tries to capture those that wait, all at once: the agent's next request has to wait meanwhile. */
  async retryPending(): Promise<void> {
    const waiting = [...this.#pods.values()].filter(
      ({ state, capture }) => state === 'Pending' && capture === undefined,
    );
    await Promise.all(
      waiting.map(async (entry) => {
        try {
          await this.#capture(entry);
        } catch (error) {
          this.#options.log.warn('pod still cannot be captured, trying again', {
            ...describePod(entry),
            error: describeError(error),
          });
        }
      }),
    );
  }

  /** Tells a new worker of all pods. */
  introduce(worker: WorkerLink): void {
    this.#workers.add(worker);
    for (const capture of this.#captures.values()) capture.introduce(worker);
  }

  /** A worker is gone. */
  forget(worker: WorkerLink): void {
    this.#workers.delete(worker);
    for (const capture of [...this.#captures.values()]) capture.forget(worker);
  }

  /** A worker has answered. */
  onAnswer(worker: WorkerLink, message: PodAnswer): void {
    const capture = this.#captures.get(message.id);
    switch (message.kind) {
      case 'pod-ready':
        capture?.answered(worker, 'ready');
        break;
      case 'pod-failed':
        capture?.answered(worker, message);
        break;
      case 'pod-gone':
        capture?.answered(worker, 'gone');
        break;
    }
  }

  /** In the order in which they came. */
  status(): NodePodStatus[] {
    return Array.from(this.#pods.values(), ({ uid, name, state, capture }) => ({
      uid,
      name,
      state,
      captureId: capture?.id,
    }));
  }

  /** Closes every namespace. To be called when the workers have ended: until then they carry what is under way. */
  [Symbol.dispose](): void {
    for (const { namespace } of this.#pods.values()) namespace.release();
    this.#pods.clear();
    for (const capture of [...this.#captures.values()]) capture.abandon();
  }

  async #capture(entry: Entry): Promise<void> {
    const { clock, identities, log, metrics } = this.#options;
    const { uid, name, namespace } = entry;
    const id = this.#nextId++;
    const trustDomain = this.#options.trustDomain();
    const capture = new PodCapture({
      pod: { id, uid, name, trustDomain },
      namespace,
      workers: this.#workers,
      clock,
      onPartFailed: (worker, error) =>
        log.error('a data worker cannot capture a pod that the others serve, trying again', {
          ...describePod(entry),
          worker: worker.index,
          error,
        }),
      onEnded: () => {
        this.#captures.delete(id);
        identities.release(id);
      },
    });
    this.#captures.set(id, capture);
    entry.capture = capture;
    try {
      await capture.started;
    } catch (error) {
      if (entry.capture === capture) entry.capture = undefined;
      entry.byPod = error instanceof PodCaptureError && error.byPod;
      throw error;
    }
    // It may have been released between the last worker's word and this one.
    if (this.#pods.get(uid) !== entry) return;
    entry.state = 'Up';
    identities.hold(id, { trustDomain, namespace: name.namespace, serviceAccount: name.serviceAccount });
    this.#countPending(-1);
    metrics.active(1);
    metrics.started();
    log.info('pod captured', describePod(entry));
  }

  #countPending(delta: number): void {
    this.#pending += delta;
    this.#options.metrics.pending(delta);
  }
}

function describePod({ uid, name }: Pick<NodePod, 'uid' | 'name'>): Record<string, string> {
  return { uid, pod: `${name.namespace}/${name.name}`, service_account: name.serviceAccount };
}
