import { FAILED, IoBuffer, Reactor, TcpSocket, WOULD_BLOCK, openDescriptors } from '@ambient/linux';
import { expect } from 'chai';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TlsContext } from './context.ts';
import { TlsError } from './errors.ts';
import { TlsSession } from './session.ts';
import { localListener } from './testing/local-listener.ts';
import { MAX_WRITE_BYTES } from './write-ring.ts';

interface Material {
  readonly certificate: string;
  readonly key: string;
}

const directory = mkdtempSync(join(tmpdir(), 'tls-session-'));
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
};
const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function makeRoot(name: string): string {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return read(`${name}.crt`);
}

function issue(root: string, name: string, extensions: string, dates: string[] = ['-days', '1']): Material {
  writeFileSync(join(directory, `${name}.ext`), extensions);
  openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/');
  openssl(
    ...[
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${root}.crt`,
      '-CAkey',
      `${root}.key`,
      '-CAcreateserial',
    ],
    ...['-extfile', `${name}.ext`, '-out', `${name}.crt`, ...dates],
  );
  return { certificate: read(`${name}.crt`), key: read(`${name}.key`) };
}

const SAN = 'subjectAltName=critical,URI:spiffe://cluster.local/ns/a/sa/b\n';

interface Ends {
  readonly client: TlsSession;
  readonly server: TlsSession;
  readonly clientSocket: TcpSocket;
  readonly serverSocket: TcpSocket;
}

describe('TlsSession', () => {
  let root: string;
  let other: string;
  let good: Material;
  let reactor: Reactor;
  let openBefore: number;

  before(() => {
    root = makeRoot('root');
    other = makeRoot('other');
    good = issue('root', 'good', SAN);
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    openBefore = openDescriptors().length;
    reactor = new Reactor((error) => {
      throw error as Error;
    });
  });
  afterEach(() => {
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  function context(role: 'client' | 'server', material = good, roots = [root], extra = {}): TlsContext {
    return new TlsContext({
      role,
      certificateChainPem: [material.certificate],
      privateKeyPem: material.key,
      rootsPem: roots,
      alpn: ['h2'],
      ...extra,
    });
  }

  /** A connected pair of TCP sockets, and the sessions on them. */
  function connect(clientContext: TlsContext, serverContext: TlsContext, use: (ends: Ends) => void): void {
    const accepted: TcpSocket[] = [];
    using listener = localListener(reactor, accepted);
    using clientSocket = TcpSocket.dial(listener.localAddress());
    while (accepted.length === 0) reactor.turn(100);
    using serverSocket = accepted[0]!;
    using client = new TlsSession(clientContext, clientSocket);
    using server = new TlsSession(serverContext, serverSocket);
    clientContext.close();
    serverContext.close();
    use({ client, server, clientSocket, serverSocket });
  }

  /** Hands flights to and fro until both ends have an opinion. */
  function handshake({ client, server }: Ends): [string, string] {
    let c = 'pending';
    let s = 'pending';
    for (let i = 0; i < 200 && (c === 'pending' || s === 'pending'); i++) {
      if (c === 'pending') c = client.handshake();
      if (s === 'pending') s = server.handshake();
    }
    return [c, s];
  }

  function failure(session: TlsSession): string {
    return session.lastError instanceof TlsError ? session.lastError.code : String(session.lastError);
  }

  it('negotiates TLS 1.3 with the hybrid group and h2, and tells the peer certificate', () => {
    connect(context('client'), context('server'), (ends) => {
      expect(handshake(ends)).to.deep.equal(['done', 'done']);
      expect(ends.client.describe()).to.deep.equal({
        version: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        group: 'X25519MLKEM768',
      });
      expect(ends.client.alpn()).to.equal('h2');
      expect(ends.server.alpn()).to.equal('h2');
      const pem = ends.server.peerCertificate()!.toString('base64');
      expect(good.certificate.replace(/\n/g, '')).to.contain(pem);
      expect(ends.server.verifiedChain().length).to.equal(2);
    });
  });

  it('carries 8 MiB both ways at once, in the face of a full socket, unchanged', () => {
    connect(context('client'), context('server'), (ends) => {
      expect(handshake(ends)).to.deep.equal(['done', 'done']);
      const total = 75 * MAX_WRITE_BYTES;
      const out = new IoBuffer(MAX_WRITE_BYTES);
      for (let i = 0; i < out.length; i++) out.bytes[i] = (i * 31) & 0xff;
      const into = new IoBuffer(100_000);
      const hashes = [createHash('sha256'), createHash('sha256')];
      const expected = createHash('sha256');
      for (let n = 0; n < total; n += out.length) expected.update(out.bytes);
      const sessions = [ends.client, ends.server];
      const sent = [0, 0];
      const received = [0, 0];
      while (received.some((n) => n < total))
        for (const i of [0, 1]) {
          const session = sessions[i]!;
          if (session.flush() && sent[i]! < total) {
            expect(session.write(out, 0, out.length)).to.equal(true);
            sent[i]! += out.length;
          }
          const n = session.read(into, 0, into.length, false);
          if (n === WOULD_BLOCK) continue;
          expect(n).to.be.greaterThan(0);
          hashes[i]!.update(into.bytes.subarray(0, n));
          received[i]! += n;
        }
      const digest = expected.digest('hex');
      for (const hash of hashes) expect(hash.digest('hex')).to.equal(digest);
    });
  });

  it('keeps what a reader has no room for apart from what other sessions of the thread read', () => {
    connect(context('client'), context('server'), (one) => {
      connect(context('client'), context('server'), (two) => {
        handshake(one);
        handshake(two);
        const length = 100_000;
        const texts = [one, two].map(({ client }, which) => {
          const out = new IoBuffer(length);
          for (let i = 0; i < length; i++) out.bytes[i] = (i * (7 + which)) & 0xff;
          expect(client.write(out, 0, length)).to.equal(true);
          return out.bytes;
        });
        const into = new IoBuffer(length);
        const received = [0, 0];
        // Less than a record at a time, in turn: most of what one call to the socket gave waits inside.
        while (received.some((n) => n < length))
          for (const [which, { server }] of [one, two].entries()) {
            const n = server.read(into, 0, Math.min(10_000, length - received[which]! + 1), false);
            if (n === WOULD_BLOCK) continue;
            const at = received[which]!;
            expect(into.bytes.compare(texts[which]!, at, at + n, 0, n)).to.equal(0);
            received[which] = at + n;
          }
      });
    });
  });

  it('reads what came together with the end of the handshake', () => {
    connect(context('client'), context('server'), ({ client, server }) => {
      const out = new IoBuffer(64);
      let progress = client.handshake();
      server.handshake();
      while (progress === 'pending') progress = client.handshake();
      for (const text of ['first', 'second']) client.write(out, 0, out.bytes.write(text));
      while (server.handshake() === 'pending');
      const into = new IoBuffer(64);
      let text = '';
      while (text.length < 11) {
        const n = server.read(into, 0, into.length, false);
        if (n > 0) text += into.bytes.toString('latin1', 0, n);
      }
      expect(text).to.equal('firstsecond');
      expect(server.read(into, 0, into.length, false)).to.equal(WOULD_BLOCK);
      expect(server.drained).to.equal(true);
    });
  });

  it('tells a reset, again and again', () => {
    connect(context('client'), context('server'), (ends) => {
      handshake(ends);
      const out = new IoBuffer(16);
      const into = new IoBuffer(16);
      ends.client.write(out, 0, 16);
      while (ends.server.read(into, 0, 16, false) !== 16);
      ends.clientSocket.abort();
      let n = WOULD_BLOCK as number;
      while (n === WOULD_BLOCK) n = ends.server.read(into, 0, 16, true);
      expect(n).to.equal(FAILED);
      expect(failure(ends.server)).to.equal('connection-lost');
      expect(ends.server.read(into, 0, 16, true)).to.equal(FAILED);
    });
  });

  it('ends with close_notify', () => {
    connect(context('client'), context('server'), (ends) => {
      handshake(ends);
      ends.client.shutdown();
      const into = new IoBuffer(16);
      let n = WOULD_BLOCK as number;
      while (n === WOULD_BLOCK) n = ends.server.read(into, 0, 16, true);
      expect(n).to.equal(0);
    });
  });

  /** The server must refuse; the client learns of it at its handshake or its first read (TLS 1.3). */
  function expectServerRefuses(ends: Ends, code: string): void {
    handshake(ends);
    expect(failure(ends.server)).to.equal(code);
  }

  it('refuses a client whose chain ends at another root', () => {
    const foreign = issue('other', 'foreign', SAN);
    connect(context('client', foreign), context('server'), (ends) => {
      expectServerRefuses(ends, 'untrusted-certificate');
      const into = new IoBuffer(16);
      let n = WOULD_BLOCK as number;
      while (n === WOULD_BLOCK) n = ends.client.read(into, 0, 16, true);
      expect(n).to.equal(FAILED);
      expect(failure(ends.client)).to.equal('refused-by-peer');
    });
  });

  it('refuses a server whose chain ends at another root', () => {
    connect(context('client', good, [other]), context('server'), (ends) => {
      expect(handshake(ends)[0]).to.equal('failed');
      expect(failure(ends.client)).to.equal('untrusted-certificate');
    });
  });

  for (const [title, extensions, dates, code] of [
    [
      'expired',
      SAN,
      ['-not_before', '20200101000000Z', '-not_after', '20200102000000Z'],
      'expired-certificate',
    ],
    [
      'not yet valid',
      SAN,
      ['-not_before', '20990101000000Z', '-not_after', '20990102000000Z'],
      'future-certificate',
    ],
    ['for servers only', `${SAN}extendedKeyUsage=serverAuth\n`, ['-days', '1'], 'wrong-purpose'],
  ] as const)
    it(`refuses a client certificate that is ${title}`, function () {
      const name = title.replaceAll(' ', '-');
      if (dates[0] === '-not_before') {
        issueWithDates(name, extensions, dates[1], dates[3]);
      } else issue('root', name, extensions, [...dates]);
      const material = { certificate: read(`${name}.crt`), key: read(`${name}.key`) };
      connect(context('client', material), context('server'), (ends) => {
        expectServerRefuses(ends, code);
      });
    });

  /** `openssl x509` of 3.0 takes no dates; `openssl ca` does. */
  function issueWithDates(name: string, extensions: string, from: string, to: string): void {
    writeFileSync(join(directory, `${name}.ext`), extensions);
    writeFileSync(join(directory, 'index.txt'), '');
    writeFileSync(
      join(directory, 'ca.cnf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\ndefault_md=sha256\nnew_certs_dir=.\npolicy=p\nunique_subject=no\n[p]\nCN=optional\n',
    );
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=x');
    openssl(
      ...[
        'ca',
        '-batch',
        '-config',
        'ca.cnf',
        '-cert',
        'root.crt',
        '-keyfile',
        'root.key',
        '-in',
        `${name}.csr`,
      ],
      ...['-out', `${name}.crt`, '-startdate', from, '-enddate', to, '-extfile', `${name}.ext`, '-notext'],
    );
  }

  for (const allowTls12 of [false, true])
    it(`${allowTls12 ? 'admits TLS 1.2 where that is asked for' : 'refuses TLS 1.2'}`, () => {
      const accepted: TcpSocket[] = [];
      const fail = (error: unknown): never => {
        throw error as Error;
      };
      using listener = localListener(reactor, accepted);
      const { port } = listener.localAddress();
      const peer = spawn(
        'openssl',
        [
          's_client',
          '-tls1_2',
          '-cert',
          'good.crt',
          '-key',
          'good.key',
          '-CAfile',
          'root.crt',
          '-connect',
          `127.0.0.1:${port}`,
        ],
        { cwd: directory, stdio: ['pipe', 'ignore', 'ignore'] },
      );
      try {
        while (accepted.length === 0) reactor.turn(100);
        using socket = accepted[0]!;
        using serverContext = context('server', good, [root], { allowTls12 });
        using server = new TlsSession(serverContext, socket);
        reactor.register(socket.fd, { onReadiness: () => undefined, onFault: fail });
        let progress = server.handshake();
        while (progress === 'pending') {
          reactor.turn(1000);
          progress = server.handshake();
        }
        if (allowTls12) expect(server.describe().version).to.equal('TLSv1.2');
        else expect(failure(server)).to.equal('no-shared-version');
        reactor.unregister(socket.fd);
      } finally {
        peer.kill('SIGKILL');
      }
    });

  for (const [title, bytes, code] of [
    ['HTTP', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', 'not-tls'],
    ['plain HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'not-tls'],
    ['noise', '\x00\x01\x02\x03garbage garbage', 'not-tls'],
    ['nothing but an end', '', 'connection-lost'],
  ] as const)
    it(`refuses ${title} instead of TLS`, () => {
      connect(context('client'), context('server'), ({ server, clientSocket }) => {
        const out = new IoBuffer(64);
        const length = out.bytes.write(bytes, 'latin1');
        if (length > 0) clientSocket.send(out, 0, length);
        clientSocket.shutdownWrite();
        let progress = 'pending';
        for (let i = 0; i < 200 && progress === 'pending'; i++) progress = server.handshake();
        expect(failure(server)).to.equal(code);
      });
    });

  it('refuses a client that offers another protocol only', () => {
    connect(context('client', good, [root], { alpn: ['http/1.1'] }), context('server'), (ends) => {
      expectServerRefuses(ends, 'no-shared-protocol');
    });
  });

  it('names own material that cannot be used', () => {
    expect(() => context('client', { certificate: 'nothing', key: good.key })).to.throw(
      TlsError,
      'own certificate',
    );
    expect(() => context('client', { certificate: good.certificate, key: 'x' })).to.throw(
      TlsError,
      'own private key',
    );
    expect(() => context('client', { certificate: good.certificate, key: read('root.key') })).to.throw(
      TlsError,
      'does not belong',
    );
    expect(() => context('client', good, [])).to.throw(TlsError, 'root certificates');
  });
});
