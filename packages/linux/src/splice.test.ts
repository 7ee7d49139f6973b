import { expect } from 'chai';
import { FAILED, WOULD_BLOCK, openDescriptors } from './descriptor.ts';
import { IoBuffer } from './io-buffer.ts';
import type { ReadinessHandler } from './reactor.ts';
import { Reactor, WRITABLE } from './reactor.ts';
import { SplicePipe } from './splice.ts';
import { TcpListener } from './tcp-listener.ts';
import { TcpSocket } from './tcp.ts';

const KIB = 1024;

function fail(error: unknown): never {
  throw error as Error;
}

class Recorder implements ReadinessHandler {
  readiness = 0;
  onReadiness(readiness: number): void {
    this.readiness |= readiness;
  }
  onFault(error: unknown): void {
    fail(error);
  }
}

describe('SplicePipe', () => {
  let reactor: Reactor;
  let before: number;
  let open: Disposable[];
  beforeEach(() => {
    before = openDescriptors().length;
    reactor = new Reactor(fail);
    open = [];
  });
  afterEach(() => {
    for (const each of open) each[Symbol.dispose]();
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(before);
  });

  function keep<T extends Disposable>(owned: T): T {
    open.push(owned);
    return owned;
  }

  function turnUntil(done: () => boolean): void {
    for (let i = 0; i < 200; i++) {
      if (done()) return;
      reactor.turn(10);
    }
    expect.fail('did not happen within 200 turns');
  }

  /** Both ends of a TCP connection over loopback. */
  function connect(): [TcpSocket, TcpSocket] {
    const accepted: TcpSocket[] = [];
    const listener = keep(
      new TcpListener(
        reactor,
        { ip: '127.0.0.1', port: 0 },
        { backlog: 1, reusePort: false },
        {
          onAccept: (socket) => accepted.push(keep(socket)),
          onAcceptPaused: fail,
          onAcceptResumed: () => undefined,
          onFault: fail,
        },
      ),
    );
    listener.start();
    const near = keep(TcpSocket.dial(listener.localAddress()));
    const connected = new Recorder();
    reactor.register(near.fd, connected);
    turnUntil(() => accepted.length === 1 && (connected.readiness & WRITABLE) !== 0);
    reactor.unregister(near.fd);
    return [near, accepted[0]!];
  }

  it('moves every byte, in order, and then the end', () => {
    const [sender, source] = connect();
    const [target, receiver] = connect();
    const pipe = keep(new SplicePipe());
    const sent = new IoBuffer(600 * KIB);
    for (let i = 0; i < sent.length; i++) sent.bytes[i] = (i * 31 + (i >> 11)) & 0xff;
    const got = new IoBuffer(sent.length + 1);
    let taken = 0;
    let received = 0;
    let ended = false;
    const step = (): boolean => {
      if (taken < sent.length) taken += Math.max(0, sender.send(sent, taken, sent.length - taken));
      else sender.shutdownWrite();
      if (!ended && pipe.buffered === 0) ended = pipe.fill(source, 256 * KIB) === 0;
      if (pipe.buffered > 0) expect(pipe.drain(target)).not.equal(FAILED);
      const n = receiver.recv(got, received, got.length - received);
      if (n > 0) received += n;
      return ended && received === sent.length;
    };
    turnUntil(step);
    expect(pipe.buffered).to.equal(0);
    expect(got.bytes.subarray(0, received).equals(sent.bytes)).to.equal(true);
  });

  it('says when there is nothing to take', () => {
    const [, source] = connect();
    const pipe = keep(new SplicePipe());
    expect(pipe.fill(source, KIB)).to.equal(WOULD_BLOCK);
    expect(pipe.buffered).to.equal(0);
  });

  it('holds more than the 64 KiB of an ordinary pipe', () => {
    const [sender, source] = connect();
    const pipe = keep(new SplicePipe());
    const chunk = new IoBuffer(128 * KIB);
    let taken = 0;
    turnUntil(() => {
      if (taken < chunk.length) taken += Math.max(0, sender.send(chunk, taken, chunk.length - taken));
      pipe.fill(source, chunk.length);
      return pipe.buffered > 64 * KIB;
    });
  });

  it('names the error of a connection that was reset', () => {
    const [sender, source] = connect();
    const pipe = keep(new SplicePipe());
    sender.abort();
    turnUntil(() => pipe.fill(source, KIB) === FAILED);
    expect(pipe.lastError).to.include({ code: 'ECONNRESET', syscall: 'splice' });
  });
});
