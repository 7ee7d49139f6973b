import type { TcpSocket } from '@ambient/linux';
import { FAILED, IoBuffer, Reactor, TcpSocket as Socket, WOULD_BLOCK } from '@ambient/linux';
import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { TlsSession } from './session.ts';
import { localListener } from './testing/local-listener.ts';
import { SelfSigned } from './testing/self-signed.ts';
import { threadWriteRing } from './write-ring.ts';

const fail = (error: unknown): never => {
  throw error as Error;
};

/** Sessions with the `openssl` program as the peer: a record layer that is not ours, with tickets and changes of keys. */
describe('TlsSession with openssl as the peer', () => {
  let own: SelfSigned;
  let reactor: Reactor;
  let peer: ChildProcess | undefined;
  /** What the peer prints. */
  let printed = '';

  before(() => {
    own = new SelfSigned();
  });
  after(() => {
    own[Symbol.dispose]();
  });
  beforeEach(() => {
    reactor = new Reactor(fail);
    printed = '';
  });
  afterEach(() => {
    peer?.kill('SIGKILL');
    reactor.close();
  });

  function run(...args: string[]): ChildProcess {
    const common = ['-cert', 'crt', '-key', 'key', '-CAfile', 'crt', '-alpn', 'h2'];
    peer = spawn('openssl', [...args, ...common], { cwd: own.directory, stdio: 'pipe' });
    for (const output of [peer.stdout!, peer.stderr!])
      output.on('data', (bytes: Buffer) => (printed += bytes.toString('latin1')));
    return peer;
  }

  /** A client of this version, and its connection. */
  async function runClient(version: string): Promise<{ client: ChildProcess; accepted: TcpSocket }> {
    const accepted: TcpSocket[] = [];
    using listener = localListener(reactor, accepted);
    const client = run('s_client', version, '-connect', `127.0.0.1:${listener.localAddress().port}`);
    while (accepted.length === 0) await turn();
    return { client, accepted: accepted[0]! };
  }

  /** Lets the peer's output arrive, and waits for something to do. */
  async function turn(): Promise<void> {
    reactor.turn(1);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function shakeHands(session: TlsSession): Promise<void> {
    let progress = session.handshake();
    while (progress === 'pending') {
      await turn();
      progress = session.handshake();
    }
    expect(progress, session.lastError?.message).to.equal('done');
  }

  /** Reads until `text` has come. */
  async function expectText(session: TlsSession, text: string): Promise<void> {
    const into = new IoBuffer(64 * 1024);
    let read = '';
    while (!read.includes(text)) {
      const n = session.read(into, 0, into.length, false);
      expect(n, session.lastError?.message).to.not.equal(FAILED);
      expect(n, `the end after ${JSON.stringify(read)}`).to.not.equal(0);
      if (n === WOULD_BLOCK) await turn();
      else read += into.bytes.toString('latin1', 0, n);
    }
  }

  function write(session: TlsSession, text: string): void {
    const from = new IoBuffer(text.length);
    from.bytes.write(text, 'latin1');
    expect(session.write(from, 0, text.length), session.lastError?.message).to.equal(true);
  }

  for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'])
    it(`speaks ${suite} with a server that sends tickets`, async () => {
      const probe = localListener(reactor);
      const { port } = probe.localAddress();
      probe.close();
      run(
        's_server',
        '-tls1_3',
        '-accept',
        `127.0.0.1:${port}`,
        '-rev',
        '-num_tickets',
        '3',
        '-ciphersuites',
        suite,
        '-Verify',
        '1',
      );
      while (!printed.includes('ACCEPT')) await turn();
      using socket = Socket.dial({ ip: '127.0.0.1', port });
      using clientContext = own.context('client');
      using session = new TlsSession(clientContext, socket);
      await connected(socket);
      await shakeHands(session);
      expect(session.describe().cipher).to.equal(suite);
      for (const text of ['first', 'second', 'x'.repeat(5000)]) {
        write(session, `${text}\n`);
        await expectText(session, [...text].reverse().join(''));
      }
      session.shutdown();
      const into = new IoBuffer(1024);
      let n: number;
      while ((n = session.read(into, 0, into.length, true)) === WOULD_BLOCK) await turn();
      expect(n).to.equal(0);
    });

  it('follows a client that changes its keys, and answers in kind', async () => {
    const { client, accepted } = await runClient('-tls1_3');
    using socket = accepted;
    using serverContext = own.context('server');
    using session = new TlsSession(serverContext, socket);
    await shakeHands(session);
    write(session, 'welcome\n');
    while (!printed.includes('welcome')) await turn();
    // `k` changes the client's key, `K` asks for ours as well.
    for (const [command, text] of [
      ['k', 'one'],
      ['K', 'two'],
      ['K', 'three'],
    ] as const) {
      client.stdin!.write(`${command}\n`);
      while (!printed.includes('KEYUPDATE')) await turn();
      printed = '';
      client.stdin!.write(`${text}\n`);
      await expectText(session, text);
      write(session, `heard ${text}\n`);
      while (!printed.includes(`heard ${text}`)) await turn();
    }
  });

  it('refuses a renegotiation of TLS 1.2 at once, and leaves nothing for other sessions to send', async () => {
    const { client, accepted } = await runClient('-tls1_2');
    using socket = accepted;
    using serverContext = own.context('server', true);
    using session = new TlsSession(serverContext, socket);
    await shakeHands(session);
    expect(session.describe().version).to.equal('TLSv1.2');
    client.stdin!.write('R\n');
    const into = new IoBuffer(64 * 1024);
    while (!/no renegotiation|RENEGOTIATING[^]*error/i.test(printed)) {
      session.read(into, 0, into.length, false);
      expect(threadWriteRing().take(), 'bytes left in the ring of all sessions').to.equal(0);
      await turn();
    }
  });

  async function connected(socket: TcpSocket): Promise<void> {
    while (socket.peerAddress() === undefined) await turn();
  }
});
