import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertNoLeak, takeLeakSnapshot } from '../leak-check.ts';
import { sampleApp } from '../sample-apps/commands.ts';
import { NetnsError } from './errors.ts';
import { NetnsLab } from './lab.ts';
import { applyRedirect, clearRedirect } from './redirect.ts';

interface ExchangeResult {
  readonly end: string;
  readonly text: string;
}

describe('lab of network namespaces', () => {
  let directory: string;
  let lab: NetnsLab;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'testkit-'));
    lab = NetnsLab.create({ directory });
  });

  afterEach(async () => {
    const { runId } = lab;
    await lab.destroy();
    await assertNoLeak(takeLeakSnapshot({}), { runId });
    expect(readdirSync(directory)).to.deep.equal([]);
    rmSync(directory, { recursive: true });
  });

  it('joins two by a pair and more by a bridge, over IPv4 and IPv6', async () => {
    const [a, b, c] = [await lab.namespace('a'), await lab.namespace('b'), await lab.namespace('c')];
    await lab.network([a, b], { mtu: 1280 });
    await lab.network([a, b, c], { prefix4: '10.78.0', prefix6: 'fd78::' });
    expect(c.addresses).to.deep.equal(['10.78.0.3', 'fd78::3']);
    expect(await a.must(['ip', 'link', 'show', 'eth0'])).to.contain('mtu 1280');
    const echo = await c.spawn(sampleApp('echo', { port: 7 }));
    await echo.waitForLine(/^ready/);
    for (const host of c.addresses) {
      const { stdout } = await a.run(sampleApp('exchange-client', { host, port: 7, send: 'hello' }));
      expect(JSON.parse(stdout)).to.include({ end: 'eof', text: 'hello' });
    }
  });

  it('captures outbound TCP, but not the tunnel port, until the rules are cleared', async () => {
    const [a, b] = [await lab.namespace('a'), await lab.namespace('b')];
    await lab.network([a, b]);
    for (const [netns, port, body] of [
      [a, 15_001, 'proxy'],
      [b, 80, 'application'],
      [b, 15_008, 'tunnel'],
    ] as const) {
      const server = await netns.spawn(sampleApp('http-constant', { port, body }));
      await server.waitForLine(/^ready/);
    }
    const get = async (url: string): Promise<string> => {
      const { stdout } = await a.run(sampleApp('http-get', { url }));
      return (JSON.parse(stdout) as { body: string }).body;
    };
    await applyRedirect(a, { outbound: [{ toPort: 15_001, cidrs: ['10.77.0.0/24', 'fd77::/64'] }] });
    expect(await get(`http://${b.ipv4}/`)).to.equal('proxy');
    expect(await get(`http://[${b.ipv6}]/`)).to.equal('proxy');
    expect(await get(`http://${b.ipv4}:15008/`)).to.equal('tunnel');
    await clearRedirect(a);
    expect(await get(`http://${b.ipv4}/`)).to.equal('application');
  });

  it('captures inbound plaintext', async () => {
    const [a, b] = [await lab.namespace('a'), await lab.namespace('b')];
    await lab.network([a, b]);
    const proxy = await b.spawn(sampleApp('http-constant', { port: 15_006, body: 'proxy' }));
    await proxy.waitForLine(/^ready/);
    await applyRedirect(b, { inboundPort: 15_006 });
    const { stdout } = await a.run(sampleApp('http-get', { url: `http://[${b.ipv6}]:80/` }));
    expect(JSON.parse(stdout)).to.include({ body: 'proxy' });
  });

  it('waits for a listener, and tells the log when the process ends instead', async () => {
    const a = await lab.namespace('a');
    const echo = await a.spawn(sampleApp('echo', { port: 7 }));
    await echo.waitForListener(7);
    const second = await a.spawn(sampleApp('echo', { port: 7 }));
    const failure = await second.waitForLine(/^ready/).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(NetnsError);
    expect(failure).to.include({ code: 'ERR_NETNS_EXITED' });
    expect((failure as NetnsError).message).to.contain('EADDRINUSE');
  });

  it('kills a program that ignores SIGTERM, and its children', async () => {
    const a = await lab.namespace('a');
    const stubborn = await a.spawn(['sh', '-c', 'trap "" TERM; sleep 600 & echo up; wait; sleep 600']);
    await stubborn.waitForLine(/^up$/);
    expect(await stubborn.stop('SIGTERM', 50)).to.include({ signal: 'SIGKILL' });
    const left = takeLeakSnapshot({ runId: lab.runId }).processes.filter((entry) => entry.includes('600'));
    expect(left).to.deep.equal([]);
  });

  it('half-closes, stalls and reads slowly as its sample programs say', async () => {
    const a = await lab.namespace('a');
    for (const argv of [
      sampleApp('echo', { port: 7, 'after-eof': true }),
      sampleApp('slow-reader', { port: 8, rate: 0 }),
      sampleApp('slow-reader', { port: 9, rate: 100_000 }),
    ])
      await (await a.spawn(argv)).waitForLine(/^ready/);
    const exchange = async (port: number, more: Record<string, string | number>): Promise<ExchangeResult> => {
      const { stdout } = await a.run(sampleApp('exchange-client', { host: '::1', port, send: 'x', ...more }));
      return JSON.parse(stdout) as ExchangeResult;
    };
    expect(await exchange(7, {})).to.include({ end: 'eof', text: 'x' });
    expect(await exchange(8, { 'timeout-ms': 50 })).to.include({ end: 'timeout' });
    expect(await exchange(9, {})).to.include({ end: 'eof', text: '' });
  });

  it('leaves no process when its owner is killed, and sweeps the directory later', async () => {
    const program = `
      import { NetnsLab } from ${JSON.stringify(fileURLToPath(new URL('lab.ts', import.meta.url)))};
      const lab = NetnsLab.create({ directory: ${JSON.stringify(directory)} });
      // Once it speaks, it is the program itself and has asked to die with its owner.
      const child = await (await lab.namespace('a')).spawn(['sh', '-c', 'echo up; exec sleep 600']);
      await child.waitForLine(/^up$/);
      console.log(lab.runId);
      setInterval(() => undefined, 1000);
    `;
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const runId = line.toString().trim();
    expect(takeLeakSnapshot({ runId }).processes).to.have.length(2);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await assertNoLeak(takeLeakSnapshot({}), { runId });
    const abandoned = join(directory, `ambient-lab-${runId}`);
    expect(existsSync(abandoned)).to.equal(true);
    await NetnsLab.create({ directory }).destroy();
    expect(existsSync(abandoned)).to.equal(false);
  });
});
