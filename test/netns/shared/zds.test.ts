import { expect } from 'chai';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ZdsPod } from '@ambient/cni';
import { ZdsServer } from '@ambient/cni';
import { NetworkNamespace } from '@ambient/linux';
import { Logger, LogLevels, realClock } from '@ambient/runtime';
import { NetnsLab } from '@ambient/testkit/lab';
import type { LabProcess, Netns } from '@ambient/testkit/lab';
// The agent's side with nothing behind it, which may break every rule.
import { ScriptedAgent } from '../../../packages/ztunnel/src/testing/scripted-agent.ts';
import type { AgentLink } from '../../../packages/ztunnel/src/testing/scripted-agent.ts';
import { fetchFrom } from '../function/call.ts';

const ZTUNNEL = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));
const silent = new Logger(new LogLevels('off'), { write: () => undefined }, 'test');
/** A deadline for what takes some milliseconds. */
const SOON_MS = 10_000;

describe('ztunnel and its node agent', () => {
  let lab: NetnsLab;
  let node: Netns;
  let path: string;
  let ztunnel: LabProcess;
  let namespaces: NetworkNamespace[];
  let open: AsyncDisposableStack;

  beforeEach(async () => {
    lab = NetnsLab.create();
    open = new AsyncDisposableStack();
    namespaces = [];
    node = await lab.namespace('node');
    mkdirSync(join(lab.directory, 'run'));
    path = join(lab.directory, 'run', 'ztunnel.sock');
  });

  afterEach(async () => {
    await open.disposeAsync();
    for (const namespace of namespaces) namespace.close();
    await lab.destroy();
  });

  async function start(): Promise<LabProcess> {
    mkdirSync(join(lab.directory, 'fake-ca'), { recursive: true });
    ztunnel = await node.spawn([process.execPath, '--disable-warning=ExperimentalWarning', ZTUNNEL], {
      name: 'ztunnel',
      env: {
        NODE_NAME: 'n1',
        FAKE_CA: 'true',
        FAKE_CA_DIR: join(lab.directory, 'fake-ca'),
        XDS_ADDRESS: '',
        INPOD_UDS: path,
        ZTUNNEL_WORKER_THREADS: '2',
        CONNECTION_TERMINATION_DEADLINE: '1s',
        ISTIO_META_DNS_CAPTURE: 'false',
        LOG_FORMAT: 'json',
      },
    });
    return ztunnel;
  }

  /** A pod's namespace; what listens there is asked for from within. */
  async function podNamespace(
    name: string,
  ): Promise<{ netns: Netns; fd: number; namespace: NetworkNamespace }> {
    const netns = await lab.namespace(name);
    const namespace = NetworkNamespace.open(netns.path);
    namespaces.push(namespace);
    return { netns, fd: namespace.fd, namespace };
  }

  /** Ports on which somebody listens in a namespace, among those of the proxy. */
  async function listening(netns: Netns): Promise<number[]> {
    const sockets = await netns.must(['ss', '-Hltn']);
    const ports = [...sockets.matchAll(/:(15001|15006|15008)\s/g)].map(([, port]) => Number(port));
    return [...new Set(ports)].sort();
  }

  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const giveUpMs = Date.now() + SOON_MS;
    while (!(await holds())) if (Date.now() > giveUpMs) expect.fail(`not in time: ${what}`);
  }

  async function ready(): Promise<string> {
    return (await fetchFrom(node, '127.0.0.1', 15_021, { path: '/healthz/ready' })).body;
  }

  async function scripted(): Promise<{ agent: ScriptedAgent; link: AgentLink }> {
    const agent = open.use(new ScriptedAgent(path));
    const [link] = await Promise.all([agent.accept(), start()]);
    await ztunnel.waitForLine(/"message":"serving"/, SOON_MS);
    return { agent, link };
  }

  it('listens in a pod from its addition to its removal, in no other, and not in its own', async () => {
    const { link } = await scripted();
    const [a, b] = [await podNamespace('a'), await podNamespace('b')];
    expect(await link.add('a', a.fd)).to.equal('ok');
    expect(await listening(a.netns)).to.deep.equal([15001, 15006, 15008]);
    expect([await listening(b.netns), await listening(node)]).to.deep.equal([[], []]);
    expect(await ready()).to.equal('not ready, pending: workload proxy manager\n');
    expect(await link.snapshotSent()).to.equal('ok');
    expect(await ready()).to.equal('ready\n');
    expect(await link.del('a')).to.equal('ok');
    await until('listeners closed', async () => (await listening(a.netns)).length === 0);
  });

  it('follows a pod that comes back in another namespace', async () => {
    const { link } = await scripted();
    const [a, b] = [await podNamespace('a'), await podNamespace('b')];
    await link.add('pod', a.fd);
    await link.snapshotSent();
    expect(await link.add('pod', b.fd)).to.equal('ok');
    expect(await listening(b.netns)).to.have.length(3);
    await until('the old one is left', async () => (await listening(a.netns)).length === 0);
  });

  it('refuses what is no network namespace, and is whole when that is taken back', async () => {
    const { link } = await scripted();
    expect(await link.add('pod', 0)).to.match(/pod a\/pod cannot be captured: data worker \d: .*setns/);
    expect(await link.snapshotSent()).to.equal('ok');
    expect(await ready()).to.equal('not ready, pending: workload proxy manager\n');
    expect(await link.del('pod')).to.equal('ok');
    expect(await ready()).to.equal('ready\n');
  });

  it('keeps its pods while the agent is away, and drops those that the next snapshot does not name', async () => {
    const { agent, link } = await scripted();
    const [a, b] = [await podNamespace('a'), await podNamespace('b')];
    await link.add('a', a.fd);
    await link.add('b', b.fd);
    await link.snapshotSent();
    link.close();
    const next = await agent.accept();
    expect(await ready()).to.equal('not ready, pending: workload proxy manager\n');
    expect([await listening(a.netns), await listening(b.netns)].flat()).to.have.length(6);
    expect(await next.keep('a')).to.equal('ok');
    expect(await next.snapshotSent()).to.equal('ok');
    expect(await ready()).to.equal('ready\n');
    await until('b is left', async () => (await listening(b.netns)).length === 0);
    expect(await listening(a.netns)).to.have.length(3);
  });

  for (const [name, act] of [
    ['an addition without the pod', (link, fd) => link.request({ add: { uid: 'x' } }, fd)],
    ['a keep after the snapshot', (link) => link.keep('a')],
    ['a second end of the snapshot', (link) => link.snapshotSent()],
  ] as [string, (link: AgentLink, fd: number) => Promise<string>][])
    it(`ends with exit code 1, once it has said why, after ${name}`, async () => {
      const { link } = await scripted();
      const a = await podNamespace('a');
      await link.add('a', a.fd);
      await link.snapshotSent();
      expect(await act(link, a.fd)).to.match(/^the node agent .*Compare the versions/);
      expect(await link.receive()).to.equal('end');
      expect(await ztunnel.exited).to.include({ code: 1 });
      expect(await listening(a.netns)).to.deep.equal([]);
    });

  it('gives up the connection and makes another after what it does not understand; pods are served on', async () => {
    const { agent, link } = await scripted();
    const a = await podNamespace('a');
    await link.add('a', a.fd);
    await link.snapshotSent();
    const cases: [string, (link: AgentLink) => Promise<string>][] = [
      ['an addition without a namespace', (broken) => broken.add('x', undefined)],
      ['a descriptor that nobody asked for', (broken) => broken.request({ keep: { uid: 'a' } }, a.fd)],
      ['a message that cannot be decoded', (broken) => broken.raw(Buffer.from('ffffff', 'hex'))],
      ['a message that asks for nothing', (broken) => broken.raw(Buffer.from('7a00', 'hex'))],
    ];
    let current = link;
    for (const [name, act] of cases) {
      expect(await act(current), name).to.match(/no node agent, or of another version/);
      expect(await current.receive(), name).to.equal('end');
      current = await agent.accept();
      await current.keep('a');
      expect(await current.snapshotSent(), name).to.equal('ok');
    }
    expect(await ready()).to.equal('ready\n');
    expect(await listening(a.netns)).to.have.length(3);
  });

  it('takes over from an agent that is replaced, pods and all, and tells two ztunnels apart', async () => {
    const pods = new Map<string, ZdsPod>();
    const listen = (): ZdsServer =>
      open.use(ZdsServer.listen({ path, pods, clock: realClock, logger: silent }));
    const pod = async (name: string) => {
      const { netns, namespace } = await podNamespace(name);
      return { netns, zds: { uid: name, name, namespace: 'a', serviceAccount: 'web', netns: namespace } };
    };
    const [a, b, c] = [await pod('a'), await pod('b'), await pod('c')];
    pods.set('a', a.zds);
    const first = listen();
    const old = await start();
    await old.waitForLine(/"message":"ready"/, SOON_MS);
    await first.add(b.zds);
    // The agent is replaced: what it had not written down is gone.
    const second = listen();
    await first.stop();
    await old.waitForLine((line) => /"pod released".*"a\/b"/.test(line), 20_000);
    expect(await listening(a.netns)).to.have.length(3);

    const young = await start();
    await young.waitForLine(/"message":"pod captured"/, SOON_MS);
    await second.add(c.zds);
    // The newest has it, and the old one, told to end, leaves the others alone.
    await young.waitForLine((line) => /"pod captured".*"a\/c"/.test(line), SOON_MS);
    expect(old.lines.join('\n')).to.not.match(/"pod captured".*"a\/c"/);
    old.signal('SIGTERM');
    expect(await old.exited).to.include({ code: 0 });
    for (const { netns } of [a, c]) expect(await listening(netns)).to.have.length(3);
    expect(second.connected).to.equal(1);
    await second.del('a');
    await until('a is left', async () => (await listening(a.netns)).length === 0);
  });
});
