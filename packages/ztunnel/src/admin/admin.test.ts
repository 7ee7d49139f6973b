import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { MeshStore } from '@ambient/mesh';
import { expect } from 'chai';
import { formatLine, Logger, LogLevels, ManualClock, Readiness } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';
import { EndedConnections } from './ended-connections.ts';
import type { AdminActions } from './admin-endpoints.ts';
import { adminEndpoints } from './admin-endpoints.ts';
import { listenAdminServers } from './admin-servers.ts';
import type { AdminServers } from './admin-servers.ts';
import { HttpEndpoint, ListenError, textReply } from './http-endpoint.ts';
import { standardPorts } from '../settings.ts';

const lines: string[] = [];
const logger = new Logger(
  new LogLevels('debug'),
  {
    write: (level, scope, message, fields, timeMs) =>
      lines.push(formatLine('plain', level, scope, message, fields, timeMs)),
  },
  'admin',
);

/** A paused clock that tells when somebody starts to wait on it. */
function watchedClock() {
  const manual = new ManualClock();
  const waiting = Promise.withResolvers<void>();
  const clock: Clock = {
    nowMs: () => manual.nowMs(),
    setTimer: (ms, fn) => {
      const timer = manual.setTimer(ms, fn);
      waiting.resolve();
      return timer;
    },
  };
  return { manual, clock, waiting: waiting.promise };
}

function actions(over: Partial<AdminActions> = {}): AdminActions {
  return {
    configDump: () => ({ workloads: [{ uid: 'a' }] }),
    connections: () => Promise.resolve([]),
    watchConnections: () => Promise.resolve({ live: [], ended: new EndedConnections() }),
    place: { store: new MeshStore(), network: '', selfPorts: [], random: () => 0 },
    logLevels: new LogLevels('info,h2=off'),
    logLevelsChanged: () => {},
    quit: () => {},
    clock: new ManualClock(),
    ...over,
  };
}

