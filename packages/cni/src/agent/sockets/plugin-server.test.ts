import { expect } from 'chai';
import { request as plainRequest } from 'node:http';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger, LogLevels, MetricsRegistry, SeriesBudget } from '@ambient/runtime';
import type { LogSink } from '@ambient/runtime';
import { httpCall } from '../../plugin/http-call.ts';
import { agentMetrics, AgentMetrics } from '../metrics.ts';
import type { StartingPod } from './plugin-server.ts';
import { PluginServer, readStartingPod } from './plugin-server.ts';

const request = {
  Netns: '/var/run/netns/x',
  PodName: 'web',
  PodNamespace: 'shop',
  IPs: [{ Interface: 0, Address: { IP: '10.0.0.2', Mask: '////AA==' }, Gateway: '' }],
};

describe('PluginServer', () => {
  let directory: string;
  let server: PluginServer;
  let lines: string[];
  let started: StartingPod[];
  let outcome: (pod: StartingPod, signal: AbortSignal) => Promise<void>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'agent-'));
    [lines, started] = [[], []];
    outcome = () => Promise.resolve();
    server = await listen();
  });

  afterEach(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  async function listen(): Promise<PluginServer> {
    const registry = await MetricsRegistry.create(
      agentMetrics,
      new SeriesBudget({}, () => undefined),
      () => 0,
    );
    const sink: LogSink = { write: (level, scope, message) => lines.push(`${level} ${scope} ${message}`) };
    const log = new Logger(new LogLevels('debug'), sink, 'pods');
    return PluginServer.listen({
      directory,
      onStarting: (pod, signal) => {
        started.push(pod);
        return outcome(pod, signal);
      },
      metrics: new AgentMetrics(registry),
      log,
      pluginLog: log.scope('plugin'),
    });
  }

  async function post(socket: string, path: string, body: unknown): Promise<string> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const options = { protocol: 'http:', socketPath: join(directory, socket), path, method: 'POST' } as const;
    const answer = await httpCall(options, text, 2000);
    return `${answer.status} ${answer.body.trim()}`.trim();
  }

  it('hands a pod on, and answers when it is captured', async () => {
    expect(await post('pluginevent.sock', '/cmdadd', request)).to.equal('200');
    expect(started).to.deep.equal([
      { name: 'web', namespace: 'shop', netns: '/var/run/netns/x', addresses: ['10.0.0.2'] },
    ]);
    expect(await post('pluginevent.sock', '/cmdadd', { ...request, IPs: null })).to.equal('200');
  });

  it('says at once that it is at work', async () => {
    const end = Promise.withResolvers<void>();
    outcome = () => end.promise;
    let silent = false;
    const heard = Promise.withResolvers<void>();
    const sent = httpCall(
      { socketPath: join(directory, 'pluginevent.sock'), path: '/cmdadd', method: 'POST' },
      JSON.stringify(request),
      5000,
      (options) => plainRequest(options).once('information', heard.resolve),
      { silence: { afterMs: 2000, onSilent: () => (silent = true) } },
    );
    await heard.promise;
    end.resolve();
    expect((await sent).status).to.equal(200);
    expect(silent).to.equal(false);
  });

  it('answers 500 with the reason when it cannot be', async () => {
    outcome = () => Promise.reject(new Error('no ztunnel'));
    expect(await post('pluginevent.sock', '/cmdadd', request)).to.equal('500 no ztunnel');
    expect(lines.join()).to.match(/warn pods a pod that starts cannot be captured/);
  });

  it('takes back what it does when the plugin goes', async () => {
    const aborted = new Promise<void>((resolve) => {
      outcome = (_, signal) =>
        new Promise((end) => signal.addEventListener('abort', () => (resolve(), end())));
    });
    const options = {
      protocol: 'http:',
      socketPath: join(directory, 'pluginevent.sock'),
      path: '/cmdadd',
      method: 'POST',
    } as const;
    await httpCall(options, JSON.stringify(request), 50).catch(() => undefined);
    await aborted;
  });

  it("writes the plugin's lines into the log, whatever they are", async () => {
    const body = [
      JSON.stringify({ msg: 'captured', level: 'info', time: 't' }),
      'no JSON',
      JSON.stringify({ level: 'x' }),
    ];
    expect(await post('log.sock', '/log', body)).to.equal('200');
    expect(lines).to.deep.equal(['info plugin captured', 'info plugin no JSON', 'info plugin {"level":"x"}']);
    expect(await post('log.sock', '/log', { msg: 1 })).to.equal('400 the body must be a list of texts');
  });

  it('is there for everybody on the node, and leaves the socket of its successor alone', async () => {
    expect(statSync(join(directory, 'pluginevent.sock')).mode & 0o777).to.equal(0o666);
    const successor = await listen();
    await server.stop();
    expect(await post('pluginevent.sock', '/cmdadd', request)).to.equal('200');
    await successor.stop();
    expect(existsSync(join(directory, 'pluginevent.sock'))).to.equal(false);
  });

  describe('a hostile client', () => {
    const bad: readonly (readonly [string, unknown, string])[] = [
      ['no JSON', '{', 'the body is no JSON'],
      ['a list', [], 'the request is no object'],
      ['no namespace path', { ...request, Netns: '' }, 'Netns must be a text that is not empty'],
      [
        'a path that leads elsewhere',
        { ...request, Netns: '/run/../proc/1/ns/net' },
        'Netns must be an absolute path without ".."',
      ],
      ['a name that is none', { ...request, PodName: 7 }, 'PodName must be a text that is not empty'],
      [
        'addresses that are none',
        { ...request, IPs: [{ Address: { IP: '1; flush' } }] },
        'IPs[0].Address.IP must be an IP address',
      ],
      ['addresses that are no list', { ...request, IPs: 'x' }, 'IPs must be a list'],
      ['more than a request may hold', `"${'x'.repeat(1_100_000)}"`, 'the body has more than 1048576 bytes'],
    ];
    for (const [title, body, expected] of bad)
      it(`is answered 400 for ${title}`, async () => {
        expect(await post('pluginevent.sock', '/cmdadd', body)).to.equal(`400 ${expected}`);
        expect(started).to.deep.equal([]);
      });

    it('is answered 404 elsewhere', async () => {
      expect(await post('pluginevent.sock', '/', request)).to.match(/^404/);
    });
  });

  it('reads what Go writes', () => {
    expect(readStartingPod(JSON.stringify({ ...request, Unknown: true })).name).to.equal('web');
  });
});
