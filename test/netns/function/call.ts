import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { connectFrom } from '@ambient/testkit/hostile-peer';
import type { Netns } from '@ambient/testkit/lab';
import type { Pod } from '../harness/index.ts';

const DEADLINE_MS = 5000;

/** A TCP connection that a test holds open from inside a pod, against an echo server. */
export class Call implements Disposable {
  /** `eof`, or the name of the errno. */
  readonly ended: Promise<string>;
  readonly #socket: Socket;

  constructor(from: Pick<Netns, 'path'>, ip: string, port: number) {
    const socket = connectFrom(from, ip, port);
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      socket.on('end', () => resolve('eof'));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
    });
    socket.setEncoding('latin1').resume();
  }

  /** Sends the text and waits for it to come back. @returns false when the connection ends instead */
  async echo(text: string): Promise<boolean> {
    let received = '';
    let onData: (chunk: string) => void = () => undefined;
    const whole = new Promise<true>((resolve) => {
      onData = (chunk) => {
        received += chunk;
        if (received === text) resolve(true);
      };
    });
    this.#socket.on('data', onData).write(text, 'latin1');
    const cut = this.ended.then(() => false as const);
    const came = await within(DEADLINE_MS, Promise.race([whole, cut]), `no echo of ${text}`);
    this.#socket.off('data', onData);
    return came;
  }

  /** Rejects if the connection has not ended within the time. @returns how it ended */
  endsWithin(deadlineMs: number): Promise<string> {
    return within(deadlineMs, this.ended, 'the connection is still open');
  }

  /** Closes our half, and waits for the other. @returns how the connection ended */
  finish(): Promise<string> {
    this.#socket.end();
    return this.endsWithin(DEADLINE_MS);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** One connection, and one text there and back. @returns whether it came back */
export async function reaches(from: Pick<Netns, 'path'>, ip: string, port: number): Promise<boolean> {
  using call = new Call(from, ip, port);
  if (!(await call.echo('hello'))) return false;
  await call.finish();
  return true;
}

/** The promise's outcome; rejects at the deadline. */
function within<T>(deadlineMs: number, promise: Promise<T>, otherwise: string): Promise<T> {
  const signal = AbortSignal.timeout(deadlineMs);
  const late = once(signal, 'abort').then(() =>
    Promise.reject(new Error(`${otherwise} after ${deadlineMs} ms`)),
  );
  return Promise.race([promise, late]);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}

/** One HTTP request over a connection of its own. Rejects without an answer. */
export function fetchFrom(
  from: Pick<Netns, 'path'>,
  ip: string,
  port: number,
  { method = 'GET', path = '/' } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: ip.includes(':') ? `[${ip}]` : ip, connection: 'close' };
    const call = request(
      { createConnection: () => connectFrom(from, ip, port), method, path, headers, timeout: DEADLINE_MS },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            json: () => JSON.parse(body) as unknown,
          }),
        );
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', reject);
    call.end();
  });
}

/** A request to the admin port of a pod's proxy. */
export function admin(pod: Pod, method: 'GET' | 'POST', path: string): Promise<Answer> {
  return fetchFrom(pod.netns, '127.0.0.1', 15_000, { method, path });
}