describe('the admin servers', () => {
  let servers: AdminServers | undefined;
  let readiness: Readiness;
  beforeEach(() => {
    readiness = new Readiness();
    lines.length = 0;
  });
  afterEach(async () => {
    await servers?.[Symbol.asyncDispose]();
    servers = undefined;
  });

  async function start(over: Partial<AdminActions> = {}): Promise<AdminServers> {
    servers = await listenAdminServers(
      { ports: { ...standardPorts, admin: 0, stats: 0, readiness: 0 }, ipv6Enabled: true },
      {
        actions: actions(over),
        metrics: { contentType: 'text/plain; version=0.0.4', render: () => Promise.resolve('up 1\n') },
        readiness,
        logger,
      },
    );
    return servers;
  }

  function url(endpoint: HttpEndpoint, path: string): string {
    return `http://127.0.0.1:${endpoint.addresses[0]?.port}${path}`;
  }

  async function call(endpoint: HttpEndpoint, path: string, method = 'GET') {
    const response = await fetch(url(endpoint, path), { method });
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  it('keep admin on loopback and offer the rest on every address', async () => {
    const { admin, stats } = await start();
    expect(admin.addresses.map((a) => a.address))
      .to.include('127.0.0.1')
      .and.not.include('0.0.0.0');
    expect(new Set(admin.addresses.map((a) => a.port)).size).equal(1);
    expect(stats.addresses.map((a) => a.address)).to.include('0.0.0.0');
  });

  it('answer metrics on both paths', async () => {
    const { stats } = await start();
    for (const path of ['/metrics', '/stats/prometheus']) {
      const { status, headers, body } = await call(stats, path);
      expect([status, headers.get('content-type'), body]).deep.equal([
        200,
        'text/plain; version=0.0.4',
        'up 1\n',
      ]);
    }
  });

  it('answer readiness with what is awaited', async () => {
    const { readiness: server } = await start();
    const blocker = readiness.block('state manager');
    expect(await call(server, '/healthz/ready')).deep.include({
      status: 500,
      body: 'not ready, pending: state manager\n',
    });
    blocker[Symbol.dispose]();
    expect(await call(server, '/healthz/ready')).deep.include({ status: 200, body: 'ready\n' });
  });

  it('dump the configuration as JSON', async () => {
    const { admin } = await start();
    const { headers, body } = await call(admin, '/config_dump');
    expect(headers.get('content-type')).equal('application/json');
    expect(JSON.parse(body)).deep.equal({ workloads: [{ uid: 'a' }] });
  });

  it('answer 500 and log when a dump fails, and go on', async () => {
    let fail = true;
    const { admin } = await start({
      configDump: () => {
        if (fail) throw new Error('no store yet');
        return {};
      },
    });
    expect(await call(admin, '/config_dump')).deep.include({ status: 500, body: 'no store yet\n' });
    expect(lines.join('')).contain('request failed').contain('no store yet');
    fail = false;
    expect((await call(admin, '/config_dump')).status).equal(200);
  });

  it('show, change and reset log levels, and tell the workers', async () => {
    const told: string[] = [];
    const { admin } = await start({ logLevelsChanged: (spec) => told.push(spec) });
    const post = async (query: string) => (await call(admin, `/logging${query}`, 'POST')).body.trimEnd();
    expect(await post('')).equal('current log level is info,h2=off');
    expect(await post('?level=access=debug')).equal('current log level is info,h2=off,access=debug');
    expect(await post('?level=warn')).equal('current log level is warn,h2=off,access=debug');
    expect(await post('?level=trace&reset')).equal('current log level is trace,h2=off');
    expect(await post('?reset')).equal('current log level is info,h2=off');
    expect(told).deep.equal([
      'info,h2=off,access=debug',
      'warn,h2=off,access=debug',
      'trace,h2=off',
      'info,h2=off',
    ]);
  });

  it('refuse log levels that are not understood and change nothing, not even by a reset', async () => {
    const { admin } = await start();
    await call(admin, '/logging?level=debug', 'POST');
    const { status, body } = await call(admin, '/logging?reset&level=access=loud', 'POST');
    expect(status).equal(400);
    expect(body).contain('access=loud').contain('usage: POST /logging');
    expect((await call(admin, '/logging?level=loud', 'POST')).status, 'a mistyped level is no scope').equal(
      400,
    );
    expect((await call(admin, '/logging', 'POST')).body).contain('debug,h2=off');
  });

  it('quit on POST only, and answer before', async () => {
    const quit = Promise.withResolvers<void>();
    let quits = 0;
    const { admin } = await start({
      quit: () => {
        quits += 1;
        quit.resolve();
      },
    });
    const refused = await call(admin, '/quitquitquit');
    expect([refused.status, refused.headers.get('allow'), quits]).deep.equal([405, 'POST', 0]);
    expect((await call(admin, '/quitquitquit', 'POST')).body).equal('shutdown now\n');
    await quit.promise;
    expect(quits).equal(1);
  });

  it('list every endpoint on the index page, and link only to those that change nothing', async () => {
    const { admin } = await start();
    const { body } = await call(admin, '/');
    for (const { path, method } of adminEndpoints(actions()))
      if (path !== '/')
        expect(body.includes(`href="${path}"`), path)
          .equal(method === 'GET')
          .and.satisfy(() => body.includes(path));
  });

  it('answer HEAD like GET without a body, and 404 elsewhere', async () => {
    const { admin } = await start();
    expect(await call(admin, '/config_dump', 'HEAD')).deep.include({ status: 200, body: '' });
    expect((await call(admin, '/nowhere')).status).equal(404);
  });

  it('take a CPU profile for the time asked, one at a time', async () => {
    const { manual, clock, waiting } = watchedClock();
    const { admin } = await start({ clock });
    const profile = call(admin, '/debug/pprof/profile?seconds=3');
    await waiting;
    expect(manual.nextTimerInMs).equal(3000);
    expect((await call(admin, '/debug/pprof/profile')).status).equal(409);
    manual.advance(3000);
    const { status, headers, body } = await profile;
    expect(status).equal(200);
    expect(headers.get('content-disposition')).contain('ztunnel.cpuprofile');
    expect(JSON.parse(body)).to.include.keys('nodes', 'startTime', 'endTime');
    for (const bad of ['0', '-1', '301', 'x'])
      expect((await call(admin, `/debug/pprof/profile?seconds=${bad}`)).status, bad).equal(400);
  });

  it('take a heap snapshot', async () => {
    const { admin } = await start();
    const response = await fetch(url(admin, '/debug/pprof/heap'));
    expect(response.headers.get('content-disposition')).contain('ztunnel.heapsnapshot');
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value).startsWith('{"snapshot"')).equal(true);
    await reader?.cancel();
  }).timeout(30_000);

  it('name the port and the likely cause when it is taken, and leave nothing open', async () => {
    const { admin } = await start();
    const taken = (admin.addresses[0] as AddressInfo).port;
    const error: unknown = await HttpEndpoint.listen(
      'stats',
      { hosts: ['127.0.0.1'], port: taken },
      [],
      logger,
    ).catch((e: unknown) => e);
    expect(error).instanceOf(ListenError);
    expect((error as ListenError).message)
      .contain(`127.0.0.1 port ${taken}`)
      .contain('another proxy');
  });
});

