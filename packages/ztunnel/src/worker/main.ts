/**
 * Entry of a data worker thread. Its loop never unwinds: messages are taken when the eventfd wakes the reactor, and
 * promises do not run here.
 */
import {
  closeAllDescriptors,
  keepApart,
  listenForWakeups,
  noteDescriptors,
  requestTimeSlice,
} from '@ambient/linux';
import { describeError } from '@ambient/runtime';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DataPlane } from './data-plane.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';

/**
 * On a busy node a data worker wakes often and for short: with the shortest slice it is let in before those who compute at
 * length, and it takes no more of the CPU (measured on two busy CPUs: p99 of a request a sixth, bulk unchanged).
 */
const TIME_SLICE_NS = 100_000;

const port = parentPort!;
const start = workerData as WorkerStart;
const post = (message: FromWorker): void => {
  port.postMessage(message);
};

try {
  noteDescriptors(start.descriptors);
  requestTimeSlice(TIME_SLICE_NS); // where the kernel does not know it, things are as they were
  // Pods have their connections in all workers, and none should wait for a sibling that is busy with another pod.
  if (start.settings.mode === 'shared') keepApart(start.index, start.settings.workerThreads);
  const plane = new DataPlane(start, post);
  const takeMessages = (): void => {
    for (;;) {
      const received = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
      if (received === undefined) return;
      if (!plane.onMessage(received.message)) return;
    }
  };
  listenForWakeups(plane.reactor, start.wakeupFd, takeMessages, (error) => {
    throw error as Error;
  });
  takeMessages();
  plane.reactor.run();
  post({ kind: 'stopped' });
} catch (error) {
  post({ kind: 'fatal', message: describeError(error) });
} finally {
  closeAllDescriptors();
  port.close();
}
