import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import { agentFiles } from '../../plugin/agent-client.ts';
import type { PlaceHolder } from '../../zds/socket-place.ts';
import { AgentError } from '../errors.ts';
import type { AgentMetrics } from '../metrics.ts';

/** A pod that is being started, as the plugin names it. */
export interface StartingPod {
  readonly name: string;
  readonly namespace: string;
  /** Of the network namespace, on the node. */
  readonly netns: string;
  readonly addresses: readonly string[];
}

export interface PluginServerOptions {
  /** Of both sockets; CNI_AGENT_RUN_DIR as the agent sees it. */
  readonly directory: string;
  /** Resolves when the pod is captured, or is none for the mesh. @param signal aborted when the plugin has gone */
  readonly onStarting: (pod: StartingPod, signal: AbortSignal) => Promise<void>;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  readonly pluginLog: Logger;
}

const MAX_BODY_BYTES = 1024 * 1024;
/** As Istio's; who may enter the directory is the node's business. */
const SOCKET_MODE = 0o666;

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface OpenSocket {
  readonly name: string;
  readonly handler: Handler;
  readonly server: Server;
  readonly path: string;
  /** Of the file that was made: another agent may have put its own in its place since. */
  readonly inode: bigint;
}

/** The agent's two sockets for the CNI plugin: one to have pods captured, one for its log (facts §8). */
export class PluginServer {
  readonly #options: PluginServerOptions;
  readonly #sockets: OpenSocket[] = [];

  /** Listens, in place of an agent before. @throws AgentError ERR_AGENT_LISTEN */
  static async listen(options: PluginServerOptions): Promise<PluginServer> {
    const server = new PluginServer(options);
    const { logs, events } = agentFiles;
    for (const [name, handler] of [
      [logs, (request, response) => server.#takeLog(request, response)],
      [events, (request, response) => server.#takeAdd(request, response)],
    ] as const satisfies readonly (readonly [string, Handler])[])
      server.#sockets.push(await server.#listen(name, handler));
    return server;
  }

  private constructor(options: PluginServerOptions) {
    this.#options = options;
  }

  /** Whom the plugin finds. */
  get holder(): PlaceHolder {
    const present = this.#sockets.map(({ path, inode }) => ({ inode, found: inodeOf(path) }));
    if (present.some(({ found }) => found === undefined)) return 'nobody';
    return present.every(({ inode, found }) => found === inode) ? 'own' : 'other';
  }

  /** Makes those socket files anew that are gone; what is under way there is answered with a cut connection. @throws AgentError */
  async listenAgain(): Promise<void> {
    for (const [index, socket] of this.#sockets.entries()) {
      if (inodeOf(socket.path) !== undefined) continue;
      await close(socket);
      this.#sockets[index] = await this.#listen(socket.name, socket.handler);
    }
  }

  /** Answers what is under way with a cut connection, and removes its own socket files. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) await close(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(name: string, handler: Handler): Promise<OpenSocket> {
    const { directory, log } = this.#options;
    mkdirSync(directory, { recursive: true });
    const path = join(directory, name);
    const server = createServer((request, response) => {
      handler(request, response).catch((error: unknown) => {
        log.warn('a request on a socket for the plugin failed', {
          socket: name,
          error: describeError(error),
        });
        if (!response.headersSent) answer(response, 500, describeError(error));
      });
    });
    // Under another name first: the plugin meets the agent before or this one. And Node removes the name that it has made
    // when it closes, even if that is a successor's by then.
    const temporary = `${path}.new`;
    rmSync(temporary, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new AgentError('ERR_AGENT_LISTEN', `cannot listen on ${path}: ${cause.message}`, { cause })),
      );
      server.listen(temporary, resolve);
    });
    chmodSync(temporary, SOCKET_MODE);
    renameSync(temporary, path);
    return { name, handler, server, path, inode: inodeOf(path)! };
  }

  async #takeAdd(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { metrics, onStarting, log } = this.#options;
    const finish = (status: number, text: string): void => {
      metrics.pluginCall(status);
      answer(response, status, text);
    };
    if (request.method !== 'POST' || request.url !== '/cmdadd')
      return finish(404, 'served here: POST /cmdadd');
    response.writeProcessing(); // the plugin knows by that that nobody hangs here
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableEnded) gone.abort();
    });
    let pod: StartingPod;
    try {
      pod = readStartingPod(await readBody(request));
    } catch (error) {
      if (error instanceof BadRequestError) return finish(400, error.message);
      throw error;
    }
    const name = `${pod.namespace}/${pod.name}`;
    try {
      await onStarting(pod, gone.signal);
      finish(200, '');
    } catch (error) {
      log.warn(
        'a pod that starts cannot be captured, and so does not start; the container runtime tries again',
        {
          pod: name,
          error: describeError(error),
        },
      );
      finish(500, describeError(error));
    }
  }

  async #takeLog(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== '/log')
      return answer(response, 404, 'served here: POST /log');
    let lines: readonly string[];
    try {
      lines = stringsIn(await readBody(request));
    } catch (error) {
      if (error instanceof BadRequestError) return answer(response, 400, error.message);
      throw error;
    }
    for (const line of lines) writeLine(this.#options.pluginLog, line);
    answer(response, 200, '');
  }
}

async function close({ server, path, inode }: OpenSocket): Promise<void> {
  server.closeAllConnections();
  if (inodeOf(path) === inode) rmSync(path, { force: true });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** The plugin, or whoever else writes to the socket, sent what cannot be used; the text names the field. */
class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
  readonly code = 'ERR_AGENT_REQUEST';
}

/** @throws BadRequestError */
export function readStartingPod(body: string): StartingPod {
  const request = parseJson(body);
  if (!isMapping(request)) throw new BadRequestError('the request is no object');
  const text = (field: string): string => {
    const value = request[field];
    if (typeof value === 'string' && value !== '') return value;
    throw new BadRequestError(`${field} must be a text that is not empty`);
  };
  const netns = text('Netns');
  if (!netns.startsWith('/') || netns.includes('\0') || netns.split('/').includes('..'))
    throw new BadRequestError('Netns must be an absolute path without ".."');
  const list = request['IPs'] ?? [];
  if (!Array.isArray(list)) throw new BadRequestError('IPs must be a list');
  const addresses = list.map((entry: unknown, index) => {
    const address = isMapping(entry) ? entry['Address'] : undefined;
    const ip = isMapping(address) ? address['IP'] : undefined;
    if (typeof ip === 'string' && isIP(ip) !== 0) return ip;
    throw new BadRequestError(`IPs[${index}].Address.IP must be an IP address`);
  });
  return { name: text('PodName'), namespace: text('PodNamespace'), netns, addresses };
}

function stringsIn(body: string): readonly string[] {
  const value = parseJson(body);
  if (Array.isArray(value) && value.every((line) => typeof line === 'string')) return value;
  throw new BadRequestError('the body must be a list of texts');
}

/** A line of the plugin's log is JSON with msg, level, time; one that is not is written as it is. */
function writeLine(log: Logger, line: string): void {
  const fields = tryParse(line);
  const { msg, level, time } = isMapping(fields) ? fields : {};
  const known = (['debug', 'info', 'warn', 'error'] as const).find((name) => name === level) ?? 'info';
  log.log(known, (typeof msg === 'string' ? msg : line).slice(0, 2000), {
    ...(typeof time === 'string' ? { at: time.slice(0, 40) } : {}),
  });
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadRequestError('the body is no JSON', { cause });
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new BadRequestError(`the body has more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
    .end(text === '' ? '' : `${text}\n`);
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
