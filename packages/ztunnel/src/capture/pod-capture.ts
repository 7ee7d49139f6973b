import type { Clock } from '@ambient/runtime';
import type { FromWorker, PodStart } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';
import { PodCaptureError } from './errors.ts';
import type { PodNamespace } from './pod-namespace.ts';

/** A worker's part in a capture. */
type Part = 'asked' | 'ready' | 'failed' | 'leaving';

/** Why a worker cannot capture the pod. */
type PartFailure = Pick<Extract<FromWorker, { readonly kind: 'pod-failed' }>, 'message' | 'byPod'>;

type State =
  | { readonly kind: 'starting'; readonly deadline: Disposable }
  | { readonly kind: 'up' }
  | { readonly kind: 'ending' }
  | { readonly kind: 'ended' };

export interface PodCaptureOptions {
  readonly pod: Omit<PodStart, 'netnsFd'>;
  /** Held until no worker has anything left inside. */
  readonly namespace: PodNamespace;
  readonly workers: Iterable<WorkerLink>;
  readonly clock: Clock;
  /** A worker that came later, or a second time, cannot capture the pod; the others go on. */
  readonly onPartFailed: (worker: WorkerLink, message: string) => void;
  /** Nothing is left of it in any worker. */
  readonly onEnded: () => void;
}

/** Below the 5 s for which the agent waits for an answer, so that it hears a reason. */
const startTimeoutMs = 4000;
/** Between attempts of a worker whose siblings serve the pod. */
const partRetryMs = 5000;

/**
 * One pod on all workers: captured by every one of them, or by none. A worker that dies takes its part along; its
 * successor is asked anew.
 */
export class PodCapture {
  readonly #options: PodCaptureOptions;
  readonly #parts = new Map<WorkerLink, Part>();
  readonly #retries = new Map<WorkerLink, Disposable>();
  readonly #started = Promise.withResolvers<void>();
  #state: State;

  constructor(options: PodCaptureOptions) {
    this.#options = options;
    options.namespace.hold();
    const deadline = options.clock.setTimer(startTimeoutMs, () => {
      const silent = [...this.#parts].filter(([, part]) => part === 'asked').map(([{ index }]) => index);
      this.#fail(
        silent.length > 0
          ? `data workers ${silent.join(', ')} did not answer in time`
          : 'no data worker is running',
      );
    });
    this.#state = { kind: 'starting', deadline };
    this.#started.promise.catch(() => {}); // whoever asked may have gone
    for (const worker of options.workers) this.#ask(worker);
  }

  get id(): number {
    return this.#options.pod.id;
  }

  /** Settles when every worker listens. @throws PodCaptureError as soon as one cannot; the capture then ends by itself */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** A new worker is there. */
  introduce(worker: WorkerLink): void {
    if (this.#state.kind === 'starting' || this.#state.kind === 'up') this.#ask(worker);
  }

  /** A worker is gone, with everything that it had. */
  forget(worker: WorkerLink): void {
    this.#retries.get(worker)?.[Symbol.dispose]();
    this.#retries.delete(worker);
    this.#parts.delete(worker);
    this.#look();
  }

  /** A worker has answered. */
  answered(worker: WorkerLink, answer: 'ready' | 'gone' | PartFailure): void {
    const part = this.#parts.get(worker);
    if (part === undefined) return;
    if (answer === 'gone') this.#parts.delete(worker);
    else if (part === 'asked' && answer === 'ready') this.#parts.set(worker, 'ready');
    else if (part === 'asked' && typeof answer === 'object') this.#partFailed(worker, answer);
    this.#look();
  }

  /** Takes the pod back from all workers. @param deadlineMs for its connections to end by themselves */
  end(deadlineMs: number): void {
    const { kind } = this.#state;
    if (kind === 'ending' || kind === 'ended') return;
    this.#started.reject(new PodCaptureError(this.#describe(), 'it is gone'));
    this.#leave({ kind: 'ending' });
    for (const retry of this.#retries.values()) retry[Symbol.dispose]();
    this.#retries.clear();
    for (const [worker, part] of this.#parts) {
      if (part === 'failed') {
        this.#parts.delete(worker);
        continue;
      }
      this.#parts.set(worker, 'leaving');
      worker.post({ kind: 'remove-pod', id: this.id, deadlineMs });
    }
    this.#look();
  }

  /** The workers have ended, and answer no more. */
  abandon(): void {
    if (this.#state.kind === 'ended') return;
    this.#parts.clear();
    this.end(0);
  }

  #ask(worker: WorkerLink): void {
    const { pod, namespace } = this.#options;
    this.#parts.set(worker, 'asked');
    worker.post({ kind: 'add-pod', pod: { ...pod, netnsFd: namespace.fd } });
  }

  #partFailed(worker: WorkerLink, { message, byPod }: PartFailure): void {
    this.#parts.set(worker, 'failed');
    if (this.#state.kind === 'starting') {
      this.#fail(`data worker ${worker.index}: ${message}`, byPod);
      return;
    }
    this.#options.onPartFailed(worker, message);
    const retry = this.#options.clock.setTimer(partRetryMs, () => {
      this.#retries.delete(worker);
      this.#ask(worker);
    });
    this.#retries.set(worker, retry);
  }

  #fail(reason: string, byPod = false): void {
    this.#started.reject(new PodCaptureError(this.#describe(), reason, byPod));
    this.end(0);
  }

  /** Moves on if what the state waits for has come about. */
  #look(): void {
    const parts = [...this.#parts.values()];
    if (this.#state.kind === 'starting' && parts.length > 0 && parts.every((part) => part === 'ready')) {
      this.#leave({ kind: 'up' });
      this.#started.resolve();
    }
    if (this.#state.kind === 'ending' && parts.length === 0) {
      this.#leave({ kind: 'ended' });
      this.#options.namespace.release();
      this.#options.onEnded();
    }
  }

  /** The only place where the state changes. */
  #leave(next: State): void {
    if (this.#state.kind === 'starting') this.#state.deadline[Symbol.dispose]();
    this.#state = next;
  }

  #describe(): string {
    const { namespace, name } = this.#options.pod.name;
    return `${namespace}/${name}`;
  }
}
