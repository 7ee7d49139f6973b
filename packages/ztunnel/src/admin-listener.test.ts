import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { AdminListener } from './admin-listener.ts';
import type { AdminServers } from './admin/admin-servers.ts';
import { ListenError } from './admin/http-endpoint.ts';
import { recordingLog } from './testing/log-lines.ts';

function setup(failures: string[]) {
  const clock = new ManualClock(0);
  const { log, lines } = recordingLog('admin');
  let closed = 0;
  let attempts = 0;
  const listened = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  const servers = {
    [Symbol.asyncDispose]: () => {
      closed++;
      return Promise.resolve();
    },
  } as unknown as AdminServers;
  const listener = new AdminListener(
    () => {
      listened[attempts++]?.resolve();
      const code = failures.shift();
      if (code === undefined) return Promise.resolve(servers);
      return Promise.reject(
        new ListenError('admin', '127.0.0.1 port 15000', Object.assign(new Error(code), { code })),
      );
    },
    clock,
    log,
  );
  return { clock, lines, listener, listened, servers, closed: () => closed };
}

describe('AdminListener', () => {
  it('binds, and closes what it bound', async () => {
    const { listener, servers, closed } = setup([]);
    await listener.start();
    expect(listener.servers).equal(servers);
    await listener[Symbol.asyncDispose]();
    expect([listener.servers, closed()]).deep.equal([undefined, 1]);
  });

  it('fails the start for ports that cannot be had', async () => {
    const { listener } = setup(['EACCES']);
    const error = await listener.start().catch((reason: unknown) => reason);
    expect(error).instanceOf(ListenError);
  });

  it('serves without ports that another process has, and takes them when they are free', async () => {
    const { listener, clock, lines, servers, listened } = setup(['EADDRINUSE', 'EADDRINUSE']);
    await listener.start();
    expect([listener.servers, clock.nextTimerInMs]).deep.equal([undefined, 500]);
    expect(lines[0]).match(/^warn\tadmin\tthe admin ports are taken/);
    clock.advance(500);
    await listened[1]!.promise;
    // The failed attempt sets the next timer in a later turn.
    while (clock.pendingTimers === 0) await Promise.resolve();
    clock.advance(500);
    await listened[2]!.promise;
    while (listener.servers === undefined) await Promise.resolve();
    expect(listener.servers).equal(servers);
  });

  it('stops trying when it is closed', async () => {
    const { listener, clock } = setup(['EADDRINUSE']);
    await listener.start();
    await listener[Symbol.asyncDispose]();
    expect(clock.pendingTimers).equal(0);
  });
});
