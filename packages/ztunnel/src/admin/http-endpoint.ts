import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { describeError } from '@ambient/runtime';
import type { Logger } from '@ambient/runtime';

/** An answer of an endpoint. */
export interface Reply {
  readonly status: number;
  readonly body: string | Readable;
  /** `text/plain; charset=utf-8` if absent. */
  readonly contentType?: string;
  /** Suggested name for a file, where the answer is one. */
  readonly fileName?: string;
  /** Called when the answer has been handed to the system, or the peer is gone. */
  readonly afterwards?: () => void;
}

/** One path of a server and what it does; `doc` is for the index page. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly doc: string;
  /** A thrown error becomes an answer 500 and a line in the log. */
  handle(query: URLSearchParams): Reply | Promise<Reply>;
}

/** A server could not be bound. */
export class ListenError extends Error {
  readonly code = 'LISTEN_FAILED';
  constructor(name: string, address: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `${name} cannot listen on ${address}: ${reason}. Is another process using the port, or another proxy running in this network namespace?`,
      { cause },
    );
    this.name = 'ListenError';
  }
}

/** Where a server listens. */
export interface ListenAddress {
  /** Those that the machine does not have, such as `::1` without IPv6, are left out; at least one must remain. */
  readonly hosts: readonly string[];
  /** 0 picks a free port, the same for all hosts. */
  readonly port: number;
}

/** A plain text answer; a line feed is added, as curl users like it. */
export function textReply(status: number, body: string): Reply {
  return { status, body: `${body}\n` };
}

/**
 * A small HTTP server over a table of endpoints: the admin, metrics and readiness ports. It owns its sockets until it is
 * disposed.
 */
export class HttpEndpoint implements AsyncDisposable {
  readonly name: string;
  readonly #servers: Server[] = [];
  readonly #endpoints: readonly Endpoint[];
  readonly #logger: Logger;

  private constructor(name: string, endpoints: readonly Endpoint[], logger: Logger) {
    this.name = name;
    this.#endpoints = endpoints;
    this.#logger = logger;
  }

  /** @throws ListenError */
  static async listen(
    name: string,
    address: ListenAddress,
    endpoints: readonly Endpoint[],
    logger: Logger,
  ): Promise<HttpEndpoint> {
    const endpoint = new HttpEndpoint(name, endpoints, logger);
    let absent: unknown;
    try {
      for (const host of address.hosts) {
        try {
          await endpoint.#bind(host, endpoint.addresses[0]?.port ?? address.port);
        } catch (error) {
          if (!isAbsentAddress(error)) throw error;
          absent = error;
          logger.debug('address is not on this machine, not listening there', { server: name, host });
        }
      }
      if (endpoint.addresses.length === 0) throw absent;
    } catch (error) {
      await endpoint[Symbol.asyncDispose]();
      throw error;
    }
    return endpoint;
  }

  /** Addresses that are bound, in the order of the hosts. */
  get addresses(): readonly AddressInfo[] {
    return this.#servers.map((server) => server.address() as AddressInfo);
  }

  /** Stops listening and cuts what is still open. */
  async [Symbol.asyncDispose](): Promise<void> {
    const servers = this.#servers.splice(0);
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }

  async #bind(host: string, port: number): Promise<void> {
    const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 16 * 1024 }, (request, response) => {
      void this.#answer(request, response);
    });
    // More than a handful of callers at once is no operator.
    server.maxConnections = 64;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new ListenError(this.name, `${host} port ${port}`, cause)));
      server.listen({ host, port, ipv6Only: true }, () => resolve());
    });
    this.#servers.push(server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    let reply: Reply;
    let allow: string | undefined;
    try {
      const url = URL.parse(request.url ?? '/', 'http://localhost');
      if (url === null) {
        this.#send(request, response, textReply(400, 'the path is no URL'));
        return;
      }
      const here = this.#endpoints.filter((endpoint) => endpoint.path === url.pathname);
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const endpoint = here.find((candidate) => candidate.method === method);
      if (endpoint !== undefined) reply = await endpoint.handle(url.searchParams);
      else if (here.length === 0) reply = textReply(404, 'not found');
      else {
        allow = here.map((candidate) => candidate.method).join(', ');
        reply = textReply(405, `use ${allow}`);
      }
    } catch (error) {
      this.#logger.warn('request failed', {
        server: this.name,
        path: request.url,
        error: describeError(error),
      });
      reply = textReply(500, describeError(error));
    }
    if (allow !== undefined) response.setHeader('allow', allow);
    this.#send(request, response, reply);
  }

  #send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
    response.statusCode = reply.status;
    response.setHeader('content-type', reply.contentType ?? 'text/plain; charset=utf-8');
    if (reply.fileName !== undefined)
      response.setHeader('content-disposition', `attachment; filename="${reply.fileName}"`);
    if (reply.afterwards !== undefined) response.once('close', reply.afterwards);
    if (typeof reply.body === 'string') {
      response.end(request.method === 'HEAD' ? undefined : reply.body);
      return;
    }
    pipeline(reply.body, response, (error) => {
      if (error !== null && error !== undefined)
        this.#logger.debug('answer was not taken whole', {
          server: this.name,
          path: request.url,
          error: describeError(error),
        });
    });
  }
}

function isAbsentAddress(error: unknown): boolean {
  const cause = error instanceof ListenError ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}
