import { unlinkSync } from 'node:fs';
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import { ApiError, badRequest, internalError, methodNotAllowed, unknownPath } from '../../api/errors.ts';
import { sendJson } from '../../api/server/exchange.ts';
import type { ContainerDirectory, RunningContainer } from '../containers.ts';
import { readLog } from './container-log.ts';
import { parseLogOptions } from './log-options.ts';
import { forwardChannels, forwardedPorts, forwardSpdy } from './port-forward.ts';
import { attach, commandRequest, runCommand } from './remote-command.ts';
import type { CommandRequest, CommandStreams } from './remote-command.ts';
import { spdyCommandStreams } from './spdy-command.ts';
import { SpdyConnection } from './spdy/spdy-connection.ts';
import { commandStreamsOf, WebSocketChannels } from './websocket-channels.ts';

export interface StreamingServerOptions {
  /** A Unix socket; what is left there of an earlier process is replaced. */
  readonly socketPath: string;
  readonly containers: ContainerDirectory;
  readonly clock?: Clock;
  /** Told of what is a fault of this server. */
  readonly onFault?: (error: unknown) => void;
}

/** The socket of a node's streaming server cannot be had. */
export class StreamingListenError extends Error {
  readonly code = 'STREAMING_LISTEN';
  constructor(path: string, cause: unknown) {
    super(
      `cannot listen on ${path}: ${(cause as Error).message}; a Unix socket's path has at most 107 bytes, and its directory must exist`,
      { cause },
    );
    this.name = 'StreamingListenError';
  }
}

const spdyTunnel = 'SPDY/3.1+portforward.k8s.io';
/** By what they are negotiated for, the best first. */
const subprotocols = {
  command: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
  portForward: [spdyTunnel, 'v4.channel.k8s.io'],
} as const;
const spdyProtocols = { command: 'v4.channel.k8s.io', portForward: 'portforward.k8s.io' } as const;

type Purpose = keyof typeof subprotocols;
/** Clients send at most 32 KiB at once. */
const maxMessageBytes = 1024 * 1024;

/** The path `/SERVICE/NAMESPACE/POD[/CONTAINER]`. */
interface Route {
  readonly service: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string | undefined;
  readonly query: URLSearchParams;
}

/**
 * The part of a kubelet that API servers reach for logs, commands and forwarded ports. Whoever may connect to the socket may
 * do everything.
 */
