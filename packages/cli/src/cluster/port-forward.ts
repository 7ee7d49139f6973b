import type { RequestOptions } from 'node:https';
import { Duplex } from 'node:stream';

import { builtInPath } from '@ambient/kube';
import type { KubeConfig } from '@kubernetes/client-node';
import { WebSocket } from 'ws';

import { CliError } from '../errors.ts';

const connectTimeoutMs = 20_000;

/**
 * A connection to a port inside of a pod, through the API server: channels 0 (data) and 1 (errors) of `v4.channel.k8s.io`, each of
 * which begins with the port in two bytes.
 *
 * @throws CliError UNREACHABLE
 */
export async function connectToPod(
  config: KubeConfig,
  pod: { readonly namespace: string; readonly name: string },
  port: number,
): Promise<Duplex> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const server = config.getCurrentCluster()!.server.replace(/\/+$/, '').replace(/^http/, 'ws');
  const path = `${builtInPath('Pod', pod.namespace, pod.name)}/portforward?ports=${port}`;
  const socket = new WebSocket(server + path, ['v4.channel.k8s.io'], {
    ...(options as object),
    handshakeTimeout: connectTimeoutMs,
    perMessageDeflate: false,
  });
  const where = `port ${port} of pod ${pod.name}.${pod.namespace}`;
  const stream = new PodConnection(socket, where);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', (cause) =>
      reject(
        new CliError(
          'UNREACHABLE',
          `cannot forward ${where}: ${cause.message}; check that you may create pods/portforward there, and that the pod runs`,
          { cause },
        ),
      ),
    );
  });
  return stream;
}

class PodConnection extends Duplex {
  readonly #socket: WebSocket;
  readonly #greeted = new Set<number>();

  constructor(socket: WebSocket, where: string) {
    super();
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const channel = data[0];
      if (channel === undefined) return;
      let bytes = data.subarray(1);
      if (!this.#greeted.has(channel)) {
        this.#greeted.add(channel);
        bytes = bytes.subarray(2);
      }
      if (bytes.length === 0) return;
      if (channel === 0) {
        if (!this.push(bytes)) socket.pause();
      } else this.destroy(new CliError('UNREACHABLE', `cannot reach ${where}: ${bytes.toString()}`));
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.push(null));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.from([0]), chunk]), done);
  }

  // v4 cannot say that one side has ended: closing would lose the answer.
  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}
