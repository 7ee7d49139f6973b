import { request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Logger, LogLevels, MetricsRegistry, Readiness, SeriesBudget } from '@ambient/runtime';
import { expect } from 'chai';

import { DebugGuard } from './debug-access.ts';
import { DebugRefusal } from './debug-refusal.ts';
import { createDebugServer, createReadinessServer } from './debug-server.ts';
import { LongList } from './long-json.ts';
import type { DebugPage } from './pages.ts';

/** More than sockets hold between two ends of this machine. */
const longPage = 64 * 1024 * 1024;

describe('the server of debug pages', () => {
  const errors: string[] = [];
  const servers: Server[] = [];
  let readiness: Readiness;
  let port: number;
  let readinessPort: number;
  let made = 0;

  function* endless(): Generator<string> {
    for (let length = 0; length < longPage; length += 1000) {
      made++;
      yield 'x'.repeat(1000);
    }
  }
  function* broken(): Generator<number> {
    yield 1;
    throw new Error('in the midst');
  }
  const page = (make: DebugPage['make']): DebugPage => ({ doc: 'a page', make });
  const pages = new Map<string, DebugPage>([
    ['short', page((query) => ({ asked: query.get('q') }))],
    ['long', page(() => new LongList(endless()))],
    ['broken', page(() => new LongList(broken()))],
    [
      'throws',
      page(() => {
        throw new TypeError('secret detail');
      }),
    ],
    [
      'refuses',
      page(() => {
        throw new DebugRefusal(404, 'there is none');
      }),
    ],
  ]);

  before(async () => {
    const levels = new LogLevels('error');
    const write = (_level: string, _scope: string, message: string): void => void errors.push(message);
    readiness = new Readiness(() => {});
    const options = {
      pages,
      guard: new DebugGuard({
        authenticator: { authenticate: () => Promise.reject(new Error('nobody is asked on this machine')) },
        rootNamespace: () => 'istio-system',
      }),
      readiness,
      metrics: await MetricsRegistry.create([], new SeriesBudget({}, () => {}), () => 0),
      levels,
      log: new Logger(levels, { write }, 'debug'),
    };
    for (const create of [createDebugServer, createReadinessServer]) {
      const server = create(options);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    [port, readinessPort] = servers.map((server) => (server.address() as AddressInfo).port) as [
      number,
      number,
    ];
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });
  beforeEach(() => (errors.length = 0));

  async function ask(path: string, method = 'GET', at = port): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${at}${path}`, { method });
    return `${response.status} ${(await response.text()).trim()}`;
  }

  it('serves pages with their query, and an index of them', async () => {
    expect(JSON.parse((await ask('/debug/short?q=1')).slice(4))).deep.equal({ asked: '1' });
    expect(await ask('/debug')).match(/^200 \/debug\/short +a page/);
    expect(await ask('/debug/short', 'GET', readinessPort)).match(/^200/);
  });

  it('names what is served to who asks for something else', async () => {
    expect(await ask('/debug/nothing')).match(/^404 .*broken, long, refuses, short/);
    expect(await ask('/nothing')).equal('404 served here: /metrics, /version, /debug');
    expect(await ask('//[')).match(/^404/);
    expect(await ask('/debug/short', 'PUT')).match(/^405/);
    expect(await ask('/debug/refuses')).equal('404 there is none');
  });

  it('a page that fails costs its reader, is told in the log, and shows nothing of the mistake', async () => {
    expect(await ask('/debug/throws')).equal('500 The page failed; the log of the control plane tells more.');
    expect(errors).deep.equal(['a debug page failed']);
    expect(await ask('/debug/broken').catch(() => 'cut')).equal('cut');
    expect(await ask('/debug/short')).match(/^200/);
  });

  it('says whether it is ready, and why not', async () => {
    expect(await ask('/ready', 'GET', readinessPort)).equal('200 ready');
    const waiting = readiness.block('the cluster');
    expect(await ask('/ready', 'GET', readinessPort)).equal('503 not ready, pending: the cluster');
    waiting[Symbol.dispose]();
  });

  it('readers that do not read hold up nothing but themselves, and only so many of them', async () => {
    made = 0;
    const readers = Array.from({ length: 4 }, () => {
      const started = Promise.withResolvers<void>();
      const request = httpRequest(
        { host: '127.0.0.1', port, path: '/debug/long', agent: false },
        (response) => {
          response.on('error', () => {});
          started.resolve();
        },
      );
      request.on('error', () => started.resolve()).end();
      return { request, started: started.promise };
    });
    for (const { started } of readers) await started;
    expect(await ask('/debug/short')).match(/^503 4 pages are being made/);
    expect(await ask('/version')).match(/^200/);
    expect(made * 1000).lessThan(4 * longPage);
    const [first] = readers;
    first!.request.destroy();
    let answer = '';
    while (!answer.startsWith('200')) answer = await ask('/debug/short');
    for (const { request } of readers) request.destroy();
  });

  it('writes a long page whole to who reads it', async () => {
    const body = await new Promise<string>((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path: '/debug/long', agent: false }, (response) => {
        text(response).then(resolve, reject);
      }).end();
    });
    expect((JSON.parse(body) as unknown[]).length).equal(Math.ceil(longPage / 1000));
  }).timeout(20_000);
});
