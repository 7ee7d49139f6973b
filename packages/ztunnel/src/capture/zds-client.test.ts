import { openDescriptors } from '@ambient/linux';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PodWorker } from '../testing/pod-worker.ts';
import { ScriptedAgent } from '../testing/scripted-agent.ts';
import type { AgentLink } from '../testing/scripted-agent.ts';
import type { AgentProtocolError } from './errors.ts';
import { NodePods } from './node-pods.ts';
import { ZdsClient } from './zds-client.ts';

describe('ZdsClient', () => {
  let before: number;
  let directory: string;
  let path: string;
  let netns: number;
  let clock: ManualClock;
  let pods: NodePods;
  let worker: PodWorker;
  let client: ZdsClient;
  let agent: ScriptedAgent;
  let readiness: boolean[];
  let fatal: AgentProtocolError[];
  let log: string[];
  let onLog: () => void;

  beforeEach(() => {
    before = openDescriptors().length;
    directory = mkdtempSync(join(tmpdir(), 'zds-'));
    path = join(directory, 'ztunnel.sock');
    netns = openSync('/dev/null', 'r');
    clock = new ManualClock();
    readiness = [];
    fatal = [];
    log = [];
    onLog = () => undefined;
    const logger = new Logger(
      new LogLevels('debug'),
      {
        write: (level, _scope, message, fields) => {
          log.push(`${level} ${message} ${JSON.stringify(fields?.['error'] ?? '')}`);
          onLog();
        },
      },
      'inpod',
    );
    const metrics = { active: Boolean, pending: Boolean, started: Boolean, stopped: Boolean };
    pods = new NodePods({
      clock,
      drainMs: 5000,
      trustDomain: () => 'cluster.local',
      identities: { hold: () => undefined, release: () => undefined },
      metrics,
      log: logger,
    });
    worker = new PodWorker(0, () => pods);
    pods.introduce(worker);
    client = new ZdsClient({
      path,
      pods,
      onReady: (ready) => readiness.push(ready),
      onFatal: (error) => fatal.push(error),
      clock,
      log: logger,
    });
    agent = new ScriptedAgent(path);
  });

  afterEach(async () => {
    await client.stop();
    pods[Symbol.dispose]();
    await agent.close();
    closeSync(netns);
    rmSync(directory, { recursive: true });
    expect(openDescriptors().length, 'descriptors leaked').equal(before);
    expect(clock.pendingTimers, 'timers leaked').equal(0);
  });

  /** The next line of the log that matches. */
  function logged(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      onLog = () => {
        if (log.some((line) => pattern.test(line))) resolve();
      };
      onLog();
    });
  }

  async function dialled(): Promise<AgentLink> {
    const link = agent.accept();
    client.start();
    return link;
  }

  /** Waits for the loss of the connection, then lets the next one come. */
  async function redialled(): Promise<AgentLink> {
    await logged(/the node agent is gone/);
    const link = agent.accept();
    clock.advance(15_000);
    return link;
  }

  const states = (): string[] => pods.status().map(({ uid, state }) => `${uid} ${state}`);

  it('is ready when the snapshot has ended, and follows additions and removals', async () => {
    const link = await dialled();
    expect(await link.add('u1', netns)).equal('ok');
    expect(await link.snapshotSent()).equal('ok');
    expect(readiness).deep.equal([false, true]);
    expect(await link.add('u2', netns)).equal('ok');
    expect(await link.del('u1')).equal('ok');
    expect(await link.del('unknown')).equal('ok');
    expect(states()).deep.equal(['u2 Up']);
    expect(worker.heard).deep.equal(['add u1', 'add u2', 'remove 1 5000']);
    expect(readiness.includes(false, 1)).equal(false);
  });

  it('answers an addition only when the workers have', async () => {
    const link = await dialled();
    worker.onAdd = undefined;
    const answer = link.add('u1', netns);
    let early: string | undefined;
    void answer.then((text) => (early = text));
    while (worker.heard.length === 0) await new Promise(setImmediate);
    expect(early).equal(undefined);
    worker.answer({ kind: 'pod-ready', id: 1 });
    expect(await answer).equal('ok');
  });

  it('serves on without an agent, is not ready then, and takes over what the next one names', async () => {
    const link = await dialled();
    for (const uid of ['u1', 'u2', 'u3']) await link.add(uid, netns);
    await link.snapshotSent();
    link.close();
    const next = await redialled();
    expect([readiness.at(-1), states().length]).deep.equal([false, 3]);
    expect(await next.keep('u1')).equal('ok');
    expect(await next.add('u2', netns)).equal('ok');
    expect(states().length).equal(3);
    expect(await next.snapshotSent()).equal('ok');
    expect([readiness.at(-1), states()]).deep.equal([true, ['u1 Up', 'u2 Up']]);
    expect(worker.heard.filter((text) => text === 'add u2')).length(1);
  });

  it('dials again after 20 ms, twice that and so on, up to 1 s', async () => {
    await agent.close();
    rmSync(path, { force: true });
    client.start();
    const waits = [20, 40, 80, 160, 320, 640, 1000, 1000, 1000];
    for (const wait of waits) {
      const lines = (): number => log.filter((line) => line.includes('cannot be reached')).length;
      const already = lines();
      clock.advance(wait - 1);
      expect(lines(), `before ${wait}`).equal(already);
      clock.advance(1);
      expect(lines(), `after ${wait}`).equal(already + 1);
    }
    const warnings = (): number => log.filter((line) => line.startsWith('warn')).length;
    expect(warnings(), 'of one that does not come').equal(1);
    for (let seconds = 0; seconds < 15; seconds++) clock.advance(1000);
    expect(warnings(), 'after another 15 s').equal(2);
    agent = new ScriptedAgent(path);
    const accepted = agent.accept();
    clock.advance(1000);
    await accepted;
  });

  describe('a pod that cannot be captured', () => {
    it('is refused, keeps a new process from being ready, and is tried every 5 s', async () => {
      const link = await dialled();
      worker.onAdd = 'failed';
      expect(await link.add('u1', netns)).match(/cannot be captured.*EPERM/);
      expect(await link.snapshotSent()).equal('ok');
      expect([readiness.at(-1), states()]).deep.equal([false, ['u1 Pending']]);
      clock.advance(5000);
      await logged(/still cannot be captured/);
      worker.onAdd = 'ready';
      await new Promise(setImmediate);
      clock.advance(5000);
      await logged(/info pod captured/);
      await new Promise(setImmediate);
      expect([readiness.at(-1), states()]).deep.equal([true, ['u1 Up']]);
    });

    it('that is in the way itself keeps nobody from being ready, is tried on, and is told of by name', async () => {
      const link = await dialled();
      worker.onAdd = 'by-pod';
      expect(await link.add('u1', netns)).match(/a\/u1 cannot be captured.*EADDRINUSE.*may listen/);
      worker.onAdd = 'ready';
      await link.add('u2', netns);
      expect(await link.snapshotSent()).equal('ok');
      expect([readiness.at(-1), states()]).deep.equal([true, ['u1 Pending', 'u2 Up']]);
      worker.onAdd = 'by-pod';
      await new Promise(setImmediate);
      clock.advance(5000);
      await logged(/warn pod still cannot be captured.*EADDRINUSE/);
      // What this process lacks itself counts, whoever was in the way before.
      worker.onAdd = 'failed';
      await new Promise(setImmediate);
      clock.advance(5000);
      await logged(/warn pod still cannot be captured.*EPERM/);
      await link.del('other');
      expect(readiness.at(-1)).equal(false);
      worker.onAdd = 'by-pod';
      await new Promise(setImmediate);
      clock.advance(5000);
      while (readiness.at(-1) === false) await new Promise(setImmediate);
      worker.onAdd = 'ready';
      await new Promise(setImmediate);
      clock.advance(5000);
      await logged(/info pod captured/);
      while (states()[0] !== 'u1 Up') await new Promise(setImmediate);
      expect(readiness.at(-1)).equal(true);
    });

    it('is not put off by the requests that come meanwhile', async () => {
      const link = await dialled();
      worker.onAdd = 'failed';
      await link.add('u1', netns);
      await link.snapshotSent();
      for (let asked = 0; asked < 4; asked++) {
        clock.advance(1000);
        await link.del('other');
      }
      worker.onAdd = 'ready';
      await new Promise(setImmediate);
      clock.advance(1000);
      await logged(/info pod captured/);
    });

    it('makes a ready process unready at the next request that succeeds, not before', async () => {
      const link = await dialled();
      await link.snapshotSent();
      worker.onAdd = 'failed';
      await link.add('u1', netns);
      expect(readiness.at(-1)).equal(true);
      await link.del('other');
      expect(readiness.at(-1)).equal(false);
      await link.del('u1');
      expect(readiness.at(-1)).equal(true);
    });

    it('is forgotten with the connection that named it', async () => {
      const link = await dialled();
      worker.onAdd = 'failed';
      await link.add('u1', netns);
      link.close();
      const next = await redialled();
      await next.snapshotSent();
      expect([readiness.at(-1), states()]).deep.equal([true, []]);
    });

    it('that says not which it is, is refused and not tried again', async () => {
      const link = await dialled();
      const workloadInfo = { name: '', namespace: 'a', serviceAccount: 'b' };
      expect(await link.request({ add: { uid: 'u1', workloadInfo } }, netns)).match(/name is empty/);
      expect(await link.add('', netns, 'x')).match(/uid is empty/);
      expect(await link.snapshotSent()).equal('ok');
      expect([readiness.at(-1), states()]).deep.equal([true, []]);
    });
  });

  describe('says why, and makes another connection, when the agent', () => {
    const cases: [string, (link: AgentLink) => Promise<string>, RegExp][] = [
      ['adds a pod without its namespace', (link) => link.add('u1', undefined), /without its network names/],
      [
        'passes a descriptor beside a keep',
        (link) => link.request({ keep: { uid: 'u' } }, netns),
        /descript/,
      ],
      ['passes a descriptor beside a del', (link) => link.request({ del: { uid: 'u' } }, netns), /descript/],
      ['sends what cannot be decoded', (link) => link.raw(Buffer.from('ffffff', 'hex')), /cannot be decoded/],
      ['asks for nothing', (link) => link.raw(Buffer.from('7a00', 'hex')), /asks for nothing/],
      ['sends too long a message', (link) => link.add('u'.repeat(1500), netns), /was cut/],
    ];
    for (const [name, act, reason] of cases)
      it(name, async () => {
        const link = await dialled();
        expect(await act(link)).match(reason);
        expect(await link.receive()).equal('end');
        const next = await redialled();
        expect(await next.snapshotSent()).equal('ok');
        expect([readiness.at(-1), fatal.length]).deep.equal([true, 0]);
      });
  });

  describe('says why, and ends the process, when the agent', () => {
    const cases: [string, string, (link: AgentLink) => Promise<string>][] = [
      [
        'adds a pod without saying which',
        'ZDS_ADD_WITHOUT_WORKLOAD',
        (link) => link.request({ add: { uid: 'u' } }, netns),
      ],
      ['keeps a pod after its snapshot', 'ZDS_KEEP_AFTER_SNAPSHOT', (link) => link.keep('u1')],
      ['ends its snapshot twice', 'ZDS_SECOND_SNAPSHOT', (link) => link.snapshotSent()],
    ];
    for (const [name, code, act] of cases)
      it(name, async () => {
        const link = await dialled();
        await link.add('u1', netns);
        await link.snapshotSent();
        expect(await act(link)).match(/the node agent .*versions of both/);
        expect(await link.receive()).equal('end');
        expect(fatal.map((error) => error.code)).deep.equal([code]);
        // Nothing is drained for it, and nobody is dialled.
        expect(worker.heard).deep.equal(['add u1']);
        expect([readiness.at(-1), clock.pendingTimers]).deep.equal([false, 0]);
      });
  });

  it('leaves the agent when it is stopped, and goes on serving', async () => {
    const link = await dialled();
    await link.add('u1', netns);
    await link.snapshotSent();
    await client.stop();
    expect(await link.receive()).equal('end');
    expect([states(), readiness.at(-1)]).deep.equal([['u1 Up'], true]);
  });

  it('can be stopped while a worker is being waited for', async () => {
    const link = await dialled();
    worker.onAdd = undefined;
    const answer = link.add('u1', netns);
    while (worker.heard.length === 0) await new Promise(setImmediate);
    await client.stop();
    expect(await answer).equal('end');
    pods[Symbol.dispose]();
  });
});