export class StreamingServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #containers: ContainerDirectory;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  readonly #webSockets: Record<Purpose, WebSocketServer>;

  private constructor(options: StreamingServerOptions) {
    this.#containers = options.containers;
    this.#clock = options.clock ?? realClock;
    this.#onFault = options.onFault ?? (() => undefined);
    const accepting = (purpose: Purpose): WebSocketServer =>
      new WebSocketServer({
        noServer: true,
        maxPayload: maxMessageBytes,
        perMessageDeflate: false,
        handleProtocols: (offered) => subprotocols[purpose].find((each) => offered.has(each)) ?? false,
      });
    this.#webSockets = { command: accepting('command'), portForward: accepting('portForward') };
    this.#server = createServer((request, response) => void this.#respond(request, response));
    this.#server.on('upgrade', (request, socket: Socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** @throws StreamingListenError */
  static async listen(options: StreamingServerOptions): Promise<StreamingServer> {
    const streaming = new StreamingServer(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const server = streaming.#server;
    try {
      unlinkSync(options.socketPath);
    } catch {
      // Usually there is none.
    }
    server.once('error', (error) => reject(new StreamingListenError(options.socketPath, error)));
    server.listen(options.socketPath, () => resolve());
    await promise;
    server.on('error', (error) => streaming.#onFault(error));
    return streaming;
  }

  /** Cuts every connection, and with them what runs for them. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy());
    try {
      const route = routeOf(request);
      if (route.service !== 'containerLogs')
        throw services.has(route.service)
          ? badRequest('the request is not an upgrade: ask by WebSocket or by SPDY/3.1')
          : unknownPath();
      if (request.method !== 'GET') throw methodNotAllowed();
      await this.#sendLog(route, response);
    } catch (error) {
      this.#refuse(response, error);
    }
  }

  async #sendLog(route: Route, response: ServerResponse): Promise<void> {
    const options = parseLogOptions(route.query, this.#clock.nowMs());
    const container = this.#find(route, false);
    const path = options.previous ? container.previousLogPath : container.logPath;
    if (path === undefined)
      throw badRequest(
        `previous terminated container ${JSON.stringify(route.container ?? '')} in pod ${JSON.stringify(route.pod)} not found`,
      );
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    // A follower learns at once that it is one, also while there is nothing to tell.
    response.flushHeaders();
    const goesOn = (): boolean => !options.previous && this.#stillRuns(route, path);
    const pieces = readLog(path, options, this.#clock, goesOn, gone.signal);
    const bytes = Readable.from(
      (async function* () {
        for await (const piece of pieces) yield piece.bytes;
      })(),
      { objectMode: false },
    );
    await pipeline(bytes, response).catch((error: unknown) => {
      if (!gone.signal.aborted) throw error;
    });
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const route = routeOf(request);
      const purpose = services.get(route.service);
      if (purpose === undefined) throw route.service === 'containerLogs' ? notUpgraded() : unknownPath();
      const container = this.#find(route, true);
      const protocol = (request.headers.upgrade ?? '').toLowerCase();
      const ports = purpose === 'portForward' && protocol === 'websocket' ? offeredPorts(request, route) : [];
      const wanted = commandRequest(route.query);
      if (route.service === 'exec' && wanted.command.length === 0)
        throw badRequest('command: Required value: you must specify at least one command for the container');
      if (protocol === 'websocket')
        await this.#acceptWebSocket(purpose, request, socket, head, async (webSocket) => {
          if (webSocket.protocol === spdyTunnel)
            forwardSpdy(container, new SpdyConnection(createWebSocketStream(webSocket)));
          else {
            const channels = new WebSocketChannels(webSocket);
            if (purpose === 'portForward') forwardChannels(container, ports, channels);
            else await this.#command(route, container, wanted, commandStreamsOf(channels, wanted));
          }
        });
      else if (protocol === 'spdy/3.1') {
        const connection = acceptSpdy(purpose, request, socket, head);
        if (purpose === 'portForward') forwardSpdy(container, connection);
        else await this.#spdyCommand(route, container, wanted, connection);
      } else throw notUpgraded();
    } catch (error) {
      if (socket.destroyed) return;
      const response = new ServerResponse(request);
      response.assignSocket(socket);
      response.shouldKeepAlive = false;
      response.on('finish', () => socket.end());
      this.#refuse(response, error);
    }
  }

  async #spdyCommand(
    route: Route,
    container: RunningContainer,
    wanted: CommandRequest,
    connection: SpdyConnection,
  ): Promise<void> {
    let streams: CommandStreams;
    try {
      streams = await spdyCommandStreams(connection, wanted, this.#clock);
    } catch {
      // It has been answered already, by the upgrade.
      connection.destroy();
      return;
    }
    await this.#command(route, container, wanted, streams);
  }

  async #command(
    route: Route,
    container: RunningContainer,
    wanted: CommandRequest,
    streams: CommandStreams,
  ): Promise<void> {
    if (route.service === 'exec') await runCommand(container, wanted, streams);
    else await attach(container, () => this.#stillRuns(route, container.logPath), this.#clock, streams);
  }

  /** @param serve called within the same turn, before the first message is told. @throws ApiError */
  async #acceptWebSocket(
    purpose: Purpose,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    serve: (webSocket: WebSocket) => Promise<void>,
  ): Promise<void> {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
    const known = subprotocols[purpose];
    if (!known.some((each) => offered.includes(each)))
      throw badRequest(
        `none of the subprotocols ${JSON.stringify(offered)} is spoken; offer ${known.join(' or ')}`,
      );
    await new Promise<void>((resolve, reject) => {
      // What ws refuses by itself it answers by itself, and closes.
      socket.once('close', resolve);
      this.#webSockets[purpose].handleUpgrade(request, socket, head, (webSocket) => {
        serve(webSocket).then(resolve, reject);
      });
    });
  }

  /** @throws ApiError for a container that is not there, or does not run */
  #find({ namespace, pod, container }: Route, running: boolean): RunningContainer {
    const found = this.#containers.find(namespace, pod, container);
    const name = container === undefined ? '' : ` container ${JSON.stringify(container)}`;
    if (found === undefined)
      throw new ApiError(
        400,
        'BadRequest',
        `pod ${namespace}/${pod}:${name} is not there yet, or not any more, on this node; see kubectl describe pod`,
      );
    if (running && !found.running)
      throw new ApiError(
        400,
        'BadRequest',
        `pod ${namespace}/${pod}:${name} does not run; see kubectl logs --previous for how it ended`,
      );
    return found;
  }

  #stillRuns({ namespace, pod, container }: Route, logPath: string): boolean {
    const now = this.#containers.find(namespace, pod, container);
    return now !== undefined && now.running && now.logPath === logPath;
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const refusal = error instanceof ApiError ? error : internalError(error);
    if (!(error instanceof ApiError)) this.#onFault(error);
    if (response.headersSent) response.destroy();
    else sendJson(response, refusal.code, refusal.toStatus(), { connection: 'close' });
  }
}

const services = new Map<string, Purpose>([
  ['exec', 'command'],
  ['attach', 'command'],
  ['portForward', 'portForward'],
]);

/** @throws ApiError */
function routeOf(request: IncomingMessage): Route {
  const url = URL.parse(request.url ?? '', 'http://kubelet');
  if (url === null) throw unknownPath();
  let segments: string[];
  try {
    segments = url.pathname.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw unknownPath();
  }
  const [service, namespace, pod, container] = segments;
  const length = service === 'portForward' ? 3 : 4;
  if (segments.length !== length || segments.includes('')) throw unknownPath();
  return { service: service!, namespace: namespace!, pod: pod!, container, query: url.searchParams };
}

function notUpgraded(): ApiError {
  return badRequest('the connection can be upgraded to websocket and SPDY/3.1, and not for logs');
}

/** Over SPDY each stream names its port. */
function offeredPorts(request: IncomingMessage, route: Route): number[] {
  const tunnelled = (request.headers['sec-websocket-protocol'] ?? '').includes(spdyTunnel);
  return tunnelled ? [] : forwardedPorts(route.query);
}

/** @throws ApiError 403 for a client that speaks none of the protocols */
function acceptSpdy(
  purpose: Purpose,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): SpdyConnection {
  const spoken = spdyProtocols[purpose];
  const offered = [request.headers['x-stream-protocol-version'] ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((text) => text.trim());
  if (!offered.includes(spoken))
    throw new ApiError(
      403,
      'Forbidden',
      `none of the protocols ${JSON.stringify(offered)} is spoken; offer X-Stream-Protocol-Version: ${spoken}`,
    );
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n' +
      `X-Stream-Protocol-Version: ${spoken}\r\n\r\n`,
  );
  return new SpdyConnection(socket, head);
}