describe('HttpEndpoint', () => {
  it('leaves out addresses that the machine does not have, but needs one', async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    const address = { hosts: ['192.0.2.1', '127.0.0.1'], port: 0 };
    const endpoint = await HttpEndpoint.listen('x', address, [], logger);
    expect(endpoint.addresses.map((a) => a.address)).deep.equal(['127.0.0.1']);
    await endpoint[Symbol.asyncDispose]();
    const error: unknown = await HttpEndpoint.listen(
      'x',
      { hosts: ['192.0.2.1'], port: 0 },
      [],
      logger,
    ).catch((e: unknown) => e);
    expect(error).instanceOf(ListenError);
  });

  it('cuts a stalled client when it is disposed, and releases the producer of its answer', async () => {
    const destroyed = Promise.withResolvers<void>();
    const endless = new Readable({
      read() {
        this.push('x'.repeat(65_536));
      },
      destroy(error, callback) {
        destroyed.resolve();
        callback(error);
      },
    });
    const finished = Promise.withResolvers<void>();
    const endpoint = await HttpEndpoint.listen(
      'x',
      { hosts: ['127.0.0.1'], port: 0 },
      [
        {
          method: 'GET',
          path: '/endless',
          doc: '',
          handle: () => ({ status: 200, body: endless, afterwards: () => finished.resolve() }),
        },
      ],
      logger,
    );
    const socket = connect(endpoint.addresses[0]?.port ?? 0, '127.0.0.1');
    socket.on('error', () => {}); // a reset is what this test brings about
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    await endpoint[Symbol.asyncDispose]();
    await Promise.all([destroyed.promise, finished.promise]);
    socket.resume();
    await closed;
  });

  it('takes a path that is no URL for the fault of its client', async () => {
    const endpoint = await HttpEndpoint.listen('x', { hosts: ['127.0.0.1'], port: 0 }, [], logger);
    const socket = connect(endpoint.addresses[0]?.port ?? 0, '127.0.0.1');
    socket.end('GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.on('close', () => resolve(text));
    });
    expect(answer).match(/^HTTP\/1\.1 400/);
    await endpoint[Symbol.asyncDispose]();
  });

  it('survives garbage instead of HTTP', async () => {
    const endpoint = await HttpEndpoint.listen(
      'x',
      { hosts: ['127.0.0.1'], port: 0 },
      [{ method: 'GET', path: '/', doc: '', handle: () => textReply(200, 'fine') }],
      logger,
    );
    const port = endpoint.addresses[0]?.port ?? 0;
    const socket = connect(port, '127.0.0.1');
    socket.end('\u0016\u0003\u0001 nonsense\r\n\r\n');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.on('close', () => resolve(text));
    });
    expect(answer).match(/^HTTP\/1\.1 400/);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).equal('fine\n');
    await endpoint[Symbol.asyncDispose]();
  });
});
