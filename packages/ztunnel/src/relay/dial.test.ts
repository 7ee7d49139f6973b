import { testReactor, turnUntil } from '@ambient/hbone/testing';
import type { Reactor, TcpSocket } from '@ambient/linux';
import { READABLE, TcpListener, openDescriptors } from '@ambient/linux';
import { expect } from 'chai';
import { TestApplicationServer } from '../testing/test-application.ts';
import { dial } from './dial.ts';

describe('dial', () => {
  let reactor: Reactor;
  let openBefore: number;
  let told: (TcpSocket | Error)[];
  const outcome = {
    onConnected: (socket: TcpSocket): void => void told.push(socket),
    onFailed: (error: Error): void => void told.push(error),
  };

  beforeEach(() => {
    openBefore = openDescriptors().length;
    reactor = testReactor();
    told = [];
  });
  afterEach(() => {
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  it('hands over a connected socket with its registration', () => {
    const target = new TestApplicationServer(reactor);
    dial(reactor, target.address, {}, 1000, outcome);
    turnUntil(reactor, 'the connection', () => told.length > 0);
    const socket = told[0] as TcpSocket;
    expect(socket.peerAddress()).to.deep.equal(target.address);
    let readable = false;
    const onReadiness = (readiness: number): void => {
      readable ||= (readiness & READABLE) !== 0;
    };
    reactor.handOver(socket.fd, { onReadiness, onFault: () => undefined }); // throws if it were not registered
    turnUntil(reactor, 'the server to accept', () => target.accepted.length > 0);
    expect(readable, 'nothing was sent yet').to.equal(false);
    target.accepted[0]!.send('x');
    turnUntil(reactor, 'what the server sends', () => readable);
    reactor.forget(socket.fd);
    socket.close();
    target.close();
  });

  it('tells a refusal with its code', () => {
    dial(reactor, { ip: '127.0.0.1', port: 1 }, {}, 1000, outcome);
    turnUntil(reactor, 'the refusal', () => told.length > 0);
    expect(told[0]).to.include({ code: 'ECONNREFUSED', syscall: 'connect' });
  });

  it('tells at once what the kernel refuses at once', () => {
    dial(reactor, { ip: '255.255.255.255', port: 1 }, {}, 1000, outcome);
    expect(told[0]).to.include({ syscall: 'connect' });
  });

  it('tells of a local address that is not ours, and closes the socket', () => {
    dial(reactor, { ip: '127.0.0.1', port: 1 }, { bind: { ip: '192.0.2.1', port: 0 } }, 1000, outcome);
    expect(told[0]).to.include({ code: 'EADDRNOTAVAIL', syscall: 'bind' });
  });

  it('gives up after its time, and names the likely cause', () => {
    const never = (): void => undefined;
    const handler = { onAccept: never, onAcceptPaused: never, onAcceptResumed: never, onFault: never };
    // Nobody accepts, and the queue holds one: dials behind it are not answered.
    const at = { ip: '127.0.0.1', port: 0 };
    using listener = new TcpListener(reactor, at, { backlog: 0, reusePort: false }, handler);
    for (let i = 0; i < 6; i++) dial(reactor, listener.localAddress(), {}, 40, outcome);
    turnUntil(reactor, 'all', () => told.length === 6);
    const errors = told.filter((each) => each instanceof Error);
    expect(errors).to.not.have.length(0);
    for (const error of errors) expect(error).to.include({ code: 'application-timeout' });
    for (const each of told) {
      if (each instanceof Error) continue;
      reactor.forget(each.fd);
      each.close();
    }
  });

  it('closes the socket of an owner who throws, and tells him that it failed', () => {
    const target = new TestApplicationServer(reactor);
    const defect = new Error('a defect');
    const onConnected = (): never => {
      throw defect;
    };
    dial(reactor, target.address, {}, 1000, { ...outcome, onConnected });
    turnUntil(reactor, 'the failure', () => told.length > 0);
    expect(told).to.deep.equal([defect]);
    turnUntil(reactor, 'the close', () => target.accepted[0]?.ended === true);
    target.close();
  });

  it('tells nothing after it was cancelled', () => {
    const target = new TestApplicationServer(reactor);
    const attempt = dial(reactor, target.address, {}, 30, outcome);
    attempt.cancel();
    attempt.cancel();
    const fromMs = reactor.nowMs;
    turnUntil(reactor, 'its time to pass', () => reactor.nowMs > fromMs + 60);
    expect(told).to.deep.equal([]);
    target.close();
  });
});
