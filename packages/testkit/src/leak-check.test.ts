import { expect } from 'chai';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { assertNoLeak, diffLeaks, LeakError, takeLeakSnapshot } from './leak-check.ts';

const scope = { pids: { self: process.pid } };

describe('leak check', () => {
  it('names a descriptor that stayed open, and accepts it once closed', async () => {
    const before = takeLeakSnapshot(scope);
    const fd = openSync('/dev/zero', 'r');
    expect(diffLeaks(before, takeLeakSnapshot(scope))).to.deep.equal([
      'descriptors of self: /dev/zero 0 -> 1',
    ]);
    const failure = await assertNoLeak(before, scope, 0).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(LeakError);
    closeSync(fd);
    expect(diffLeaks(before, takeLeakSnapshot(scope))).to.deep.equal([]);
  });

  it('names a listener that stayed open', async () => {
    const namespaces = [{ name: 'own', holderPid: process.pid }];
    const before = takeLeakSnapshot({ namespaces });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(diffLeaks(before, takeLeakSnapshot({ namespaces }))).to.include(
      `sockets in own: tcp LISTEN on port ${port} 0 -> 1`,
    );
    server.close();
    await once(server, 'close');
  });

  it('counts a process that ended as clean', () => {
    const before = {
      descriptors: { gone: { socket: 1 } },
      sockets: {},
      processes: ['1 a'],
      namespaces: ['net:[1]'],
    };
    const after = { descriptors: {}, sockets: {}, processes: [], namespaces: [] };
    expect(diffLeaks(before, after)).to.deep.equal([]);
    expect(diffLeaks(after, before)).to.deep.equal([
      'descriptors of gone: socket 0 -> 1',
      'process left: 1 a',
      'network namespace left: net:[1]',
    ]);
  });
});
