import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';

import { badRequest, methodNotAllowed, unavailable } from '../errors.ts';
import type { ApiError } from '../errors.ts';
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject } from '../object.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import type { Upgrade } from './exchange.ts';
import type { ResourceRequest } from './resource-request.ts';
import type { SubresourceHandler } from './subresources.ts';

/** The Unix socket of a node's streaming server; undefined for a node that has none. */
export type KubeletSockets = (nodeName: string) => string | undefined;

export const podStreamNames = ['log', 'exec', 'attach', 'portforward'] as const;
export type PodStreamName = (typeof podStreamNames)[number];

/** What a kubelet calls a service, and its parameters where its names are not those of the API. */
const ofKubelet: Record<
  PodStreamName,
  {
    readonly path: string;
    readonly methods: readonly string[];
    readonly renamed: Readonly<Record<string, string>>;
  }
> = {
  log: { path: 'containerLogs', methods: ['GET'], renamed: {} },
  exec: {
    path: 'exec',
    methods: ['GET', 'POST'],
    renamed: { stdin: 'input', stdout: 'output', stderr: 'error' },
  },
  attach: {
    path: 'attach',
    methods: ['GET', 'POST'],
    renamed: { stdin: 'input', stdout: 'output', stderr: 'error' },
  },
  portforward: { path: 'portForward', methods: ['GET', 'POST'], renamed: { ports: 'port' } },
};

/** Hands requests for a pod's log, commands and ports on to the node of the pod, and what it answers back. */
export function podStreamHandler(
  name: PodStreamName,
  operations: ObjectOperations,
  kubelets: KubeletSockets,
): SubresourceHandler {
  const { path, methods, renamed } = ofKubelet[name];
  return (exchange) => {
    const { target, request, query, upgrade } = exchange;
    if (!methods.includes(request.method ?? '')) throw methodNotAllowed();
    const pod = operations.get({ ...target, subresource: undefined });
    const segments = [path, target.namespace ?? '', pod.metadata.name];
    if (name !== 'portforward') segments.push(containerOf(pod, query.get('container')));
    const node = nodeOf(pod);
    const socketPath = kubelets(node);
    if (socketPath === undefined) throw withoutNodeAgent(pod, node, name);
    if (name !== 'log' && upgrade === undefined) throw badRequest('Upgrade request required');
    const parameters = new URLSearchParams();
    for (const [key, value] of query)
      if (key !== 'container') parameters.append(renamed[key] ?? key, value === 'true' ? '1' : value);
    const escaped = segments.map(encodeURIComponent).join('/');
    return handOn(exchange, {
      socketPath,
      path: `/${escaped}?${parameters.toString()}`,
      away: (cause) => unavailable(`the kubelet of node ${node} does not answer: ${cause.message}`),
    });
  };
}

/** @throws ApiError 400 for a pod that has no node yet */
export function nodeOf(pod: ApiObject): string {
  const node = valueAt(pod, ['spec', 'nodeName']);
  if (typeof node !== 'string' || node === '')
    throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return node;
}

export function withoutNodeAgent(pod: ApiObject, node: string, what: string): ApiError {
  return unavailable(
    `no node agent looks after node ${node}, so that pod ${pod.metadata.name} has no processes: its ${what} cannot be had`,
  );
}

/** The container that was named, or the only one. @throws ApiError 400 */
function containerOf(pod: ApiObject, name: string | null): string {
  const names = (list: string): string[] => {
    const containers = valueAt(pod, ['spec', list]);
    if (!Array.isArray(containers)) return [];
    return containers.flatMap((each) =>
      isJsonObject(each) && typeof each['name'] === 'string' ? [each['name']] : [],
    );
  };
  const ordinary = names('containers');
  if (name === null || name === '') {
    if (ordinary.length === 1) return ordinary[0]!;
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${ordinary.join(' ')}]`,
    );
  }
  if (![...ordinary, ...names('initContainers')].includes(name))
    throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`);
  return name;
}

interface Kubelet {
  readonly socketPath: string;
  readonly path: string;
  readonly away: (cause: Error) => ApiError;
}

/** Settles when the answer has begun; from then on both sides end together. @throws ApiError 503 */
function handOn(
  { request, response, upgrade }: ResourceRequest,
  { socketPath, path, away }: Kubelet,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({
      socketPath,
      path,
      method: request.method,
      headers: upgrade === undefined ? {} : headersOf(request),
      agent: false,
    });
    response.on('close', () => asked.destroy());
    asked.on('error', (error) => reject(away(error)));
    asked.on('response', (answer) => {
      const { statusCode = 502, headers } = answer;
      response.writeHead(statusCode, { 'content-type': headers['content-type'] ?? 'text/plain' });
      response.flushHeaders();
      // The lines of a log are sent as they come; whoever leaves meanwhile is no fault.
      pipeline(answer, response, () => resolve());
    });
    asked.on('upgrade', (answer, socket, head) => {
      if (upgrade === undefined) socket.destroy();
      else {
        response.detachSocket(request.socket);
        join(upgrade, { answer, socket, head });
      }
      resolve();
    });
    asked.end();
  });
}

/** From here on byte for byte. */
function join(
  client: Upgrade,
  { answer, socket, head }: { answer: IncomingMessage; socket: Duplex; head: Buffer },
): void {
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? ''}`];
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) client.socket.write(head);
  if (client.head.length > 0) socket.write(client.head);
  for (const [from, to] of [
    [client.socket, socket],
    [socket, client.socket],
  ] as const) {
    from.on('error', () => to.destroy());
    // After an orderly end, what has been read is still to be written.
    from.on('close', () => {
      if (!from.readableEnded) to.destroy();
    });
    from.pipe(to);
  }
}

/** As they came, without what is meant for the API server: who the client is. */
function headersOf(request: IncomingMessage): OutgoingHttpHeaders {
  const { authorization: _, host: _host, ...headers } = request.headers;
  return headers;
}
