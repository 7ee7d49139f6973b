import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { FakeCa } from '@ambient/identity';
import { assertNoLeak, takeLeakSnapshot, waitFor } from '@ambient/testkit/lab';
import type { LabProcess, LeakScope, Netns, SampleApp } from '@ambient/testkit/lab';
import { connectFrom, HostilePeer, HostileServer, listenInside } from '@ambient/testkit/hostile-peer';
import type { Credentials, HandshakeOptions, ServerScript } from '@ambient/testkit/hostile-peer';
import { matches, renderLocalMesh, TestMesh } from '../../netns/harness/index.ts';
import type { LogEntry, LogMatch, MeshSpec, Pod } from '../../netns/harness/index.ts';

export const HBONE_PORT = 15_008;
export const ECHO_PORT = 7000;
/** A round of good traffic that takes longer was harmed. */
const ROUND_DEADLINE_MS = 3000;

/**
 * A mesh of a client and a server with proxies, and an attacker without: it holds a certificate of the mesh's authority, so
 * that whatever it does comes from inside. Proxies have one worker each: good traffic shares its thread with the attack.
 */
export class HostileRig {
  readonly mesh: TestMesh;
  readonly credentials: Credentials;
  readonly #peers: HostilePeer[] = [];
  readonly #servers: HostileServer[] = [];
  readonly #apps: LabProcess[] = [];
  readonly #listeners: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

  private constructor(mesh: TestMesh, credentials: Credentials) {
    this.mesh = mesh;
    this.credentials = credentials;
  }

  static async start(spec: Partial<MeshSpec> = {}): Promise<HostileRig> {
    const mesh = await TestMesh.start({
      ...spec,
      pods: { client: {}, server: {}, attacker: { proxy: false }, ...spec.pods },
      env: { ZTUNNEL_WORKER_THREADS: '1', ...spec.env },
    });
    try {
      const authority = await FakeCa.open(join(mesh.lab.directory, 'fake-ca'), { now: Date.now });
      const certificate = await authority.issue({
        trustDomain: 'cluster.local',
        namespace: 'default',
        serviceAccount: 'attacker',
      });
      const rig = new HostileRig(mesh, {
        cert: certificate.certificateChainPem.join('\n'),
        key: certificate.privateKeyPem,
      });
      await rig.server.serve('echo', { port: ECHO_PORT });
      await rig.goodRound();
      return rig;
    } catch (error) {
      await mesh.destroy();
      throw error;
    }
  }

  get client(): Pod {
    return this.mesh.pod('client');
  }

  get server(): Pod {
    return this.mesh.pod('server');
  }

  get attacker(): Pod {
    return this.mesh.pod('attacker');
  }

