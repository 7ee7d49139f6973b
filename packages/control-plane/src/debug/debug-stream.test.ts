import { EventEmitter } from 'node:events';
import { Metadata, status } from '@grpc/grpc-js';
import { Logger, LogLevels, ManualClock, silentSink } from '@ambient/runtime';
import { envoy } from '@ambient/wire';
import type { StateOfTheWorldCall } from '@ambient/xds/server';
import { expect } from 'chai';

import type { Caller } from '../auth/caller.ts';
import { DebugGuard } from './debug-access.ts';
import { debugStream } from './debug-stream.ts';
import type { DebugPage } from './pages.ts';

const { DiscoveryRequest, DiscoveryResponse } = envoy.service.discovery.v3;
type Request = envoy.service.discovery.v3.IDiscoveryRequest;

/** A call of which the test says each event. */
class ScriptedCall extends EventEmitter {
  readonly metadata = new Metadata();
  readonly written: envoy.service.discovery.v3.DiscoveryResponse[] = [];
  ended = false;
  failed: { readonly code: number; readonly details: string } | undefined;

  constructor() {
    super();
    this.on('error', (failure: { code: number; details: string }) => (this.failed ??= failure));
  }

  getAuthContext(): object {
    return {};
  }

  write(bytes: Buffer): boolean {
    this.written.push(DiscoveryResponse.decode(bytes));
    return true;
  }

  end(): void {
    this.ended = true;
  }

  ask(request: Request): void {
    this.emit('data', Buffer.from(DiscoveryRequest.encode(request).finish()));
  }
}

describe('debug pages over a discovery stream', () => {
  const clock = new ManualClock();
  let admitted: PromiseWithResolvers<Caller>;
  let call: ScriptedCall;
  const caller: Caller = {
    identity: { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: 'a' },
    proof: 'token',
    clusterId: '',
  };
  const pages = new Map<string, DebugPage>([
    ['short', { doc: '', make: (query) => query.get('q') }],
    ['long', { doc: '', make: () => 'x'.repeat(40 * 1024 * 1024) }],
  ]);

  beforeEach(() => {
    admitted = Promise.withResolvers();
    call = new ScriptedCall();
    const authenticator = { authenticate: () => admitted.promise };
    debugStream({
      pages,
      guard: new DebugGuard({ authenticator, rootNamespace: () => 'istio-system' }),
      authenticator,
      connections: () => [],
      instance: 'istiod-0',
      clock,
      log: new Logger(new LogLevels('off'), silentSink, 'debug'),
    })(call as unknown as StateOfTheWorldCall);
  });
  afterEach(() => {
    call.emit('cancelled');
    expect(clock.pendingTimers).equal(0);
  });

  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const short: Request = { typeUrl: 'istio.io/debug', resourceNames: ['short?q=1'] };

  it('answers one question after another, and no acknowledgement', async () => {
    admitted.resolve(caller);
    call.ask(short);
    await settled();
    call.ask({ ...short, responseNonce: '1' });
    call.ask(short);
    await settled();
    expect(call.written.map(({ resources }) => Buffer.from(resources[0]!.value!).toString())).deep.equal([
      '"1"',
      '"1"',
    ]);
    call.emit('end');
    expect([call.ended, call.failed]).deep.equal([true, undefined]);
  });

  for (const [title, ask, code] of [
    ['garbage', () => call.emit('data', Buffer.from([0xff, 0xff])), status.INVALID_ARGUMENT],
    ['a type of proxies', () => call.ask({ typeUrl: 'type.googleapis.com/x' }), status.UNIMPLEMENTED],
    ['two pages at once', () => call.ask({ ...short, resourceNames: ['a', 'b'] }), status.INVALID_ARGUMENT],
    [
      'a page that is too long',
      () => call.ask({ ...short, resourceNames: ['long'] }),
      status.RESOURCE_EXHAUSTED,
    ],
    ['a page that does not exist', () => call.ask({ ...short, resourceNames: ['x'] }), status.NOT_FOUND],
  ] as const)
    it(`ends a call that asks for ${title}`, async () => {
      admitted.resolve(caller);
      ask();
      await settled();
      expect(call.failed?.code).equal(code);
      expect(call.written).deep.equal([]);
    });

  it('ends a call that asks on and on while nobody knows who it is', () => {
    for (let i = 0; i < 9; i++) call.ask(short);
    expect(call.failed?.code).equal(status.RESOURCE_EXHAUSTED);
  });

  it('ends a call that says nothing', () => {
    clock.advance(60_000);
    expect(call.failed?.code).equal(status.RESOURCE_EXHAUSTED);
  });

  it('writes nothing to a call that has gone', async () => {
    call.ask(short);
    call.emit('cancelled');
    admitted.resolve(caller);
    await settled();
    expect(call.written).deep.equal([]);
  });
});
