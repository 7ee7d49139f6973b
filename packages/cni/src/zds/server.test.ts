import { expect } from 'chai';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDescriptors } from '@ambient/linux';
import type { LogSink } from '@ambient/runtime';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import { fileIdentity, ScriptedZtunnel } from '../testing/scripted-ztunnel.ts';
import { encodeDel, encodeSnapshotSent } from './messages.ts';
import type { ZdsPod } from './server.ts';
import { ZdsServer } from './server.ts';

describe('ZdsServer', () => {
  let directory: string;
  let path: string;
  let clock: ManualClock;
  let server: ZdsServer;
  let pods: Map<string, ZdsPod>;
  let lines: string[];
  let before: number;
  let files: number[];
  let changes: ((count: number) => void)[];

  beforeEach(() => {
    before = openDescriptors().length;
    directory = mkdtempSync(join(tmpdir(), 'zds-'));
    path = join(directory, 'run', 'ztunnel.sock');
    clock = new ManualClock();
    pods = new Map();
    lines = [];
    files = [];
    changes = [];
    server = listen();
  });

  afterEach(async () => {
    await server.stop();
    for (const fd of files) closeSync(fd);
    rmSync(directory, { recursive: true });
    expect(openDescriptors().length, 'descriptors leaked').to.equal(before);
    expect(clock.pendingTimers, 'timers leaked').to.equal(0);
  });

  function listen(): ZdsServer {
    const sink: LogSink = {
      write: (level, _scope, message, fields) =>
        lines.push(`${level} ${message} ${JSON.stringify(fields?.['reason'] ?? '')}`),
    };
    return ZdsServer.listen({
      path,
      pods,
      clock,
      logger: new Logger(new LogLevels(), sink, 'zds'),
      onConnected: (count) => {
        for (const change of changes) change(count);
      },
    });
  }

  /** Any file serves as a namespace here. */
  function pod(uid: string): ZdsPod & { netns: { fd: number } } {
    const file = join(directory, uid);
    writeFileSync(file, '');
    const fd = openSync(file, 'r');
    files.push(fd);
    return { uid, name: `name-${uid}`, namespace: 'shop', serviceAccount: 'web', netns: { fd } };
  }

  /** Resolves when the server counts so many ztunnels. */
  function connected(wanted: number): Promise<void> {
    return new Promise((resolve) => {
      if (server.connected === wanted) return resolve();
      changes.push((count) => {
        if (count === wanted) resolve();
      });
    });
  }

  /** A ztunnel that the server has accepted; its hello is still to come. */
  async function dial(): Promise<ScriptedZtunnel> {
    const accepted = connected(server.connected + 1);
    const ztunnel = new ScriptedZtunnel(path);
    clock.advance(200);
    await accepted;
    return ztunnel;
  }

  async function live(): Promise<ScriptedZtunnel> {
    const ztunnel = await dial();
    ztunnel.hello();
    await ztunnel.ackUntil('snapshot');
    return ztunnel;
  }

  async function failure(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'no failure',
      (error: { code?: string }) => error.code ?? 'a failure without a code',
    );
  }

  it('sends a snapshot after the hello: pods with their namespaces, others to be kept, then its end', async () => {
    const a = pod('a');
    pods.set('a', a).set('b', { ...a, uid: 'b', netns: undefined });
    await using ztunnel = await dial();
    ztunnel.hello();
    expect(await ztunnel.next()).to.deep.equal({
      text: 'add a shop/name-a/web',
      file: fileIdentity(a.netns.fd),
    });
    ztunnel.ack();
    expect(await ztunnel.next()).to.deep.equal({ text: 'keep b', file: undefined });
    ztunnel.ack();
    expect(await ztunnel.next()).to.deep.equal({ text: 'snapshot', file: undefined });
  });

  it('sends nothing before the hello', async () => {
    await using ztunnel = await dial();
    const adding = server.add(pod('a'));
    ztunnel.hello();
    expect(await ztunnel.ackUntil('add a shop/name-a/web')).to.deep.equal([
      'snapshot',
      'add a shop/name-a/web',
    ]);
    await adding;
  });

  it('asks one thing at a time', async () => {
    await using ztunnel = await live();
    const both = Promise.all([server.add(pod('a')), server.add(pod('b'))]);
    expect(await ztunnel.next()).to.have.property('text', 'add a shop/name-a/web');
    const second = ztunnel.next();
    const order: string[] = [];
    void second.then(() => order.push('request'));
    await new Promise(setImmediate);
    order.push('ack');
    ztunnel.ack();
    await second;
    expect(order).to.deep.equal(['ack', 'request']);
    ztunnel.ack();
    await both;
  });

  it('leaves out of a snapshot what goes while it is sent, and tells of it afterwards', async () => {
    pods.set('a', pod('a')).set('b', pod('b'));
    await using ztunnel = await dial();
    ztunnel.hello();
    expect(await ztunnel.next()).to.have.property('text', 'add a shop/name-a/web');
    pods.delete('b');
    const gone = server.del('b');
    ztunnel.ack();
    expect(await ztunnel.ackUntil('del b')).to.deep.equal(['snapshot', 'del b']);
    await gone;
  });

  it('only logs what is refused of a snapshot', async () => {
    pods.set('a', pod('a'));
    await using ztunnel = await dial();
    ztunnel.hello();
    await ztunnel.next();
    ztunnel.ack('no listener');
    expect(await ztunnel.ackUntil('snapshot')).to.deep.equal(['snapshot']);
    expect(lines).to.include('warn ztunnel refuses a part of the snapshot "no listener"');
  });

  it('passes on why ztunnel refuses a pod, and stays connected', async () => {
    await using ztunnel = await live();
    const adding = server.add(pod('a')).catch((error: unknown) => error);
    await ztunnel.next();
    ztunnel.ack('bind: EADDRINUSE');
    const error = await adding;
    expect(error).to.include({ code: 'ERR_ZDS_REFUSED' });
    expect((error as Error).message)
      .to.contain('shop/name-a')
      .and.to.contain('bind: EADDRINUSE');
    expect(server.connected).to.equal(1);
  });

  it('without a ztunnel, fails to add and has nothing to delete', async () => {
    expect(await failure(server.add(pod('a')))).to.equal('ERR_ZDS_NO_ZTUNNEL');
    await server.del('a');
  });

  describe('with two ztunnels', () => {
    it('adds to the newest, even before its hello, and deletes from both', async () => {
      await using old = await live();
      await using fresh = await dial();
      const adding = server.add(pod('a'));
      const deleting = server.del('x');
      expect(await old.ackUntil('del x')).to.deep.equal(['del x']);
      fresh.hello();
      expect(await fresh.ackUntil('del x')).to.deep.equal(['snapshot', 'add a shop/name-a/web', 'del x']);
      await Promise.all([adding, deleting]);
    });

    it('goes back to the older when the newest has gone', async () => {
      await using old = await live();
      const fresh = await live();
      const gone = connected(1);
      await fresh.close();
      await gone;
      const adding = server.add(pod('a'));
      await old.ackUntil('add a shop/name-a/web');
      await adding;
    });

    it('tells all of a deletion although one refuses it', async () => {
      await using old = await live();
      await using fresh = await live();
      const deleting = failure(server.del('a'));
      await old.next();
      old.ack('busy');
      expect(await fresh.ackUntil('del a')).to.deep.equal(['del a']);
      expect(await deleting).to.equal('ERR_ZDS_REFUSED');
    });

    it('accepts five connections a second', async () => {
      await using first = await dial();
      await using second = new ScriptedZtunnel(path);
      await new Promise(setImmediate);
      expect(server.connected).to.equal(1);
      const both = connected(2);
      clock.advance(199);
      await new Promise(setImmediate);
      expect(server.connected).to.equal(1);
      clock.advance(1);
      await both;
      expect([first, second]).to.have.length(2);
    });
  });

  describe('gives up, and fails what is open, when ztunnel', () => {
    it('says no hello in time', async () => {
      await using ztunnel = await dial();
      const adding = failure(server.add(pod('a')));
      clock.advance(5000);
      expect(await adding).to.equal('ERR_ZDS_TIMEOUT');
      expect(await ztunnel.next()).to.have.property('text', 'end');
    });

    it('does not answer in time; others have their turn', async () => {
      await using good = await live();
      await using silent = await live();
      const adding = [failure(server.add(pod('a'))), failure(server.add(pod('b')))];
      await silent.next();
      clock.advance(5000);
      expect(await Promise.all(adding)).to.deep.equal(['ERR_ZDS_TIMEOUT', 'ERR_ZDS_TIMEOUT']);
      const retry = server.add(pod('c'));
      await good.ackUntil('add c shop/name-c/web');
      await retry;
    });

    it('closes in the middle of a snapshot', async () => {
      pods.set('a', pod('a')).set('b', pod('b'));
      const ztunnel = await dial();
      const adding = failure(server.add(pod('c')));
      ztunnel.hello();
      await ztunnel.next();
      await ztunnel.close();
      expect(await adding).to.equal('ERR_ZDS_CLOSED');
      expect(server.connected).to.equal(0);
      await using next = await live();
      expect(next).to.not.equal(undefined);
    });

    const garbage = new Uint8Array(64).fill(0xff);
    const hostile: readonly (readonly [string, boolean, (ztunnel: ScriptedZtunnel) => void])[] = [
      ['sends garbage for a hello', false, (z) => z.sendRaw(garbage)],
      ['offers an unknown version', false, (z) => z.sendRaw(Uint8Array.of(0x08, 0x02))],
      ['passes a descriptor with its hello', false, (z) => z.sendRaw(Uint8Array.of(0x08, 0x01), 0)],
      ['sends a message that is too long', false, (z) => z.sendRaw(new Uint8Array(1025))],
      ['speaks without being asked', true, (z) => z.ack()],
      ['sends a request of its own', true, (z) => z.sendRaw(encodeSnapshotSent())],
    ];
    for (const [name, greeted, act] of hostile)
      it(name, async () => {
        await using ztunnel = greeted ? await live() : await dial();
        act(ztunnel);
        expect(await ztunnel.next()).to.have.property('text', 'end');
        expect(server.connected).to.equal(0);
        expect(lines.join('\n')).to.match(/ztunnel is gone .*(ztunnel sent|offers|cannot be decoded)/);
      });

    for (const [name, bytes] of [
      ['garbage', garbage],
      ['a reply without a result', encodeDel('')],
      ['a cut reply', Uint8Array.of(0x0a, 0x05, 0x0a)],
    ] as const)
      it(`answers with ${name}`, async () => {
        await using ztunnel = await live();
        const adding = failure(server.add(pod('a')));
        await ztunnel.next();
        ztunnel.sendRaw(bytes);
        expect(await adding).to.equal('ERR_ZDS_PROTOCOL');
      });
  });

  it('refuses a UID that no packet can hold, and serves on', async () => {
    await using ztunnel = await live();
    const long = { ...pod('a'), uid: 'u'.repeat(2000) };
    expect(await failure(server.add(long))).to.equal('ERR_ZDS_PROTOCOL');
    const adding = server.add(pod('b'));
    await ztunnel.ackUntil('add b shop/name-b/web');
    await adding;
  });

  it('takes the place of an agent that is still there, whose end does not take it away', async () => {
    const old = server;
    server = listen();
    await old.stop();
    expect(existsSync(path)).to.equal(true);
    await using ztunnel = await live();
    expect(ztunnel).to.not.equal(undefined);
    await server.stop();
    expect(existsSync(path)).to.equal(false);
  });
});
