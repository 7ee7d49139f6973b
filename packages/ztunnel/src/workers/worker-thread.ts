import { SHARE_ENV, Worker } from 'node:worker_threads';
import { closeLeftBehind, DescriptorLedger, notifyWakeup, Wakeup } from '@ambient/linux';
import type { FromWorker, ToWorker, WorkerStart } from '../worker/messages.ts';

/** One data worker's thread, as the main thread holds it. */
export interface WorkerThread {
  /** Hands a message over and wakes the worker's reactor. Without effect once the thread has ended. */
  post(message: ToWorker): void;
  /** Ends the thread whatever it is doing; `onEnd` follows. Its connections are cut. */
  terminate(): void;
}

export interface WorkerThreadEvents {
  onMessage(message: FromWorker): void;
  /**
   * Once, last: nothing that it had open is open any more.
   *
   * @param error what the thread died of, undefined if it ended by itself
   */
  onEnd(error: Error | undefined): void;
}

/** Starts a data worker's thread; tests give a fake. */
export type SpawnWorker = (
  start: Omit<WorkerStart, 'wakeupFd' | 'descriptors'>,
  events: WorkerThreadEvents,
) => WorkerThread;

/**
 * Limits of a worker's V8 heap, in MiB. New objects of the data path either die at once or live as long as a connection:
 * a large nursery would only grow the process. The old generation holds the replica of the mesh and the connections, for
 * which the limit that Node derives from the machine is right.
 */
const heapLimits = { maxYoungGenerationSizeMb: 6 };

/** Starts threads of this process that run the module `entry`. */
export function threadSpawner(entry: URL): SpawnWorker {
  return (start, events) => {
    const wakeup = new Wakeup();
    const descriptors = new DescriptorLedger().shared;
    let ended = false;
    let failure: Error | undefined;
    let worker: Worker;
    try {
      worker = new Worker(entry, {
        name: `data-${start.index}`,
        workerData: { ...start, wakeupFd: wakeup.fd, descriptors } satisfies WorkerStart,
        resourceLimits: heapLimits,
        // A copy of the environment per thread would serve nobody: workers are configured by their settings.
        env: SHARE_ENV,
      });
    } catch (error) {
      wakeup.close();
      throw error;
    }
    worker.on('message', (message: FromWorker) => events.onMessage(message));
    worker.on('messageerror', (error: Error) => {
      failure ??= error;
    });
    worker.on('error', (error: unknown) => {
      failure ??= error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', (code) => {
      ended = true;
      wakeup.close();
      closeLeftBehind(descriptors);
      events.onEnd(failure ?? (code === 0 ? undefined : new Error(`the thread exited with code ${code}`)));
    });
    return {
      post(message) {
        if (ended) return;
        worker.postMessage(message);
        notifyWakeup(wakeup.fd);
      },
      terminate() {
        if (ended) return;
        void worker.terminate();
        // The thread may wait inside epoll_wait, which the termination does not interrupt.
        notifyWakeup(wakeup.fd);
      },
    };
  };
}
