import { TestIdentities, turnUntil } from '@ambient/hbone/testing';
import { NetworkNamespace, TcpListener, TcpSocket, openDescriptors } from '@ambient/linux';
import type { MeshUpdate, Workload } from '@ambient/mesh';
import { UpdatePacker, workloadWith } from '@ambient/mesh';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dedicatedSettings } from '../testing/dedicated-settings.ts';
import { TestApplication, TestApplicationServer } from '../testing/test-application.ts';
import { DataPlane } from './data-plane.ts';
import type { FromWorker, PodStart } from './messages.ts';

const DATA_PORTS = [15_001, 15_006, 15_008];
const LISTEN = '0A';

/** Ports that somebody listens on in a namespace. */
function listening(namespace: NetworkNamespace): number[] {
  const table = namespace.enter(() => readFileSync('/proc/thread-self/net/tcp6', 'utf8'));
  const ports = new Set<number>();
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (state === LISTEN) ports.add(Number.parseInt(local!.split(':')[1]!, 16));
  }
  return [...ports].sort((a, b) => a - b);
}

const identityOf = (name: string): string => `spiffe://cluster.local/ns/shop/sa/${name}`;

describe('pods in a data worker of shared mode', () => {
  let identities: TestIdentities;
  let plane: DataPlane;
  let packer: UpdatePacker;
  let posted: FromWorker[];
  let namespaces: NetworkNamespace[];
  let open: { close(): void }[];
  let openBefore: number;

  before(async () => {
    identities = await TestIdentities.issue([identityOf('web'), identityOf('client')]);
  });
  beforeEach(async () => {
    openBefore = openDescriptors().length;
    posted = [];
    packer = new UpdatePacker();
    namespaces = [];
    open = [];
    const env = { ENABLE_ORIG_SRC: 'false', PACKET_MARK: '1337', ISTIO_META_DNS_CAPTURE: 'false' };
    const dedicated = await dedicatedSettings(env);
    const settings = { ...dedicated, mode: 'shared', dedicatedWorkload: undefined } as const;
    plane = new DataPlane(
      { index: 0, settings, wakeupFd: -1, logLevels: 'info', logFormat: 'json' },
      (message) => posted.push(message),
    );
  });
  afterEach(function () {
    this.timeout(20_000); // the kernel takes its time over 500 namespaces
    for (const each of open.reverse()) each.close();
    plane.onMessage({ kind: 'stop' });
    for (const namespace of namespaces) expect(listening(namespace), 'left behind').to.deep.equal([]);
    for (const namespace of namespaces) namespace.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  function podNamespace(): NetworkNamespace {
    const namespace = NetworkNamespace.create();
    namespaces.push(namespace);
    namespace.enter(() => spawnSync('ip', ['link', 'set', 'lo', 'up']));
    return namespace;
  }

  function podStart(id: number, name: string, netnsFd: number): PodStart {
    const workload = { namespace: 'shop', name, serviceAccount: name };
    return { id, uid: `uid-${id}`, name: workload, trustDomain: 'cluster.local', netnsFd };
  }

  function add(id: number, name: string, namespace = podNamespace()): NetworkNamespace {
    plane.onMessage({ kind: 'add-pod', pod: podStart(id, name, namespace.fd) });
    return namespace;
  }

  function tell(...updates: MeshUpdate[]): void {
    plane.onMessage({ kind: 'mesh', updates: packer.pack(updates, () => undefined) });
  }

  const pod = (name: string, change: Partial<Workload> = {}): MeshUpdate => ({
    kind: 'workload',
    workload: workloadWith({
      uid: `Kubernetes//Pod/shop/${name}`,
      namespace: 'shop',
      name,
      serviceAccount: name,
      node: 'n1',
      tunnelProtocol: 'HBONE',
      ...change,
    }),
  });

  const podMessages = (): FromWorker[] => posted.filter(({ kind }) => kind.startsWith('pod-'));
  const logged = (): string =>
    posted.map((message) => (message.kind === 'log' ? message.lines : '')).join('');

  function dial(namespace: NetworkNamespace, port: number, ip = '127.0.0.1'): TestApplication {
    const application = new TestApplication(plane.reactor, TcpSocket.dial({ ip, port }, { namespace }));
    open.push(application);
    return application;
  }

  it('tells its ports at once, and listens in a pod as soon as there is one', () => {
    expect(posted).to.deep.equal([
      { kind: 'bound', ports: { outbound: 15_001, inboundPlaintext: 15_006, inbound: 15_008 } },
    ]);
    const namespace = add(1, 'web');
    expect(podMessages()).to.deep.equal([{ kind: 'pod-ready', id: 1 }]);
    expect(listening(namespace)).to.deep.equal(DATA_PORTS);
    const second = add(2, 'web');
    expect(listening(second)).to.deep.equal(DATA_PORTS);
  });

  it('captures of one pod stand side by side, and end one by one', () => {
    const namespace = add(1, 'web');
    add(2, 'web', namespace);
    plane.onMessage({ kind: 'remove-pod', id: 1, deadlineMs: 0 });
    expect(listening(namespace)).to.deep.equal(DATA_PORTS);
    plane.onMessage({ kind: 'remove-pod', id: 2, deadlineMs: 0 });
    expect(listening(namespace)).to.deep.equal([]);
    expect(podMessages().map(({ kind }) => kind)).to.deep.equal([
      'pod-ready',
      'pod-ready',
      'pod-gone',
      'pod-gone',
    ]);
  });

  it('all listeners or none: a port that is taken fails the pod, with the reason', () => {
    const namespace = podNamespace();
    const never = (): void => undefined;
    const handler = { onAccept: never, onAcceptPaused: never, onAcceptResumed: never, onFault: never };
    const options = { backlog: 1, reusePort: false, namespace };
    using _taken = new TcpListener(plane.reactor, { ip: '::', port: 15_006 }, options, handler);
    add(1, 'web', namespace);
    expect(podMessages()).to.have.length(1);
    expect(podMessages()[0]).to.include({ kind: 'pod-failed', id: 1, byPod: true });
    expect(podMessages()[0])
      .property('message')
      .to.match(/15006: EADDRINUSE/);
    expect(listening(namespace)).to.deep.equal([15_006]);
    plane.onMessage({ kind: 'remove-pod', id: 1, deadlineMs: 0 });
    expect(podMessages()[1]).to.deep.equal({ kind: 'pod-gone', id: 1 });
  });

  for (const [what, fd] of [
    ['no descriptor at all', 1_000_000],
    ['a descriptor of something else', 0],
  ] as const)
    it(`${what} fails the pod and nothing else`, () => {
      plane.onMessage({ kind: 'add-pod', pod: podStart(1, 'web', fd) });
      expect(podMessages()[0]).to.include({ kind: 'pod-failed', id: 1, byPod: false });
      expect(podMessages()[0]).property('message').to.contain('setns');
      add(2, 'web');
      expect(podMessages()[1]).to.deep.equal({ kind: 'pod-ready', id: 2 });
    });

  it('an id is taken once, and a pod that nobody knows is gone', () => {
    const namespace = add(1, 'web');
    add(1, 'web', namespace);
    plane.onMessage({ kind: 'remove-pod', id: 7, deadlineMs: 1000 });
    expect(podMessages().map(({ kind }) => kind)).to.deep.equal(['pod-ready', 'pod-failed', 'pod-gone']);
    expect(listening(namespace)).to.deep.equal(DATA_PORTS);
  });

  it('takes no pod while it shuts down', () => {
    plane.onMessage({ kind: 'drain', deadlineMs: 1000 });
    const namespace = add(1, 'web');
    expect(podMessages()[0]).to.include({ kind: 'pod-failed', message: 'the proxy is shutting down' });
    expect(listening(namespace)).to.deep.equal([]);
    expect(posted).to.deep.include({ kind: 'drained', cut: 0 });
  });

  /** An echo server in the pod's loopback, and what it takes to reach it through the plaintext port of the pod. */
  function echo(namespace: NetworkNamespace): TestApplicationServer {
    const server = new TestApplicationServer(plane.reactor, { namespace, ip: '0.0.0.0' });
    open.push(server);
    return server;
  }

  it('what a pod sends is dialled from inside it', () => {
    // Each namespace has the same address: only from inside is the right one reached.
    const [one, two] = [podNamespace(), podNamespace()];
    const servers = [echo(one), echo(two)];
    for (const namespace of [one, two])
      redirectOutbound(namespace, servers[namespace === one ? 0 : 1]!.address.port);
    add(1, 'web', one);
    add(2, 'web', two);
    tell(pod('web'));
    plane.onMessage({ kind: 'start' });
    for (const [index, namespace] of [one, two].entries()) {
      const { port } = servers[index]!.address;
      dial(namespace, port, '127.0.0.1').send(`from ${index}`);
    }
    turnUntil(plane.reactor, 'both', () => servers.every(({ accepted }) => accepted[0]?.receivedBytes === 6));
    expect(servers.map(({ accepted }) => accepted.map(({ received }) => received.toString()))).to.deep.equal([
      ['from 0'],
      ['from 1'],
    ]);
    plane.onMessage({ kind: 'collect', id: 1, connections: 'live' });
    const collected = posted.find((message) => message.kind === 'collected');
    const pods = collected?.kind === 'collected' ? collected.connections.map((each) => each.pod) : [];
    expect(pods).to.have.members([1, 2]);
  });

  /** Loopback is captured too, but for what carries the proxy's mark. */
  function redirectOutbound(namespace: NetworkNamespace, port: number): void {
    const rules = `table ip t {
  chain output {
    type nat hook output priority -100; policy accept;
    meta mark != 0x539 tcp dport ${port} redirect to :15001
  }
}
`;
    const { status, stderr } = namespace.enter(() => spawnSync('nft', ['-f', '-'], { input: rules }));
    expect(status, String(stderr)).to.equal(0);
  }

  it('a removed pod keeps its connections within the grace, and cuts what is left', () => {
    const namespace = podNamespace();
    const server = echo(namespace);
    redirectOutbound(namespace, server.address.port);
    add(1, 'web', namespace);
    const neighbour = add(2, 'client');
    tell(pod('web'));
    plane.onMessage({ kind: 'start' });
    const application = dial(namespace, server.address.port);
    application.send('x');
    turnUntil(plane.reactor, 'a byte', () => server.accepted[0]?.receivedBytes === 1);
    plane.onMessage({ kind: 'remove-pod', id: 1, deadlineMs: 150 });
    application.send('y');
    turnUntil(plane.reactor, 'it goes on', () => server.accepted[0]?.receivedBytes === 2);
    dial(namespace, server.address.port).send('z');
    turnUntil(plane.reactor, 'new ones are taken', () => server.accepted[1]?.receivedBytes === 1);
    expect(podMessages().some(({ kind }) => kind === 'pod-gone')).to.equal(false);
    turnUntil(plane.reactor, 'the deadline', () => podMessages().some(({ kind }) => kind === 'pod-gone'));
    turnUntil(plane.reactor, 'the reset', () => application.failed);
    turnUntil(plane.reactor, 'the log', () => logged().includes('pod-removed'));
    expect(listening(namespace).filter((port) => DATA_PORTS.includes(port))).to.deep.equal([]);
    expect(listening(neighbour)).to.deep.equal(DATA_PORTS);
  });

  it('a pod without connections is gone at once', () => {
    const namespace = add(1, 'web');
    plane.onMessage({ kind: 'start' });
    plane.onMessage({ kind: 'remove-pod', id: 1, deadlineMs: 60_000 });
    expect(podMessages()[1]).to.deep.equal({ kind: 'pod-gone', id: 1 });
    expect(listening(namespace)).to.deep.equal([]);
  });

  it('two pods of one worker speak HBONE to each other, each in its own namespace', () => {
    const [client, web] = [podNamespace(), podNamespace()];
    join(client, web);
    const server = echo(web);
    const { port } = server.address;
    redirectTo(client, '10.9.0.2', port);
    add(1, 'client', client);
    add(2, 'web', web);
    tell(pod('client', { addresses: ['10.9.0.1'] }), pod('web', { addresses: ['10.9.0.2'] }));
    for (const name of ['client', 'web'])
      plane.onMessage({
        kind: 'certificate',
        identity: identityOf(name),
        material: identities.material(identityOf(name)),
      });
    plane.onMessage({ kind: 'start' });
    const application = dial(client, port, '10.9.0.2');
    application.send('ping');
    turnUntil(plane.reactor, 'the bytes', () => server.accepted[0]?.received.toString() === 'ping');
    plane.onMessage({ kind: 'collect', id: 1, connections: 'live' });
    const collected = posted.find((message) => message.kind === 'collected');
    const seen = collected?.kind === 'collected' ? collected.connections : [];
    expect(seen.map((each) => [each.pod, each.direction, each.protocol])).to.have.deep.members([
      [1, 'outbound', 'HBONE'],
      [2, 'inbound', 'HBONE'],
    ]);
    expect(seen.map((each) => each.sourceIdentity)).to.deep.equal([
      identityOf('client'),
      identityOf('client'),
    ]);
  });

  function join(one: NetworkNamespace, two: NetworkNamespace): void {
    const ip = (namespace: NetworkNamespace, ...args: string[]): void => {
      const { status, stderr } = namespace.enter(() => spawnSync('ip', args));
      expect(status, String(stderr)).to.equal(0);
    };
    ip(one, 'link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e1');
    const mover = `/proc/${process.pid}/fd/${two.fd}`;
    ip(one, 'link', 'set', 'e1', 'netns', mover);
    for (const [index, namespace] of [one, two].entries()) {
      ip(namespace, 'addr', 'add', `10.9.0.${index + 1}/24`, 'dev', `e${index}`);
      ip(namespace, 'link', 'set', `e${index}`, 'up');
    }
  }

  function redirectTo(namespace: NetworkNamespace, address: string, port: number): void {
    const rules = `table ip t {
  chain output {
    type nat hook output priority -100; policy accept;
    meta mark != 0x539 ip daddr ${address} tcp dport ${port} redirect to :15001
  }
}
`;
    const { status, stderr } = namespace.enter(() => spawnSync('nft', ['-f', '-'], { input: rules }));
    expect(status, String(stderr)).to.equal(0);
  }

  it('500 pods: each is added within a millisecond or so, and takes little', function () {
    this.timeout(20_000);
    const many = Array.from({ length: 500 }, () => NetworkNamespace.create());
    namespaces.push(...many);
    globalThis.gc?.();
    const heapBefore = process.memoryUsage().heapUsed;
    const startedMs = performance.now();
    for (const [index, namespace] of many.entries()) add(index + 1, `pod-${index}`, namespace);
    const ms = performance.now() - startedMs;
    globalThis.gc?.();
    const bytes = (process.memoryUsage().heapUsed - heapBefore) / many.length;
    expect(podMessages()).to.have.length(500);
    expect(ms / many.length, 'ms per pod').to.be.below(5);
    expect(bytes, 'bytes of heap per pod').to.be.below(40_000);
    const toldMs = performance.now();
    tell(...many.map((_, index) => pod(`pod-${index}`)));
    plane.onMessage({ kind: 'start' });
    expect(performance.now() - toldMs, 'ms for a mesh that concerns all').to.be.below(1000);
    for (const id of many.keys()) plane.onMessage({ kind: 'remove-pod', id: id + 1, deadlineMs: 60_000 });
    expect(podMessages().filter(({ kind }) => kind === 'pod-gone')).to.have.length(500);
  });
});
