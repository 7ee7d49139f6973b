import { expect } from 'chai';
import { SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import { NetworkNamespace } from './namespace.ts';
import { Reactor, WRITABLE } from './reactor.ts';
import { readSocket, SocketDiagnostics } from './socket-diagnostics.ts';
import type { DiagnosedSocket } from './socket-diagnostics.ts';
import { TcpListener } from './tcp-listener.ts';
import { TcpSocket } from './tcp.ts';
import { runTool } from './tool.ts';

function fail(error: unknown): never {
  throw error as Error;
}

describe('a socket as the kernel tells of it', () => {
  /** struct inet_diag_msg: family, state, timer, retransmissions, id; then five numbers, and attributes. */
  function message(
    family: number,
    state: number,
    source: string,
    destination: string,
    attributes = '',
  ): Buffer {
    const address = (text: string): string => text.padEnd(32, '0');
    return Buffer.from(
      `${family.toString(16).padStart(2, '0')}${state.toString(16).padStart(2, '0')}0000` +
        `1f90c001${address(source)}${address(destination)}01000000${'11'.repeat(8)}${'00'.repeat(20)}${attributes}`,
      'hex',
    );
  }

  it('has addresses, ports, state, mark, and an id that is its own', () => {
    const bytes = message(2, 1, '0a000001', 'c0000207', '05000100aa00000008000f0011010000');
    const socket = readSocket(bytes, 4);
    const id = socket.id.toString('hex');
    bytes.fill(0);
    expect(socket.id.toString('hex')).to.equal(id);
    expect(id).to.match(/^1f90c0010a0000010{24}c00002070{24}010{6}(11){8}$/);
    expect({ ...socket, id: '' }).to.deep.equal({
      local: { ip: '10.0.0.1', port: 8080 },
      remote: { ip: '192.0.2.7', port: 49_153 },
      listening: false,
      mark: 0x111,
      id: '',
      family: 4,
    });
  });

  it('listens, and has no mark where none is told', () => {
    expect(readSocket(message(2, 10, '', ''), 4)).to.include({ listening: true, mark: 0 });
  });

  for (const [bytes, text] of [
    ['', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
    ['00010000000000020003000000000004', '1::2:3:0:0:4'],
    ['fd000001000200030004000500060007', 'fd00:1:2:3:4:5:6:7'],
    ['20010db80000000100010001000a0000', '2001:db8:0:1:1:1:a:0'],
    ['20010db8000100010001000100000000', '2001:db8:1:1:1:1::'],
    ['00000000000000000000ffff0a000001', '10.0.0.1'],
  ] as const)
    it(`writes the IPv6 address ${text} (RFC 5952 section 4)`, () => {
      expect(readSocket(message(10, 1, bytes, ''), 6).local.ip).to.equal(text);
    });
});

describe('SocketDiagnostics', () => {
  let namespace: NetworkNamespace;
  let reactor: Reactor;
  let diagnostics: SocketDiagnostics;

  beforeEach(async () => {
    namespace = NetworkNamespace.create();
    expect(await runTool(['ip', 'link', 'set', 'lo', 'up'], { namespace })).to.have.property('kind', 'done');
    reactor = new Reactor(fail);
    diagnostics = namespace.enter(() => new SocketDiagnostics());
  });
  afterEach(() => {
    diagnostics.close();
    reactor.close();
    namespace.close();
  });

  /** A connection inside the namespace. */
  function connect(ip: string, owned: DisposableStack, mark?: number): { client: TcpSocket; port: number } {
    const accepted: TcpSocket[] = [];
    const listener = owned.use(
      new TcpListener(
        reactor,
        { ip, port: 0 },
        { backlog: 4, reusePort: false, namespace },
        {
          onAccept: (socket) => accepted.push(owned.use(socket)),
          onAcceptPaused: fail,
          onAcceptResumed: () => undefined,
          onFault: fail,
        },
      ),
    );
    listener.start();
    const { port } = listener.localAddress();
    const client = owned.use(
      TcpSocket.dial({ ip, port }, { namespace, ...(mark === undefined ? {} : { mark }) }),
    );
    let writable = false;
    reactor.register(client.fd, {
      onReadiness: (readiness) => void (writable ||= (readiness & WRITABLE) !== 0),
      onFault: fail,
    });
    for (let i = 0; i < 200 && !(writable && accepted.length === 1); i++) reactor.turn(10);
    expect(client.connectResult('')).to.equal(undefined);
    return { client, port };
  }

  for (const ip of ['127.0.0.1', '::1'])
    it(`sees the sockets of its namespace and no others, by ${ip}`, () => {
      using owned = new DisposableStack();
      expect(diagnostics.tcp()).to.deep.equal([]);
      const { client, port } = connect(ip, owned, 0x539);
      const own = client.localAddress()!;
      const seen = diagnostics.tcp();
      const find = (wish: (socket: DiagnosedSocket) => boolean): DiagnosedSocket | undefined =>
        seen.find(wish);
      expect(seen).to.have.length(3);
      expect(find(({ listening }) => listening)).to.deep.include({ local: { ip, port } });
      const dialled = find(({ local }) => local.port === own.port);
      expect(dialled).to.deep.include({ local: own, remote: { ip, port }, listening: false, mark: 0x539 });
      expect(find(({ remote }) => remote.port === own.port)).to.deep.include({ local: { ip, port } });
    });

  it('ends a connection from outside: its owner reads an error, and it is gone', () => {
    using owned = new DisposableStack();
    const { client } = connect('127.0.0.1', owned);
    const { port } = client.localAddress()!;
    const socket = diagnostics.tcp().find(({ local }) => local.port === port)!;
    expect(diagnostics.destroy(socket)).to.equal(true);
    client.recv(new IoBuffer(16), 0, 16);
    expect(client.lastError).to.be.instanceOf(SystemError).with.property('code', 'ECONNABORTED');
    expect(diagnostics.tcp().some(({ local }) => local.port === port)).to.equal(false);
    expect(diagnostics.destroy(socket), 'it was gone').to.equal(false);
  });
});
