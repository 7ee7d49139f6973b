import { expect } from 'chai';
import { openDescriptors } from './descriptor.ts';
import { EventLoopReactor } from './event-loop-reactor.ts';
import { IoBuffer } from './io-buffer.ts';
import { UnixSocket } from './unix.ts';

describe('EventLoopReactor', () => {
  let before: number;
  beforeEach(() => (before = openDescriptors().length));
  afterEach(() => expect(openDescriptors().length, 'descriptors leaked').to.equal(before));

  const fail = (error: unknown): never => {
    throw error instanceof Error ? error : new Error(String(error));
  };

  it('tells of what comes while it waits, and again until it is drained', async () => {
    await using reactor = new EventLoopReactor(fail);
    const [a, b] = UnixSocket.pair('seqpacket');
    const buffer = new IoBuffer(8);
    const told = Promise.withResolvers<void>();
    const lengths: number[] = [];
    reactor.registerReadable(b.fd, {
      onReadiness: () => {
        lengths.push(b.recv(buffer, 0, 8)); // one message a turn
        if (lengths.length === 2) told.resolve();
      },
      onFault: told.reject,
    });
    await new Promise(setImmediate); // it is waiting by now
    a.send(buffer, 0, 3);
    a.send(buffer, 0, 5);
    await told.promise;
    expect(lengths).to.deep.equal([3, 5]);
    reactor.unregister(b.fd);
    a.close();
    b.close();
  });

  it('blames the handler that throws, and goes on', async () => {
    await using reactor = new EventLoopReactor(fail);
    const [a, b] = UnixSocket.pair('seqpacket');
    const fault = Promise.withResolvers<unknown>();
    reactor.registerReadable(b.fd, {
      onReadiness: () => {
        throw new Error('broken');
      },
      onFault: (error) => {
        reactor.unregister(b.fd);
        fault.resolve(error);
      },
    });
    a.close();
    expect(await fault.promise).to.have.property('message', 'broken');
    b.close();
  });

  it('closes while it waits, more than once', async () => {
    const reactor = new EventLoopReactor(fail);
    await Promise.all([reactor.close(), reactor.close()]);
  });
});
