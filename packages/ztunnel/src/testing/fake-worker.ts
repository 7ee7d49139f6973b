import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { closeAllDescriptors, listenForWakeups, noteDescriptors, Reactor } from '@ambient/linux';
import { UpdateUnpacker } from '@ambient/mesh';
import type { FromWorker, ToWorker, WorkerStart } from '../worker/messages.ts';

/*
 * A data worker that carries nothing: it waits inside epoll as a real one does, answers the main thread, and logs every
 * message that it gets as `fake INDEX JSON`. Log levels make worker 0 do things: `die=info` throws without a last word,
 * `die=warn` reports that it cannot go on and ends.
 */

const start = workerData as WorkerStart;
const port = parentPort!;
const post = (message: FromWorker): void => port.postMessage(message);

noteDescriptors(start.descriptors);
const reactor = new Reactor((error) => {
  throw error;
});

const unpacker = new UpdateUnpacker();

/** As it is logged: without secrets, and with the mesh in words. */
function shown(message: ToWorker): object {
  switch (message.kind) {
    case 'certificate':
      return { ...message, material: 'hidden' };
    case 'mesh':
      return { ...message, updates: unpacker.unpack(message.updates) };
    default:
      return message;
  }
}

function receive(message: ToWorker): void {
  post({ kind: 'log', lines: `fake ${start.index} ${JSON.stringify(shown(message))}\n` });
  switch (message.kind) {
    case 'start':
      post({ kind: 'need-certificate', identity: 'spiffe://cluster.local/ns/a/sa/client' });
      post({ kind: 'resolve', id: 7, hostname: 'localhost' });
      post({ kind: 'demand', key: '/10.0.0.9' });
      break;
    case 'collect':
      post({
        kind: 'collected',
        id: message.id,
        series: [{ metric: 'istio_tcp_sockets_open', labels: ['source'], delta: 1 }],
        connections: !message.connections
          ? []
          : [
              {
                direction: 'outbound',
                source: '10.0.0.1:40000',
                destination: '10.0.0.2:80',
                actualDestination: '10.0.0.2:15008',
                protocol: 'HBONE',
                sourceIdentity: 'spiffe://cluster.local/ns/a/sa/client',
                destinationIdentity: undefined,
                sourceWorkload: 'client',
                destinationWorkload: 'server',
                bytesSent: 1,
                bytesReceived: 2,
                openedAtMs: 0,
              },
            ],
      });
      break;
    case 'add-pod':
      post({ kind: 'pod-ready', id: message.pod.id });
      break;
    case 'remove-pod':
      post({ kind: 'pod-gone', id: message.id });
      break;
    case 'log-levels':
      if (message.levels.includes('die=info') && start.index === 0) throw new Error('told to die');
      if (message.levels.includes('die=warn') && start.index === 0) {
        post({ kind: 'fatal', message: 'told to give up' });
        reactor.stop();
      }
      break;
    case 'drain':
      // Index 1 never gets done, as a worker with a connection that does not end.
      if (start.index !== 1) post({ kind: 'drained', cut: 0 });
      break;
    case 'stop':
      post({ kind: 'stopped' });
      reactor.stop();
      break;
    default:
      break;
  }
}

listenForWakeups(
  reactor,
  start.wakeupFd,
  () => {
    for (;;) {
      const received = receiveMessageOnPort(port) as { message: ToWorker } | undefined;
      if (received === undefined) return;
      receive(received.message);
    }
  },
  (error) => {
    throw error;
  },
);
post({ kind: 'bound', ports: { outbound: 15001, inboundPlaintext: 15006, inbound: 15008 } });
try {
  reactor.run();
} finally {
  closeAllDescriptors();
  port.close();
}
