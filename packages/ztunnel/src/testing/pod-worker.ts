import type { NodePods } from '../capture/node-pods.ts';
import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';

/** A data worker as the registry of pods knows it: notes what it is told, and answers as a test wants it to. */
export class PodWorker implements WorkerLink {
  readonly index: number;
  /** `add UID`, `remove ID DEADLINE`. */
  readonly heard: string[] = [];
  /** What to answer to `add-pod`; undefined: nothing. */
  onAdd: 'ready' | 'failed' | 'by-pod' | undefined = 'ready';
  /** Whether to answer `remove-pod`. */
  leaves = true;
  /** Descriptor of the namespace that came last. */
  netnsFd = -1;
  /** Id of the capture that came last. */
  lastId = 0;
  readonly #pods: () => NodePods;

  constructor(index: number, pods: () => NodePods) {
    this.index = index;
    this.#pods = pods;
  }

  post(message: ToWorker): void {
    if (message.kind === 'add-pod') {
      const { id, uid, netnsFd } = message.pod;
      this.heard.push(`add ${uid}`);
      this.netnsFd = netnsFd;
      this.lastId = id;
      if (this.onAdd === 'ready') this.answer({ kind: 'pod-ready', id });
      else if (this.onAdd !== undefined) {
        const byPod = this.onAdd === 'by-pod';
        this.answer({ kind: 'pod-failed', id, message: byPod ? 'EADDRINUSE' : 'EPERM', byPod });
      }
    }
    if (message.kind === 'remove-pod') {
      this.heard.push(`remove ${message.id} ${message.deadlineMs}`);
      if (this.leaves) this.answer({ kind: 'pod-gone', id: message.id });
    }
  }

  /** Later, as another thread does. */
  answer(message: Parameters<NodePods['onAnswer']>[1]): void {
    queueMicrotask(() => this.#pods().onAnswer(this, message));
  }
}
