import { turnUntil } from '@ambient/hbone/testing';
import { FAILED, IoBuffer, NetworkNamespace, TcpSocket, openDescriptors } from '@ambient/linux';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ZtunnelSettings } from '../settings.ts';
import { dedicatedSettings } from '../testing/dedicated-settings.ts';
import { DataPlane } from './data-plane.ts';
import type { FromWorker } from './messages.ts';

/** Leaves 40 to one of two workers. */
const LIMIT = 160;
/** 40 less six listeners: one alone may have as many as then are free. */
const GREEDY = 17;

describe('sockets of pods in a data worker of shared mode', () => {
  let plane: DataPlane;
  let posted: FromWorker[];
  let open: { close(): void }[];
  let namespaces: NetworkNamespace[];
  let openBefore: number;

  async function start(change: Partial<ZtunnelSettings>): Promise<void> {
    const dedicated = await dedicatedSettings({ ISTIO_META_DNS_CAPTURE: 'false' });
    const settings = { ...dedicated, mode: 'shared', dedicatedWorkload: undefined, ...change } as const;
    posted = [];
    plane = new DataPlane(
      { index: 0, settings, wakeupFd: -1, logLevels: 'info', logFormat: 'json' },
      (message) => posted.push(message),
    );
    plane.onMessage({ kind: 'start' });
  }
  beforeEach(() => {
    openBefore = openDescriptors().length;
    open = [];
    namespaces = [];
  });
  afterEach(() => {
    for (const each of open) each.close();
    plane.onMessage({ kind: 'stop' });
    for (const namespace of namespaces) namespace.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  function add(id: number): NetworkNamespace {
    const namespace = NetworkNamespace.create();
    namespaces.push(namespace);
    namespace.enter(() => spawnSync('ip', ['link', 'set', 'lo', 'up']));
    const name = { namespace: 'shop', name: `pod-${id}`, serviceAccount: 'pod' };
    const pod = { id, uid: `uid-${id}`, name, trustDomain: 'cluster.local', netnsFd: namespace.fd };
    plane.onMessage({ kind: 'add-pod', pod });
    return namespace;
  }

  /** Opens connections to the pod's HBONE port, which wait there for the pod's workload to be told. */
  function connect(namespace: NetworkNamespace, count: number): TcpSocket[] {
    const sockets = Array.from({ length: count }, () =>
      TcpSocket.dial({ ip: '127.0.0.1', port: 15_008 }, { namespace }),
    );
    open.push(...sockets);
    for (let i = 0; i < 300; i++) plane.reactor.turn(0);
    return sockets;
  }

  const memory = new IoBuffer(16);
  const kept = (sockets: readonly TcpSocket[]): number =>
    sockets.filter((socket) => socket.recv(memory, 0, 16) !== FAILED).length;
  const logged = (): string =>
    posted.map((message) => (message.kind === 'log' ? message.lines : '')).join('');

  it('a pod that takes all it can get leaves some, and what it ends is free again', async () => {
    await start({ descriptors: { limit: LIMIT, perPod: Infinity } });
    const [greedy, neighbour] = [add(1), add(2)];
    const taken = connect(greedy, 60);
    expect(kept(taken)).to.equal(GREEDY);
    expect(kept(connect(neighbour, 5)), 'the neighbour').to.equal(5);
    turnUntil(plane.reactor, 'the log', () => logged().includes('pod-sockets-used-up'));
    expect(
      logged()
        .split('\n')
        .filter((line) => line.includes('pod-sockets-used-up')),
    ).to.have.length(10);

    plane.onMessage({ kind: 'remove-pod', id: 1, deadlineMs: 0 });
    turnUntil(plane.reactor, 'the end', () => posted.some(({ kind }) => kind === 'pod-gone'));
    expect(kept(connect(neighbour, 10)), 'when the greedy one is gone').to.equal(10);
  });

  it('a pod has no more than the setting allows', async () => {
    await start({ descriptors: { limit: 100_000, perPod: 16 } });
    expect(kept(connect(add(1), 40))).to.equal(16);
  });

  it('where traffic is not carried, DNS is all that listens', async () => {
    const { dns } = await dedicatedSettings();
    await start({ proxyEnabled: false, dns: { ...dns, enabled: true } });
    const namespace = add(1);
    expect(posted.at(-1)).to.deep.equal({ kind: 'pod-ready', id: 1 });
    const table = namespace.enter(() => readFileSync('/proc/thread-self/net/tcp', 'utf8'));
    const ports = table
      .split('\n')
      .slice(1, -1)
      .map((line) => Number.parseInt(line.trim().split(/\s+/)[1]!.split(':')[1]!, 16));
    expect(ports).to.deep.equal([15_053]);
    plane.onMessage({ kind: 'remove-pod', id: 1, deadlineMs: 1000 });
    turnUntil(plane.reactor, 'the end', () => posted.some(({ kind }) => kind === 'pod-gone'));
  });
});
