import { expect } from 'chai';
import { readlinkSync } from 'node:fs';
import { MisuseError, NetworkNamespace, Reactor, TcpListener, TcpSocket } from './index.ts';

const whereIAm = (): string => readlinkSync('/proc/thread-self/ns/net');

describe('NetworkNamespace', () => {
  let first: NetworkNamespace;
  let second: NetworkNamespace;
  let home: string;

  before(() => {
    home = whereIAm();
    first = NetworkNamespace.create();
    second = NetworkNamespace.create();
  });
  after(() => {
    first.close();
    second.close();
  });
  afterEach(() => {
    expect(whereIAm(), 'a visit leaked').to.equal(home);
  });

  it('brings the thread back, also from a visit within a visit and from one that throws', () => {
    const inside = first.enter(() => {
      const outer = whereIAm();
      const inner = second.enter(whereIAm);
      expect(whereIAm()).to.equal(outer);
      expect(first.enter(whereIAm)).to.equal(outer);
      return [outer, inner];
    });
    expect(new Set([home, ...inside]).size).to.equal(3);
    expect(() =>
      first.enter(() => {
        throw new Error('a defect');
      }),
    ).to.throw('a defect');
  });

  it('a closed one is not entered, since its number may be that of another', () => {
    const owner = NetworkNamespace.create();
    const borrowed = NetworkNamespace.borrow(owner.fd);
    borrowed.close();
    expect(() => borrowed.enter(whereIAm)).to.throw(MisuseError);
    expect(owner.enter(whereIAm)).to.not.equal(home);
    owner.close();
    expect(() => owner.identity()).to.throw(MisuseError);
  });

  it('sockets stand where they were asked for, and the thread stays', () => {
    using reactor = new Reactor((error) => {
      throw error;
    });
    const handler = {
      onAccept: (socket: TcpSocket) => {
        socket.close();
      },
      onAcceptPaused: () => undefined,
      onAcceptResumed: () => undefined,
      onFault: (error: unknown) => {
        throw error;
      },
    };
    // The same port in two namespaces, without SO_REUSEPORT: only possible if they are two.
    const at = { ip: '0.0.0.0', port: 15_001 };
    const options = { backlog: 1, reusePort: false };
    using _one = new TcpListener(reactor, at, { ...options, namespace: first }, handler);
    using _two = new TcpListener(reactor, at, { ...options, namespace: second }, handler);
    expect(() => new TcpListener(reactor, at, { ...options, namespace: first }, handler)).to.throw(
      'EADDRINUSE',
    );
    // Loopback is down in a new namespace: no route is the answer of that namespace, not of ours.
    expect(() => TcpSocket.dial({ ip: '127.0.0.1', port: 15_001 }, { namespace: first })).to.throw(
      'ENETUNREACH',
    );
  });
});
