import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Logger, LogLevels, MetricsRegistry, Readiness } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';

import { version } from '../version.ts';
import type { DebugAccess, DebugGuard } from './debug-access.ts';
import { DebugRefusal } from './debug-refusal.ts';
import { changeLevels } from './log-levels.ts';
import { jsonPieces, writePieces } from './long-json.ts';
import type { DebugPage } from './pages.ts';

export interface DebugServerOptions {
  readonly pages: ReadonlyMap<string, DebugPage>;
  readonly guard: DebugGuard;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
  readonly levels: LogLevels;
  readonly log: Logger;
}

/** Pages that are made at a time: each holds the names of a table while its reader takes its time. */
const maxPagesAtATime = 4;
/** A reader that takes nothing for so long is gone, milliseconds. */
const readerPatienceMs = 30_000;

type Handler = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void;

/** `/ready` and, for those who may, `/debug`: as istiod has it on port 8080. */
export function createReadinessServer(options: DebugServerOptions): Server {
  const { readiness } = options;
  return serve(
    new Map<string, Handler>([
      ['/ready', (_request, response) => text(response, readiness.ready ? 200 : 503, readiness.describe())],
    ]),
    options,
  );
}

/** `/metrics`, `/version` and, for those who may, `/debug`: as istiod has it on port 15014. */
export function createDebugServer(options: DebugServerOptions): Server {
  const { metrics } = options;
  return serve(
    new Map<string, Handler>([
      [
        '/metrics',
        (_request, response) => {
          void metrics.render().then((body) => {
            response.writeHead(200, { 'content-type': metrics.contentType }).end(body);
          });
        },
      ],
      ['/version', (_request, response) => json(response, { version })],
    ]),
    options,
  );
}

function serve(open: ReadonlyMap<string, Handler>, options: DebugServerOptions): Server {
  const debug = debugHandler(options);
  return createServer((request, response) => {
    const target = URL.parse(request.url ?? '/', 'http://debug');
    const path = target?.pathname ?? '';
    const query = target?.searchParams ?? new URLSearchParams();
    const handler = open.get(path);
    if (handler !== undefined) handler(request, response, query);
    else if (path === '/debug' || path.startsWith('/debug/')) debug(request, response, path.slice(7), query);
    else text(response, 404, `served here: ${[...open.keys(), '/debug'].join(', ')}`);
  });
}

function debugHandler(options: DebugServerOptions) {
  const { pages, guard, levels, log } = options;
  let running = 0;

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    query: URLSearchParams,
  ): Promise<void> {
    const access = await guard.admit({
      address: request.socket.remoteAddress,
      host: request.headers.host,
      authorization: request.headersDistinct['authorization'] ?? [],
      clusterIds: request.headersDistinct['clusterid'] ?? [],
    });
    if (name === 'logging' && request.method === 'POST') {
      checkMayChange(request, access);
      return json(response, changeLevels(levels, query, log));
    }
    if (request.method !== 'GET') throw new DebugRefusal(405, 'Pages are read with GET.');
    if (name === '') return text(response, 200, index(pages));
    const content = findPage(pages, name, access).make(query, access);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.setTimeout(readerPatienceMs, () => response.destroy());
    await writePieces(response, jsonPieces(content));
    response.end('\n');
  }

  return (request: IncomingMessage, response: ServerResponse, name: string, query: URLSearchParams): void => {
    // A body is of no interest, and must not keep the connection from its end.
    request.resume();
    if (running >= maxPagesAtATime)
      return text(response, 503, `${running} pages are being made; come again in a moment`);
    running++;
    answer(request, response, name, query)
      .catch((error: unknown) => {
        if (error instanceof DebugRefusal) return text(response, error.status, error.message);
        log.error('a debug page failed', { page: name, error: describeError(error) });
        if (response.headersSent) response.destroy();
        else text(response, 500, 'The page failed; the log of the control plane tells more.');
      })
      .finally(() => running--);
  };
}

/** @throws DebugRefusal */
export function findPage(
  pages: ReadonlyMap<string, DebugPage>,
  name: string,
  access: DebugAccess,
): DebugPage {
  const page = pages.get(name);
  if (access.kind === 'own' && page?.forOwn !== true) {
    const own = [...pages].flatMap(([other, { forOwn }]) => (forOwn === true ? other : []));
    throw new DebugRefusal(
      403,
      `${access.principal} may ask for ${own.join(', ')} of itself alone. Use an account of the root namespace, or kubectl port-forward.`,
    );
  }
  if (page === undefined)
    throw new DebugRefusal(404, `There is no such page. These are: ${[...pages.keys()].sort().join(', ')}.`);
  return page;
}

/** @throws DebugRefusal */
function checkMayChange(request: IncomingMessage, access: DebugAccess): void {
  if (access.kind !== 'local')
    throw new DebugRefusal(403, 'Levels are changed from inside the pod: kubectl exec or port-forward.');
  // A web page can post to this machine, but not without this header.
  if (request.headers.origin !== undefined)
    throw new DebugRefusal(403, 'Levels are not changed by web pages: use curl -X POST.');
}

function index(pages: ReadonlyMap<string, DebugPage>): string {
  return Array.from(pages, ([name, { doc }]) => `/debug/${name.padEnd(16)}${doc}`).join('\n');
}

function json(response: ServerResponse, body: unknown): void {
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(`${JSON.stringify(body, undefined, 2)}\n`);
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body}\n`);
}
