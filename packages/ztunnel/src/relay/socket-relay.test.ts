import { settle, testReactor, turnUntil } from '@ambient/hbone/testing';
import type { Reactor } from '@ambient/linux';
import { openDescriptors } from '@ambient/linux';
import { expect } from 'chai';
import { registerAsDialled, socketPair } from '../testing/socket-pair.ts';
import { TestApplication } from '../testing/test-application.ts';
import { SocketRelay } from './socket-relay.ts';

describe('SocketRelay', () => {
  let reactor: Reactor;
  let openBefore: number;
  let near: TestApplication;
  let far: TestApplication;
  let relay: SocketRelay;
  let ends: (Error | undefined)[];

  beforeEach(() => {
    openBefore = openDescriptors().length;
    reactor = testReactor();
    const nearPair = socketPair(reactor);
    const farPair = socketPair(reactor);
    near = new TestApplication(reactor, nearPair.dialled);
    far = new TestApplication(reactor, farPair.accepted);
    ends = [];
    registerAsDialled(reactor, farPair.dialled);
    relay = new SocketRelay(reactor, nearPair.accepted, farPair.dialled, (error) => ends.push(error));
  });
  afterEach(() => {
    relay.fail(new Error('the test is over'));
    near.close();
    far.close();
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  const until = (what: string, holds: () => boolean): void => {
    turnUntil(reactor, what, holds, 20_000);
  };

  it('carries what was sent before it started, and counts both directions', () => {
    near.send('question');
    settle(reactor, 3);
    relay.start();
    until('the question', () => far.received.toString() === 'question');
    far.send('an answer');
    until('the answer', () => near.received.toString() === 'an answer');
    expect([relay.bytesOutward, relay.bytesInward]).to.deep.equal([8, 9]);
  });

  for (const first of ['near', 'far'] as const)
    it(`goes on in the other direction when the ${first} side ends first`, () => {
      relay.start();
      const [one, other] = first === 'near' ? [near, far] : [far, near];
      one.socket.shutdownWrite();
      until('the end to arrive', () => other.ended);
      expect(relay.done).to.equal(false);
      other.send('still here');
      until('bytes after the half-close', () => one.received.toString() === 'still here');
      other.socket.shutdownWrite();
      until('the end of the relay', () => relay.done);
      expect(ends).to.deep.equal([undefined]);
      until('the end at the first side', () => one.ended);
    });

  it('passes an end on that came together with the last bytes', () => {
    near.send('all of it');
    near.socket.shutdownWrite();
    settle(reactor, 3);
    relay.start();
    until('the end', () => far.ended);
    expect(far.received.toString()).to.equal('all of it');
  });

  // Up to a megabyte it copies, beyond it splices.
  for (const total of [1024 * 1024, 1024 * 1024 + 1, 24 * 1024 * 1024])
    it(`carries ${total} bytes both ways at once unchanged, and then the ends`, () => {
      near.keep = far.keep = false;
      relay.start();
      near.sendPattern(total, true);
      far.sendPattern(total, true);
      until('both ends', () => near.ended && far.ended);
      expect([near.receivedBytes, far.receivedBytes]).to.deep.equal([total, total]);
      expect([near.patternHolds, far.patternHolds]).to.deep.equal([true, true]);
      expect(ends).to.deep.equal([undefined]);
      expect([relay.bytesOutward, relay.bytesInward]).to.deep.equal([total, total]);
    });

  for (const before of [0, 2 * 1024 * 1024])
    it(`holds a sender up whose reader has stopped after ${before} bytes, and loses nothing`, () => {
      relay.start();
      far.keep = false;
      near.sendPattern(before, false);
      until('what comes before', () => far.receivedBytes === before);
      far.reading = false;
      const total = 32 * 1024 * 1024;
      near.sendPattern(total, true);
      settle(reactor, 50);
      expect(near.sent).to.be.lessThan(before + total);
      far.resume();
      until('the rest', () => far.ended);
      expect(far.receivedBytes).to.equal(before + total);
      expect(far.patternHolds).to.equal(true);
    });

  for (const who of ['near', 'far'] as const) {
    it(`a reset of the ${who} side resets the other`, () => {
      relay.start();
      const [one, other] = who === 'near' ? [near, far] : [far, near];
      settle(reactor, 3);
      one.abort();
      until('the reset', () => other.failed);
      expect(ends[0]).to.have.property('code', 'ECONNRESET');
    });

    it(`a reset of the ${who} side after its end resets the other`, () => {
      relay.start();
      const [one, other] = who === 'near' ? [near, far] : [far, near];
      one.socket.shutdownWrite();
      until('the end', () => other.ended);
      one.abort();
      until('the end of the relay', () => relay.done);
      expect(ends[0]).to.have.property('syscall', 'recv');
      settle(reactor, 3);
      expect(() => {
        other.send('into nothing');
      }, 'the other side was reset').to.throw('took -2');
    });
  }

  it('is cut with an error, once', () => {
    relay.start();
    relay.fail(new Error('cut'));
    relay.fail(new Error('again'));
    expect(ends.map(String)).to.deep.equal(['Error: cut']);
    until('both resets', () => near.failed && far.failed);
  });

  it('may be cut while it holds bytes back in its pipe', () => {
    relay.start();
    far.keep = false;
    near.sendPattern(2 * 1024 * 1024, false);
    until('splicing', () => far.receivedBytes === 2 * 1024 * 1024);
    far.reading = false;
    near.sendPattern(32 * 1024 * 1024, false);
    settle(reactor, 50);
    relay.fail(new Error('cut'));
    until('the reset', () => near.failed);
  });
});
