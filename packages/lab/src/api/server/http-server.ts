import { ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { ApiError, internalError } from '../errors.ts';
import type { CertificateAndKey } from './lab-certificates.ts';
import { sendJson } from './exchange.ts';
import type { HttpRequest, HttpResponse, Upgrade } from './exchange.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly certificate: CertificateAndKey;
  /** Signs the certificates of clients. */
  readonly clientCaPem: string;
  /**
   * Throws ApiError for what is refused.
   *
   * @param upgrade of a request that asks for another protocol, over HTTP/1.1
   */
  readonly handle: (
    request: HttpRequest,
    response: HttpResponse,
    socket: TLSSocket,
    upgrade?: Upgrade,
  ) => Promise<void>;
  /** Told of what is a fault of this server. */
  readonly onFault: (error: unknown) => void;
}

/** Raised when the API's port cannot be had. */
export class ApiListenError extends Error {
  readonly code = 'LAB_API_LISTEN';
  constructor(host: string, port: number, cause: unknown) {
    super(
      `cannot listen on ${host} port ${port}; end what listens there, or choose another port (0 takes a free one)`,
      { cause },
    );
    this.name = 'ApiListenError';
  }
}

/** HTTPS over HTTP/1.1 or HTTP/2, as the client likes. It owns its sockets. */
export class HttpServer {
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #options: HttpServerOptions;

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = createSecureServer({
      allowHTTP1: true,
      key: options.certificate.privateKeyPem,
      cert: options.certificate.certificatePem,
      ca: options.clientCaPem,
      requestCert: true,
      // Those without a certificate may have a token.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      // Megabytes per connection; one connection of a Go client carries all of its watches and lists.
      maxSessionMemory: 1024,
      settings: { initialWindowSize: 1 << 20, maxConcurrentStreams: 1000 },
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize?.(16 << 20);
      session.on('error', () => session.destroy());
      session.on('close', () => this.#sessions.delete(session));
    });
    // A client that breaks off loses its own connection and nothing else.
    this.#server.on('tlsClientError', (_, socket) => socket.destroy());
    this.#server.on('sessionError', (_, session) => session.destroy());
    this.#server.on(
      'request',
      (request, response) =>
        void this.#respond(request as unknown as HttpRequest, response as unknown as HttpResponse),
    );
    this.#server.on('upgrade', (request: HttpRequest, socket: TLSSocket, head: Buffer) => {
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.on('finish', () => socket.end());
      socket.on('error', () => socket.destroy());
      void this.#respond(request, response, { socket, head });
    });
  }

  /** @throws ApiListenError */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.#server.once('error', (error) => reject(new ApiListenError(options.host, options.port, error)));
    server.#server.listen(options.port, options.host, () => resolve());
    await promise;
    server.#server.on('error', (error) => options.onFault(error));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection, and settles when the port is free. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  async #respond(request: HttpRequest, response: HttpResponse, upgrade?: Upgrade): Promise<void> {
    // Node reports a client that left as an error of the stream, which would end the process if nobody listened.
    request.on('error', () => response.destroy());
    response.on('error', () => response.destroy());
    try {
      await this.#options.handle(request, response, request.socket as TLSSocket, upgrade);
    } catch (error) {
      const refusal = error instanceof ApiError ? error : internalError(error);
      if (!(error instanceof ApiError)) this.#options.onFault(error);
      if (response.headersSent) response.destroy();
      // What is left of a body that was refused cannot be told from the next request.
      else if (!request.complete && request.httpVersionMajor === 1)
        sendJson(response, refusal.code, refusal.toStatus(), { connection: 'close' });
      else sendJson(response, refusal.code, refusal.toStatus());
    }
  }
}
