import { expect } from 'chai';
import { Reactor, TcpListener, TcpSocket } from './index.ts';

const DIALS = 40;

function fail(error: unknown): never {
  throw error as Error;
}

describe('listeners that share a port', () => {
  let reactor: Reactor;
  let listeners: TcpListener[];
  let accepted: number[];

  beforeEach(() => {
    reactor = new Reactor(fail);
    listeners = [];
    accepted = [];
    for (let i = 0; i < 3; i++) listen();
  });
  afterEach(() => {
    for (const listener of listeners) listener.close();
    reactor.close();
  });

  function listen(): TcpListener {
    const index = listeners.length;
    const port = listeners[0]?.localAddress().port ?? 0;
    const handler = {
      onAccept: (socket: TcpSocket): void => {
        accepted[index] = (accepted[index] ?? 0) + 1;
        socket.close();
      },
      onAcceptPaused: fail,
      onAcceptResumed: (): void => undefined,
      onFault: fail,
    };
    const listener = new TcpListener(reactor, { ip: '::', port }, { backlog: 128, reusePort: true }, handler);
    listener.start();
    listeners.push(listener);
    return listener;
  }

  /** @returns how many of so many connections each listener got */
  function dialAll(): number[] {
    accepted = listeners.map(() => 0);
    const { port } = listeners.at(-1)!.localAddress();
    const sockets = Array.from({ length: DIALS }, (_, i) =>
      TcpSocket.dial({ ip: i % 2 === 0 ? '127.0.0.1' : '::1', port }),
    );
    for (let i = 0; i < 200 && accepted.reduce((a, b) => a + b) < DIALS; i++) reactor.turn(10);
    for (const socket of sockets) socket.close();
    return accepted;
  }

  it('hand new connections to one that has come after them', () => {
    expect(dialAll().every((count) => count > 0)).to.equal(true);
    expect(listeners[0]!.steerTo(2)).to.equal(true);
    expect(dialAll()).to.deep.equal([0, 0, DIALS]);
  });

  it('go on as they were when there is nobody of that number', () => {
    listeners[0]!.steerTo(3);
    expect(dialAll().every((count) => count > 0)).to.equal(true);
  });

  it('forget it when another one comes', () => {
    listeners[0]!.steerTo(2);
    listen();
    const counts = dialAll();
    expect(
      counts.every((count) => count > 0),
      counts.join(' '),
    ).to.equal(true);
  });

  it('close one after the other, and none of them gets any', () => {
    listen(); // as many have come as there were
    listeners[0]!.steerTo(2);
    listeners[0]!.close();
    expect(dialAll()).to.deep.equal([0, 0, DIALS, 0]);
    listeners[1]!.close();
    const counts = dialAll();
    expect(
      counts.slice(2).every((count) => count > 0),
      counts.join(' '),
    ).to.equal(true);
  });

  it('one that is closed does not steer', () => {
    listeners[0]!.close();
    expect(listeners[0]!.steerTo(1)).to.equal(false);
  });

  it('one that is held takes none until it is released', () => {
    for (const listener of listeners.slice(0, 2)) listener.close();
    listeners[2]!.hold();
    const socket = TcpSocket.dial({ ip: '127.0.0.1', port: listeners[2]!.localAddress().port });
    for (let i = 0; i < 5; i++) reactor.turn(1);
    expect(accepted[2]).to.equal(undefined);
    listeners[2]!.release();
    for (let i = 0; i < 200 && accepted[2] === undefined; i++) reactor.turn(10);
    expect(accepted[2]).to.equal(1);
    socket.close();
  });
});
