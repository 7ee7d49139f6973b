import { expect } from 'chai';
import { openDescriptors, getIntOption, WOULD_BLOCK, FAILED } from './descriptor.ts';
import { IoBuffer } from './io-buffer.ts';
import { PEER_CLOSED, READABLE, Reactor, WRITABLE, type ReadinessHandler } from './reactor.ts';
import { TcpListener, type AcceptHandler } from './tcp-listener.ts';
import * as libc from './libc.ts';
import type { TcpOptions } from './tcp-options.ts';
import { TcpSocket } from './tcp.ts';
import { MisuseError } from './errors.ts';
import type { SocketAddress } from './address.ts';

function fail(error: unknown): never {
  throw error as Error;
}

/** Turns the reactor until `done`, for two seconds at most. */
function turnUntil(reactor: Reactor, done: () => boolean): void {
  for (let i = 0; i < 200 && !done(); i++) reactor.turn(10);
  expect(done(), 'happened within 200 turns').to.equal(true);
}

class Recorder implements ReadinessHandler {
  readiness = 0;
  faults: unknown[] = [];
  onReadiness(readiness: number): void {
    this.readiness |= readiness;
  }
  onFault(error: unknown): void {
    this.faults.push(error);
  }
}

const SO_KEEPALIVE = 9;
const [TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT] = [1, 4, 5, 6, 18];

/** What the kernel says of a connection's options, in the order of their declaration above, congestion control last. */
function options({ fd, congestionControl }: TcpSocket): (number | string)[] {
  return [
    getIntOption(fd, libc.SOL_SOCKET, SO_KEEPALIVE, ''),
    ...[TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT].map((name) =>
      getIntOption(fd, libc.IPPROTO_TCP, name, ''),
    ),
    congestionControl,
  ];
}

