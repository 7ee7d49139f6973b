import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import { badRequest } from '../../api/errors.ts';
import type { RunningContainer } from '../containers.ts';
import type { SpdyConnection } from './spdy/spdy-connection.ts';
import type { SpdyStream } from './spdy/spdy-stream.ts';
import type { WebSocketChannels } from './websocket-channels.ts';

/** Connections that may wait for their second stream. */
const maxWaiting = 64;

/** One forwarded connection, whatever it came over. */
interface Forwarded {
  readonly fromClient: Readable;
  readonly toClient: Writable;
  /** Tells the client, as text, why nothing is forwarded. */
  readonly fail: (message: string) => void;
}

/** Undefined if the container has ended since the client asked; the client has been told. */
function forward(
  container: RunningContainer,
  port: number,
  { fromClient, toClient, fail }: Forwarded,
): Socket | undefined {
  let socket: Socket;
  try {
    socket = container.connect(port);
  } catch (error) {
    fail(`cannot connect to port ${port} of the pod: ${(error as Error).message}`);
    fromClient.resume();
    toClient.end();
    return undefined;
  }
  let connected = false;
  socket.once('connect', () => {
    connected = true;
  });
  socket.on('error', (error) => {
    fail(
      connected
        ? `the connection to port ${port} of the pod broke: ${error.message}`
        : `cannot connect to port ${port} of the pod: ${error.message}; check that the container listens on its loopback or on all addresses`,
    );
    toClient.end();
  });
  socket.on('close', () => fromClient.resume());
  fromClient.on('error', () => socket.destroy());
  toClient.on('error', () => socket.destroy());
  fromClient.pipe(socket);
  socket.pipe(toClient);
  return socket;
}

/**
 * Port forwarding over WebSocket channels, v4: the n-th port has channel 2n for data and 2n + 1 for errors, and each begins
 * with the port in two bytes, little endian. Ends with the last of its connections.
 */
export function forwardChannels(
  container: RunningContainer,
  ports: readonly number[],
  channels: WebSocketChannels,
): void {
  let open = ports.length;
  const sockets = ports.map((port, index) => {
    const toClient = channels.output(2 * index);
    const errors = channels.output(2 * index + 1);
    const greeting = Buffer.alloc(2);
    greeting.writeUInt16LE(port);
    toClient.write(greeting);
    errors.write(greeting);
    toClient.on('finish', () => {
      if (--open === 0) channels.close();
    });
    return forward(container, port, {
      fromClient: channels.input(2 * index),
      toClient,
      fail: (message) => void errors.write(Buffer.from(message)),
    });
  });
  channels.gone.addEventListener('abort', () => {
    for (const socket of sockets) socket?.destroy();
  });
}

/** @throws ApiError 400 */
export function forwardedPorts(query: URLSearchParams): number[] {
  const ports = [...query.getAll('port'), ...query.getAll('ports')].flatMap((text) => text.split(','));
  if (ports.length === 0) throw badRequest('port: Required value: query parameter "port" is required');
  return ports.map(readPort);
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw badRequest(`port: Invalid value: ${JSON.stringify(text)}: must be a port from 1 to 65535`);
  return port;
}

/**
 * Port forwarding over SPDY, `portforward.k8s.io`: for each connection the client opens two streams of the same `requestID`,
 * one of type `error` and one of type `data`, that name the port.
 */
export function forwardSpdy(container: RunningContainer, connection: SpdyConnection): void {
  const waiting = new Map<string, SpdyStream>();
  const sockets = new Set<Socket>();
  connection.on('close', () => {
    for (const socket of sockets) socket.destroy();
  });
  connection.on('stream', (stream) => {
    const { headers } = stream;
    const id = headers.get('requestid') ?? '';
    const type = headers.get('streamtype');
    if (id === '' || (type !== 'data' && type !== 'error')) {
      stream.destroy();
      return;
    }
    const other = waiting.get(id);
    if (other === undefined) {
      // A client that opens halves only, and never the other, loses the first of them.
      if (waiting.size >= maxWaiting) takeFirst(waiting)?.destroy();
      waiting.set(id, stream);
      stream.once('close', () => waiting.get(id) === stream && waiting.delete(id));
      return;
    }
    if (other.headers.get('streamtype') === type) {
      stream.destroy();
      return;
    }
    waiting.delete(id);
    const [data, errors] = type === 'data' ? [stream, other] : [other, stream];
    forwardPair(container, data, errors, sockets);
  });
  connection.start();
}

function forwardPair(
  container: RunningContainer,
  data: SpdyStream,
  errors: SpdyStream,
  sockets: Set<Socket>,
): void {
  errors.resume();
  let port: number;
  try {
    port = readPort(data.headers.get('port') ?? '');
  } catch (error) {
    errors.end((error as Error).message);
    data.end();
    data.resume();
    return;
  }
  const socket = forward(container, port, {
    fromClient: data,
    toClient: data,
    fail: (message) => {
      if (errors.writable) errors.end(message);
    },
  });
  if (socket === undefined) return;
  sockets.add(socket);
  socket.on('close', () => {
    sockets.delete(socket);
    if (errors.writable) errors.end();
  });
  data.once('close', () => socket.destroy());
}

function takeFirst(waiting: Map<string, SpdyStream>): SpdyStream | undefined {
  for (const [id, stream] of waiting) {
    waiting.delete(id);
    return stream;
  }
  return undefined;
}
