// A collection-serving HTTP server for tests, whose misbehaviour is scripted. Not a Kubernetes API: that is the lab's.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

import { KubeConnection } from '../connection.ts';

export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    resourceVersion?: string;
  };
  readonly [field: string]: unknown;
}

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

interface Change {
  readonly version: number;
  readonly line: string;
}

export class FakeApi implements AsyncDisposable {
  readonly #server: Server;
  readonly #collections = new Map<string, Map<string, FakeObject>>();
  readonly #changes = new Map<string, Change[]>();
  readonly #watchers = new Set<{ path: string; response: ServerResponse }>();
  readonly #waiters: { count: number; match: string; resolve: () => void }[] = [];
  #version = 100;
  /** Requests as `GET /path?query`, in order. */
  readonly log: string[] = [];
  /** Answers of the next requests, instead of the proper ones; those that return false leave it to the server. */
  readonly script: ((request: IncomingMessage, response: ServerResponse, url: URL) => boolean | void)[] = [];
  readonly routes = new Map<string, Handler>();
  /** Watches from before this version are answered with 410. */
  oldestVersion = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#serve(request, response),
    );
  }

  static async start(): Promise<FakeApi> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeApi(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get version(): string {
    return String(this.#version);
  }

  /** Open watches. */
  get watching(): number {
    return this.#watchers.size;
  }

  connection(user: Record<string, unknown> = {}): KubeConnection {
    const config = new KubeConfig();
    // The library speaks plain HTTP only where certificates would not be verified either.
    config.loadFromClusterAndUser(
      { name: 'fake', server: this.url, skipTLSVerify: true },
      { name: 'u', ...user },
    );
    return new KubeConnection(config);
  }

  /** Resolves when so many requests whose log line contains `match` have come in all. */
  requests(match: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ match, count, resolve });
      this.#notify();
    });
  }

  put(path: string, object: FakeObject): void {
    const collection = this.#collection(path);
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const stored = structuredClone(object);
    stored.metadata.resourceVersion = String(++this.#version);
    const type = collection.has(key) ? 'MODIFIED' : 'ADDED';
    collection.set(key, stored);
    this.#change(path, type, stored);
  }

  remove(path: string, key: string): void {
    const object = this.#collection(path).get(key);
    if (object === undefined) return;
    this.#collection(path).delete(key);
    this.#version++;
    this.#change(path, 'DELETED', {
      ...object,
      metadata: { ...object.metadata, resourceVersion: this.version },
    });
  }

  bookmark(path: string): void {
    this.#version++;
    this.send(
      path,
      `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: this.version } } })}\n`,
    );
  }

  /** Writes raw bytes to the open watches. */
  send(path: string, text: string): void {
    for (const watcher of this.#watchers) if (watcher.path === path) watcher.response.write(text);
  }

  /** Ends the open watches: cleanly, or by a reset. */
  endWatches(how: 'clean' | 'reset' = 'clean'): void {
    for (const { response } of this.#watchers)
      if (how === 'clean') response.end();
      else response.destroy();
    this.#watchers.clear();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fake');
    this.log.push(`${request.method} ${request.url}`);
    this.#notify();
    const scripted = this.script.shift();
    if (scripted !== undefined && scripted(request, response, url) !== false) return;
    const route = this.routes.get(url.pathname);
    if (route !== undefined) route(request, response, url);
    else if (url.searchParams.get('watch') === 'true') this.#watch(response, url);
    else if (this.#collections.has(url.pathname)) this.#list(response, url);
    else refuse(404, 'NotFound')(request, response);
  }

  #list(response: ServerResponse, url: URL): void {
    const all = [...this.#collection(url.pathname).values()];
    const limit = Number(url.searchParams.get('limit') ?? 0) || all.length;
    const from = Number(url.searchParams.get('continue') ?? 0);
    const more = from + limit < all.length;
    const metadata = {
      resourceVersion: this.version,
      ...(more ? { continue: String(from + limit) } : {}),
    };
    json(response, 200, { metadata, items: all.slice(from, from + limit) });
  }

  #watch(response: ServerResponse, url: URL): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from < this.oldestVersion) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    const watcher = { path: url.pathname, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    for (const change of this.#changes.get(url.pathname) ?? [])
      if (change.version > from) response.write(change.line);
  }

  #change(path: string, type: string, object: FakeObject): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    const changes = this.#changes.get(path) ?? [];
    changes.push({ version: this.#version, line });
    this.#changes.set(path, changes);
    this.send(path, line);
  }

  #collection(path: string): Map<string, FakeObject> {
    let collection = this.#collections.get(path);
    if (collection === undefined) this.#collections.set(path, (collection = new Map<string, FakeObject>()));
    return collection;
  }

  /** Serves an empty collection. */
  serve(...paths: string[]): void {
    for (const path of paths) this.#collection(path);
  }

  /** The collection is not served any more. */
  unserve(path: string): void {
    this.#collections.delete(path);
  }

  #notify(): void {
    for (const waiter of [...this.#waiters]) {
      if (this.log.filter((line) => line.includes(waiter.match)).length < waiter.count) continue;
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.resolve();
    }
  }
}

export function json(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A scripted refusal. */
export function refuse(status: number, reason: string, headers: Record<string, string> = {}) {
  return (_: IncomingMessage, response: ServerResponse): void =>
    json(response, status, { kind: 'Status', code: status, reason, message: `${reason} here` }, headers);
}