describe('TcpSocket and TcpListener', () => {
  let reactor: Reactor;
  let before: number;
  beforeEach(() => {
    before = openDescriptors().length;
    reactor = new Reactor(fail);
  });
  afterEach(() => {
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(before);
  });

  function listen(
    ip: string,
    accepted: [TcpSocket, SocketAddress][],
    extra: Partial<AcceptHandler> = {},
    connections?: TcpOptions,
  ): TcpListener {
    const listener = new TcpListener(
      reactor,
      { ip, port: 0 },
      { backlog: 16, reusePort: false, connections },
      {
        onAccept: (socket, peer) => accepted.push([socket, peer]),
        onAcceptPaused: fail,
        onAcceptResumed: () => undefined,
        onFault: fail,
        ...extra,
      },
    );
    listener.start();
    return listener;
  }

  for (const [ip, listenIp, seenAs] of [
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::1', '::1', '::1'],
    ['127.0.0.1', '::', '127.0.0.1'],
  ] as const)
    it(`carries bytes and half-close both ways: ${ip} to a listener on ${listenIp}`, () => {
      const accepted: [TcpSocket, SocketAddress][] = [];
      using listener = listen(listenIp, accepted);
      using client = TcpSocket.dial({ ip, port: listener.localAddress().port });
      const clientSide = new Recorder();
      reactor.register(client.fd, clientSide);
      turnUntil(reactor, () => accepted.length === 1 && (clientSide.readiness & WRITABLE) !== 0);
      expect(client.connectResult('')).to.equal(undefined);
      const [server, peer] = accepted[0]!;
      expect(peer).to.deep.equal({ ip: seenAs, port: client.localAddress()!.port });
      expect(server.localAddress()!.ip).to.equal(seenAs);
      const serverSide = new Recorder();
      reactor.register(server.fd, serverSide);

      const buffer = new IoBuffer(64);
      expect(server.recv(buffer, 0, 64)).to.equal(WOULD_BLOCK);
      buffer.bytes.write('hello');
      expect(client.send(buffer, 0, 5)).to.equal(5);
      client.shutdownWrite();
      turnUntil(reactor, () => (serverSide.readiness & PEER_CLOSED) !== 0);
      expect(server.recv(buffer, 10, 50)).to.equal(5);
      expect(buffer.bytes.toString('latin1', 10, 15)).to.equal('hello');
      expect(server.recv(buffer, 0, 64)).to.equal(0);
      expect(server.send(buffer, 10, 5)).to.equal(5);
      turnUntil(reactor, () => (clientSide.readiness & READABLE) !== 0);
      expect(client.recv(buffer, 0, 64)).to.equal(5);
      reactor.unregister(server.fd);
      reactor.unregister(client.fd);
      server.close();
      expect(client.recv(buffer, 0, 64)).to.equal(0);
    });

  it('has its connections begin with the options that it was given', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    const keepAlive = { idleSeconds: 41, intervalSeconds: 7, probes: 3, userTimeoutMs: 62_000 };
    const begin = { noDelay: true, keepAlive, congestionControl: 'reno' };
    using listener = listen('127.0.0.1', accepted, {}, begin);
    using plain = listen('127.0.0.1', accepted);
    using one = TcpSocket.dial(listener.localAddress());
    turnUntil(reactor, () => accepted.length === 1);
    using other = TcpSocket.dial(plain.localAddress());
    turnUntil(reactor, () => accepted.length === 2);
    using tuned = accepted[0]![0];
    using ordinary = accepted[1]![0];
    expect(options(tuned)).to.deep.equal([1, 1, 41, 7, 3, 62_000, 'reno']);
    expect([one.closed, other.closed]).to.deep.equal([false, false]);
    const theirs = [0, 0, 7200, 75, 9, 0, ordinary.congestionControl];
    expect(options(ordinary)).to.deep.equal(theirs);
  });

  it('dials with the congestion control asked for, and connects whether the kernel has it or not', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    using listener = listen('127.0.0.1', accepted);
    const to = listener.localAddress();
    using ordinary = TcpSocket.dial(to);
    using reno = TcpSocket.dial(to, { congestionControl: 'reno' });
    using unknown = TcpSocket.dial(to, { congestionControl: 'no-such-thing' });
    turnUntil(reactor, () => accepted.length === 3);
    expect(reno.congestionControl).to.equal('reno');
    expect(unknown.congestionControl).to.equal(ordinary.congestionControl);
    for (const [socket] of accepted) socket.close();
  });

  it('begins with a provisional congestion control, and gives up what it was for its own', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    using plain = listen('127.0.0.1', accepted);
    using ordinary = TcpSocket.dial(plain.localAddress());
    turnUntil(reactor, () => accepted.length === 1);
    const own = ordinary.congestionControl;
    using listener = new TcpListener(
      reactor,
      { ip: '127.0.0.1', port: 0 },
      { backlog: 4, reusePort: false, provisionalCongestionControl: 'reno' },
      {
        onAccept: (socket, peer) => accepted.push([socket, peer]),
        onAcceptPaused: () => undefined,
        onAcceptResumed: () => undefined,
        onFault: (error) => {
          throw error as Error;
        },
      },
    );
    listener.start();
    using dialled = TcpSocket.dial(listener.localAddress(), { provisionalCongestionControl: 'reno' });
    turnUntil(reactor, () => accepted.length === 2);
    const ends = [dialled, accepted[1]![0]];
    for (const end of ends) expect(end.congestionControl).to.equal('reno');
    for (const end of ends) {
      end.restoreCongestionControl();
      expect(end.congestionControl).to.equal(own);
    }
    ordinary.restoreCongestionControl(); // has none: nothing happens
    expect(ordinary.congestionControl).to.equal(own);
    for (const [socket] of accepted) socket.close();
  });

  it('hands over what waits in its queue before it drains away, if it was started', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    const listener = listen('127.0.0.1', accepted);
    // On loopback the kernel ends the handshake before connect(2) returns.
    using client = TcpSocket.dial(listener.localAddress());
    const side = new Recorder();
    reactor.register(client.fd, side);
    listener.drain();
    expect(accepted).to.have.length(1);
    turnUntil(reactor, () => (side.readiness & WRITABLE) !== 0);
    expect(client.connectResult('')).to.equal(undefined);
    expect(client.recv(new IoBuffer(8), 0, 8)).to.equal(WOULD_BLOCK);
    reactor.unregister(client.fd);
    accepted[0]![0].close();

    const silent = {
      onAccept: fail,
      onAcceptPaused: fail,
      onAcceptResumed: () => undefined,
      onFault: fail,
    };
    const unstarted = new TcpListener(
      reactor,
      { ip: '127.0.0.1', port: 0 },
      { backlog: 16, reusePort: false },
      silent,
    );
    using early = TcpSocket.dial(unstarted.localAddress());
    unstarted.drain();
    expect(early.recv(new IoBuffer(8), 0, 8)).to.equal(FAILED);
  });

  it('names a refused connection and its remedy', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    const listener = listen('127.0.0.1', accepted);
    const port = listener.localAddress().port;
    listener.close();
    using client = TcpSocket.dial({ ip: '127.0.0.1', port });
    const side = new Recorder();
    reactor.register(client.fd, side);
    turnUntil(reactor, () => side.readiness !== 0);
    const error = client.connectResult(`127.0.0.1:${port}`);
    expect(error?.code).to.equal('ECONNREFUSED');
    expect(error?.message).to.contain('nothing listens');
  });

  it('reports a reset as FAILED, not as the end of the stream', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    using listener = listen('127.0.0.1', accepted);
    using client = TcpSocket.dial({ ip: '127.0.0.1', port: listener.localAddress().port });
    const side = new Recorder();
    reactor.register(client.fd, side);
    turnUntil(reactor, () => accepted.length === 1);
    accepted[0]![0].abort();
    turnUntil(reactor, () => (side.readiness & READABLE) !== 0);
    const buffer = new IoBuffer(8);
    expect(client.recv(buffer, 0, 8)).to.equal(FAILED);
    expect(client.lastError?.code).to.equal('ECONNRESET');
  });

  it('refuses a range outside the buffer and a closed descriptor', () => {
    const buffer = new IoBuffer(8);
    expect(() => buffer.addressOf(4, 5)).to.throw(MisuseError);
    expect(() => buffer.addressOf(-1, 1)).to.throw(MisuseError);
    const socket = TcpSocket.dial({ ip: '127.0.0.1', port: 9 });
    socket.close();
    expect(() => socket.recv(buffer, 0, 8)).to.throw(MisuseError, 'closed');
  });

  it('drops the events of a descriptor that an earlier handler of the turn closed', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    using listener = listen('127.0.0.1', accepted);
    const clients = [0, 1].map(() => TcpSocket.dial({ ip: '127.0.0.1', port: listener.localAddress().port }));
    let told = 0;
    for (const client of clients)
      reactor.register(client.fd, {
        onReadiness: () => {
          told++;
          for (const each of clients) {
            if (!each.closed) reactor.unregister(each.fd);
            each.close();
          }
        },
        onFault: fail,
      });
    turnUntil(reactor, () => told > 0 && accepted.length === 2);
    expect(told).to.equal(1);
    for (const [socket] of accepted) socket.close();
  });

  it('tells of a descriptor that is handed over whom it was handed to, and of one that is forgotten nobody', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    using listener = listen('127.0.0.1', accepted);
    using client = TcpSocket.dial(listener.localAddress());
    const [first, second] = [new Recorder(), new Recorder()];
    reactor.register(client.fd, first);
    turnUntil(reactor, () => accepted.length === 1 && (first.readiness & WRITABLE) !== 0);
    reactor.handOver(client.fd, second);
    using server = accepted[0]![0];
    expect(server.send(new IoBuffer(1), 0, 1)).to.equal(1);
    turnUntil(reactor, () => (second.readiness & READABLE) !== 0);
    expect(first.readiness & READABLE, 'what came later').to.equal(0);

    second.readiness = 0;
    reactor.forget(client.fd);
    server.send(new IoBuffer(1), 0, 1); // its registration is still in the kernel, as while somebody has a copy of it
    for (let i = 0; i < 3; i++) reactor.turn(0);
    expect(second.readiness).to.equal(0);
    expect(() => {
      reactor.handOver(client.fd, first);
    }).to.throw(MisuseError, 'not registered');
  });

  it('gives a handler that throws its own fault, and goes on with the others', () => {
    const accepted: [TcpSocket, SocketAddress][] = [];
    using listener = listen('127.0.0.1', accepted);
    const faulty = TcpSocket.dial({ ip: '127.0.0.1', port: listener.localAddress().port });
    const faults: unknown[] = [];
    reactor.register(faulty.fd, {
      onReadiness: () => fail(new Error('defect')),
      onFault: (error) => faults.push(error),
    });
    turnUntil(reactor, () => faults.length > 0 && accepted.length === 1);
    expect(String(faults[0])).to.contain('defect');
    reactor.unregister(faulty.fd);
    faulty.close();
    accepted[0]![0].close();
  });
});
