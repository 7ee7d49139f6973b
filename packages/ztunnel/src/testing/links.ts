import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';

/** A worker that keeps what it is told. */
export function recordingLink(index = 0): WorkerLink & { readonly posted: ToWorker[] } {
  const posted: ToWorker[] = [];
  return { index, posted, post: (message) => void posted.push(message) };
}
