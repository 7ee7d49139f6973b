import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { Logger, MetricsRegistry, Readiness } from '@ambient/runtime';
import type { DeltaServer } from '@ambient/xds/server';

import type { Certificates } from '../certificates.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { Leader } from '../leader/leader.ts';
import type { ControlPlaneSettings } from '../settings/settings.ts';
import { version } from '../version.ts';
import { debugPages } from './pages.ts';

/** What debug pages show. */
export interface DebugSubject {
  readonly settings: ControlPlaneSettings;
  readonly discovery: Discovery;
  readonly streams: DeltaServer;
  readonly certificates: Certificates;
  readonly leader: Leader;
  readonly metrics: MetricsRegistry;
  readonly log: Logger;
}

/** `/ready`, as istiod has it. */
export function createReadinessServer(readiness: Readiness): Server {
  return createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/ready') return text(response, 404, 'only /ready is served here');
    text(response, readiness.ready ? 200 : 503, readiness.describe());
  });
}

/** `/metrics`, `/version` and, for callers on this machine, `/debug`. */
export function createDebugServer(subject: DebugSubject): Server {
  const pages = debugPages(subject);
  return createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://debug');
    if (pathname === '/metrics') {
      void subject.metrics.render().then((body) => {
        response.writeHead(200, { 'content-type': subject.metrics.contentType }).end(body);
      });
      return;
    }
    if (pathname === '/version') return json(response, { version });
    const page = pages.get(pathname);
    if (page === undefined)
      return text(response, 404, `served here: /metrics, /version, ${[...pages.keys()].join(', ')}`);
    if (!isLoopback(request.socket.remoteAddress))
      return text(response, 403, 'debug pages are for this machine: use kubectl port-forward or exec');
    try {
      json(response, page(searchParams));
    } catch (error) {
      subject.log.error('a debug page failed', { path: pathname, error: String(error) });
      text(response, 500, 'the page failed; see the log');
    }
  });
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || address?.replace(/^::ffff:/, '').startsWith('127.') === true;
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body, undefined, 2));
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${body}\n`);
}
