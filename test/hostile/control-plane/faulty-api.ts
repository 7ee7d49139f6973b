import { Agent, request as requestUpstream } from 'node:https';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { realClock } from '@ambient/runtime';

/** One request as the proxy saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isWatch: boolean;
  /** `performance.now()`. */
  readonly atMs: number;
}

/** What becomes of a request instead of its answer. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly reason?: string;
      readonly retryAfterSeconds?: number;
    }
  /** The answer comes late. Milliseconds. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks after so many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** This, with status 200, from who is no API server at all. */
  | { readonly kind: 'body'; readonly text: string; readonly type?: string };

interface Watch {
  readonly path: string;
  readonly response: ServerResponse;
}

/** A kubeconfig as the lab writes it. */
interface Credentials {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Stands between a control plane and an API server, in plain HTTP so that it can say anything. It goes away and comes back
 * on one port, answers with errors, late, or by half.
 */
export class FaultyApi implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Decides what goes wrong; nothing, if absent. */
  fault: ((request: SeenRequest) => Fault | undefined) | undefined;
  /** Connections that were refused while away. */
  refusedConnections = 0;
  readonly port: number;
  readonly #server: Server;
  readonly #credentials: Credentials;
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<Watch>();
  #away = false;

  private constructor(server: Server, credentials: Credentials) {
    this.#server = server;
    this.#credentials = credentials;
    const { ca, cert, key } = credentials;
    this.#agent = new Agent({ keepAlive: true, ca, cert, key });
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#handle(request, response),
    );
    server.on('connection', (socket: Socket) => {
      if (this.#away) {
        this.refusedConnections++;
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param kubeconfig of the API server behind it, by client certificate */
  static async start(kubeconfig: string): Promise<FaultyApi> {
    const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultyApi(server, readCredentials(kubeconfig));
  }

  /** For the control plane. */
  get kubeconfig(): string {
    // The library of the control plane takes plain HTTP only if nothing is to be verified.
    const cluster = { server: `http://127.0.0.1:${this.port}`, 'insecure-skip-tls-verify': true };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'faulty', cluster }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'faulty', context: { cluster: 'faulty', user: 'nobody' } }],
      'current-context': 'faulty',
    });
  }

  /** Watches that are open. */
  get watches(): number {
    return this.#watches.size;
  }

  /** Breaks every connection and, until it comes back, each new one: a load balancer with nobody behind it. */
  goAway(): void {
    this.#away = true;
    this.cutConnections();
  }

  comeBack(): void {
    this.#away = false;
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Writes a line into each open watch of a path that matches. @returns how many got it */
  inject(path: RegExp, line: string): number {
    const concerned = [...this.#watches].filter((watch) => path.test(watch.path));
    for (const { response } of concerned) response.write(`${line}\n`);
    return concerned.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#away = true;
    this.cutConnections();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://faulty');
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      isWatch: url.searchParams.get('watch') === 'true',
      atMs: performance.now(),
    };
    this.requests.push(seen);
    const fault = this.fault?.(seen);
    switch (fault?.kind) {
      case 'status':
        answerStatus(response, fault);
        request.resume();
        return;
      case 'body':
        response.writeHead(200, { 'content-type': fault.type ?? 'text/html' }).end(fault.text);
        request.resume();
        return;
      case 'delay': {
        const timer = realClock.setTimer(fault.ms, () => this.#forward(seen, request, response, Infinity));
        response.on('close', () => timer[Symbol.dispose]());
        return;
      }
      default:
        this.#forward(seen, request, response, fault?.afterBytes ?? Infinity);
    }
  }

  #forward(
    seen: SeenRequest,
    request: IncomingMessage,
    response: ServerResponse,
    cutAfterBytes: number,
  ): void {
    const sent = requestUpstream(
      new URL(request.url ?? '/', this.#credentials.url),
      { method: seen.method, headers: request.headers, agent: this.#agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        if (seen.isWatch) this.#follow(seen.path, response);
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          const left = cutAfterBytes - bytes;
          bytes += chunk.length;
          if (chunk.length <= left) response.write(chunk);
          else response.write(chunk.subarray(0, left), () => response.destroy());
        });
        answer.on('end', () => response.end());
        answer.on('error', () => response.destroy());
      },
    );
    sent.on('error', () => response.destroy());
    response.on('close', () => sent.destroy());
    request.pipe(sent);
  }

  #follow(path: string, response: ServerResponse): void {
    const watch = { path, response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
  }
}

function answerStatus(response: ServerResponse, fault: Extract<Fault, { kind: 'status' }>): void {
  const { status, reason = '', retryAfterSeconds } = fault;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  });
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    code: status,
    message: 'out of order',
  };
  response.end(JSON.stringify(body));
}

function readCredentials(kubeconfig: string): Credentials {
  const { clusters, users } = JSON.parse(kubeconfig) as {
    readonly clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    readonly users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
  };
  const decode = (text: string): string => Buffer.from(text, 'base64').toString();
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0].user;
  return { url: server, ca: decode(ca), cert: decode(cert), key: decode(key) };
}
