import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

import { LineSplitter } from '@ambient/kube';

import { CliError } from '../errors.ts';

/** The admin port of one ztunnel. */
export interface AdminClient {
  /** For the user: `ztunnel-x.istio-system`, or an address. */
  readonly name: string;
  /** The node that it serves; undefined if the API did not tell. */
  readonly node: string | undefined;
  /** @throws CliError */
  get(path: string): Promise<string>;
  /** @throws CliError */
  post(path: string): Promise<string>;
  /** Hands on the lines of an answer that goes on, until it ends or the signal comes. @throws CliError */
  lines(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
}

/** An admin port behind whatever a connection is made with; one connection for each request. */
export class HttpAdminClient implements AdminClient {
  readonly name: string;
  readonly node: string | undefined;
  readonly #dial: () => Promise<Duplex>;

  constructor(name: string, node: string | undefined, dial: () => Promise<Duplex>) {
    this.name = name;
    this.node = node;
    this.#dial = dial;
  }

  async get(path: string): Promise<string> {
    return readAll(await this.#send('GET', path));
  }

  async post(path: string): Promise<string> {
    return readAll(await this.#send('POST', path));
  }

  async lines(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#send('GET', path);
    const stop = (): void => void response.destroy();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const splitter = new LineSplitter(onLine);
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) splitter.push(chunk);
    } catch (error) {
      if (!signal.aborted) throw this.#unreachable(path, error as Error);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #send(method: string, path: string): Promise<IncomingMessage> {
    const connection = await this.#dial();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const asked = request({
      method,
      path,
      host: 'localhost',
      headers: { connection: 'close' },
      createConnection: () => connection,
    });
    asked.once('response', resolve);
    asked.once('error', (error) => reject(this.#unreachable(path, error)));
    asked.end();
    const response = await promise;
    if (response.statusCode === 200) return response;
    const text = (await readAll(response)).trim();
    if (response.statusCode === 404)
      throw new CliError(
        'BAD_ANSWER',
        `${this.name} has no ${path.split('?')[0]}${text === '' || text === 'not found' ? '' : `: ${text}`}; this needs the ztunnel of this project, of the same version as ambientctl`,
      );
    throw new CliError('BAD_ANSWER', `${this.name} refused ${path.split('?')[0]}: ${text}`);
  }

  #unreachable(path: string, cause: Error): CliError {
    if (cause instanceof CliError) return cause;
    return new CliError(
      'UNREACHABLE',
      `${this.name} did not answer ${path.split('?')[0]}: ${cause.message}; check that it runs, and its log`,
      { cause },
    );
  }
}

/** @param address `HOST:PORT`, `[IPv6]:PORT` or a port of this machine. @throws CliError */
export function directAdminClient(address: string): AdminClient {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(address);
  if (match === null)
    throw new CliError(
      'USAGE',
      `--admin ${address} is no HOST:PORT; for a pod on this machine use 127.0.0.1:15000`,
    );
  const host = match[1] ?? match[2] ?? '127.0.0.1';
  const port = Number(match[3]);
  return new HttpAdminClient(address, undefined, () => {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (cause) =>
      reject(
        new CliError('UNREACHABLE', `cannot connect to ${address}: ${cause.message}; check --admin`, {
          cause,
        }),
      ),
    );
    return promise;
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