  /** The attacker as an HTTP/2 client of the server's proxy. */
  async attack(settings: Readonly<Record<number, number>> = {}): Promise<HostilePeer> {
    const { netns } = this.attacker;
    return this.#owned(
      await HostilePeer.connect(netns, this.server.ipv4, HBONE_PORT, this.credentials, settings),
    );
  }

  /** The same without HTTP/2. */
  async attackTls(): Promise<HostilePeer> {
    const { netns } = this.attacker;
    return this.#owned(await HostilePeer.connectTls(netns, this.server.ipv4, HBONE_PORT, this.credentials));
  }

  /** The attacker with another certificate, or another TLS, than it should have. */
  handshake(options: HandshakeOptions): HostilePeer {
    const { netns } = this.attacker;
    return this.#owned(HostilePeer.beginTls(netns, this.server.ipv4, HBONE_PORT, options));
  }

  /** The same without TLS; `port` is one of the server's. */
  attackTcp(port = HBONE_PORT, from: Netns = this.attacker.netns, ip = this.server.ipv4): HostilePeer {
    return this.#owned(HostilePeer.connectPlain(from, ip, port));
  }

  /** Connections that an application of the client opens. */
  callFromClient(ip: string, port: number): HostilePeer {
    return this.#owned(HostilePeer.connectPlain(this.client.netns, ip, port));
  }

  /** The attacker as an HBONE server, by default with the certificate of its own identity. */
  serveHostile(script: ServerScript, handshake: HandshakeOptions = this.credentials): HostileServer {
    const server = new HostileServer(this.attacker.netns, HBONE_PORT, handshake, script);
    this.#servers.push(server);
    return server;
  }

  /** Makes the attacker a workload of the mesh, and waits until the client's proxy knows it. */
  async admitAttacker(): Promise<void> {
    const { mesh, attacker, client } = this;
    const workloads = [...mesh.mesh.workloads, attacker.workload];
    mesh.writeMesh(renderLocalMesh({ ...mesh.mesh, workloads }));
    const isKnown = async (): Promise<boolean> =>
      (await client.admin('/config_dump')).body.includes(attacker.workload.uid);
    await waitFor(isKnown, 'the client to know the attacker');
  }

  /** Starts a program in the server's pod for this one test. */
  async serve(
    app: SampleApp,
    options: Readonly<Record<string, string | number | boolean>>,
  ): Promise<LabProcess> {
    const process_ = await this.server.serve(app, options);
    this.#apps.push(process_);
    return process_;
  }

  /** An application of the server's pod whose every move is the test's. */
  listen(port: number, onConnection: (socket: Socket) => void): Server {
    const sockets = new Set<Socket>();
    const server = listenInside(this.server.netns, port, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined); // tests look at `close` and at what came
      onConnection(socket);
    });
    this.#listeners.push({ server, sockets });
    return server;
  }

  #owned(peer: HostilePeer): HostilePeer {
    this.#peers.push(peer);
    return peer;
  }

  /** One connection of an application of the client to one of the server, and bytes there and back. */
  goodRound(bytes = 'still there'): Promise<void> {
    return echoRound(this.client, this.server, bytes);
  }

  /** Runs `attack` while good traffic goes on; rejects when either fails. @returns what `attack` returns */
  async unharmed<T>(attack: () => Promise<T>): Promise<T> {
    let over = false;
    const rounds = async (): Promise<void> => {
      do await this.goodRound();
      while (!over);
    };
    const good = rounds();
    try {
      return await Promise.race([attack(), good.then(() => new Promise<never>(() => undefined))]);
    } finally {
      over = true;
      await good;
    }
  }

  /**
   * The line in which a proxy says what became of the connection of `peer`. Looks through the log once, and then at each
   * line that comes: an attack may make tens of thousands.
   */
  verdict(peer: HostilePeer, match: LogMatch, deadlineMs = 5000): Promise<LogEntry> {
    return this.#awaitLine(this.server, peer.address, { 'src.addr': peer.address, ...match }, deadlineMs);
  }

  /**
   * The line of the client's proxy about a call to `destination`, which no other call of the suite goes to: redirection may
   * give a connection another source port than its application knows.
   */
  outboundVerdict(destination: string, match: LogMatch, deadlineMs = 5000): Promise<LogEntry> {
    const wanted = { direction: 'outbound', 'dst.hbone_addr': destination, ...match };
    return this.#awaitLine(this.client, destination, wanted, deadlineMs);
  }

  /** @param key text that every wanted line has */
  #awaitLine(pod: Pod, key: string, match: LogMatch, deadlineMs: number): Promise<LogEntry> {
    const wanted = { scope: 'access', ...match };
    const check = (line: string | undefined): LogEntry | undefined => {
      if (line?.includes(key) !== true) return undefined;
      const entry = JSON.parse(line) as LogEntry;
      return matches(entry, wanted) ? entry : undefined;
    };
    let looked = false;
    const probe = (): LogEntry | undefined => {
      const { lines } = pod.proxy;
      if (looked) return check(lines.at(-1));
      looked = true;
      for (const line of lines) {
        const entry = check(line);
        if (entry !== undefined) return entry;
      }
      return undefined;
    };
    return pod.proxy.waitFor(probe, `access log line of ${key} with ${describeMatch(match)}`, deadlineMs);
  }

  /** What may leak between two tests. */
  get scope(): LeakScope {
    const pods = [this.client, this.server];
    return {
      pids: Object.fromEntries(pods.map((pod) => [pod.name, pod.proxy.pid])),
      namespaces: Object.values(this.mesh.pods).map((pod) => pod.netns),
    };
  }

  /** Takes the attacker's connections and servers away. */
  async disarm(): Promise<void> {
    for (const peer of this.#peers.splice(0)) peer.destroy();
    const servers = this.#servers.splice(0);
    await Promise.all(servers.map((server) => server.close()));
    for (const { server, sockets } of this.#listeners.splice(0)) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    await Promise.all(this.#apps.splice(0).map((app) => app.stop('SIGKILL')));
    for (const server of servers) for (const failure of server.failures) throw failure;
  }
}

/** One connection between applications of two pods, and bytes there and back; rejects when that fails. */
export async function echoRound(from: Pod, to: Pod, bytes = 'still there'): Promise<void> {
  const socket = connectFrom(from.netns, to.ipv4, ECHO_PORT);
  try {
    const signal = AbortSignal.timeout(ROUND_DEADLINE_MS);
    let echoed = '';
    socket.setEncoding('latin1').on('data', (text: string) => (echoed += text));
    socket.end(bytes);
    await once(socket, 'end', { signal });
    if (echoed !== bytes) throw new Error(`good traffic came back as ${JSON.stringify(echoed)}`);
  } finally {
    socket.destroy();
  }
}

/**
 * Registers what surrounds the tests of a suite: one rig, good traffic before and after, and the proof that nothing is left,
 * neither descriptor nor socket, and that no proxy found a defect in itself.
 *
 * @param surround a suite whose attacks run side by side is judged as a whole
 */
export function useRig(
  spec: Partial<MeshSpec> = {},
  surround: 'each test' | 'the suite' = 'each test',
): () => HostileRig {
  let rig: HostileRig | undefined;
  let baseline = takeLeakSnapshot({});
  /** The test before has ended with good traffic and without a leak: its end is the beginning of the next one. */
  let isClean = false;
  const begin = async (): Promise<void> => {
    if (isClean) return;
    await rig!.goodRound();
    baseline = takeLeakSnapshot(rig!.scope);
  };
  const judge = async (): Promise<void> => {
    isClean = false;
    await rig!.disarm();
    await rig!.goodRound();
    await assertNoLeak(baseline, rig!.scope);
    baseline = takeLeakSnapshot(rig!.scope);
    for (const pod of [rig!.client, rig!.server]) {
      const defect = pod.log().find((entry) => /defect/.test(JSON.stringify(entry)));
      if (defect !== undefined) throw new Error(`the proxy of ${pod.name}: ${JSON.stringify(defect)}`);
    }
    isClean = true;
  };

  before(async () => {
    rig = await HostileRig.start(spec);
    if (surround === 'the suite') await begin();
  });
  if (surround === 'each test') {
    beforeEach(begin);
    afterEach(judge);
  }
  after(async () => {
    if (rig === undefined) return;
    try {
      if (surround === 'the suite') await judge();
      await rig.mesh.stop();
    } finally {
      await rig.mesh.destroy();
    }
  });
  return () => rig!;
}

function describeMatch(match: LogMatch): string {
  return Object.entries(match)
    .map(([key, wanted]) => `${key}=${String(wanted)}`)
    .join(' ');
}
