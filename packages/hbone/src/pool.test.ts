import { ErrorCode } from '@ambient/http';
import type { Reactor, SocketAddress } from '@ambient/linux';
import { TcpListener, openDescriptors } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import { expect } from 'chai';
import { HboneError } from './errors.ts';
import type { PendingTunnel } from './pool.ts';
import { HbonePool, PoolDirectory } from './pool.ts';
import type { HboneSettings } from './settings.ts';
import { defaultHboneSettings } from './settings.ts';
import {
  RecordingSink,
  TestIdentities,
  TestServer,
  freeze,
  settle,
  testReactor,
  turnUntil,
} from './testing/index.ts';
import type { TestServerOptions } from './testing/index.ts';

const client = 'spiffe://cluster.local/ns/a/sa/client';
const server = 'spiffe://cluster.local/ns/a/sa/server';
const over = new HboneError('shut-down', 'the test is over');

describe('HbonePool', () => {
  let identities: TestIdentities;
  let reactor: Reactor;
  let context: TlsContext;
  let openBefore: number;
  let close: (() => void)[];

  before(async () => {
    identities = await TestIdentities.issue([client, server]);
  });
  beforeEach(() => {
    openBefore = openDescriptors().length;
    reactor = testReactor();
    context = identities.context(client, 'client');
    close = [];
  });
  afterEach(() => {
    for (const each of close.reverse()) each();
    context.close();
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  function pool(settings: Partial<HboneSettings> = {}, directory?: PoolDirectory): HbonePool {
    const all = { ...defaultHboneSettings, ...settings };
    const made = new HbonePool(reactor, all, undefined, {}, directory);
    close.push(() => {
      made.close();
    });
    return made;
  }

  function serve(options: TestServerOptions = {}): TestServer {
    const made = new TestServer(reactor, identities.context(server, 'server'), options);
    close.push(() => {
      made.close(over);
    });
    return made;
  }

  interface Asked {
    readonly sink: RecordingSink;
    readonly pending: PendingTunnel;
  }

  function ask(
    from: HbonePool,
    destination: SocketAddress,
    change: { sourceIp?: string; baggage?: string; workload?: string } = {},
  ): Asked {
    const sink = new RecordingSink();
    const pending = from.request({
      key: {
        sourceIdentity: client,
        expectedIdentities: [server],
        destination,
        sourceIp: change.sourceIp ?? '10.0.0.1',
        workload: change.workload ?? '',
      },
      connect: { authority: '10.0.0.2:80', baggage: change.baggage },
      context: () => context,
      verify: () => undefined,
      sink,
      onTunnel: (tunnel) => {
        sink.tunnel = tunnel;
      },
    });
    return { sink, pending };
  }

  /** A listener whose queue is full and that accepts nobody: dials to it are not answered. */
  function deaf(): SocketAddress {
    const never = (): void => undefined;
    const handler = { onAccept: never, onAcceptPaused: never, onAcceptResumed: never, onFault: never };
    const listener = new TcpListener(
      reactor,
      { ip: '127.0.0.1', port: 0 },
      { backlog: 0, reusePort: false },
      handler,
    );
    close.push(() => {
      listener.close();
    });
    return listener.localAddress();
  }

  it('dials once for all who wait for the same server', () => {
    const to = serve();
    const from = pool();
    const asked = Array.from({ length: 10 }, () => ask(from, to.address));
    expect(from.connectionCount).to.equal(1);
    turnUntil(reactor, 'ten tunnels', () => asked.every(({ sink }) => sink.opened !== undefined));
    expect(to.connections).to.have.length(1);
    expect(ask(from, to.address).sink.tunnel, 'one more is opened at once').to.not.equal(undefined);
  });

  for (const [refusals, outcome] of [
    [1, 'opened'],
    [2, 'closed'],
  ] as const)
    it(`asks again for a tunnel that was refused unseen ${refusals} times: ${outcome}`, () => {
      let left = refusals as number;
      const to = serve({
        onConnect: (offer) => {
          const sink = new RecordingSink();
          if (left-- > 0) offer.tunnel.reset(ErrorCode.REFUSED_STREAM);
          else offer.accept([]);
          return sink;
        },
      });
      const { sink } = ask(pool(), to.address);
      const done = (): boolean => sink.opened !== undefined || sink.closed;
      turnUntil(reactor, 'an outcome', done);
      expect(sink.opened !== undefined ? 'opened' : 'closed').to.equal(outcome);
      expect(to.offers).to.have.length(outcome === 'opened' ? refusals + 1 : refusals);
    });

  it('does not ask again for a tunnel that was reset for another reason', () => {
    const to = serve({
      onConnect: (offer) => {
        offer.tunnel.reset(ErrorCode.CONNECT_ERROR);
        return new RecordingSink();
      },
    });
    const { sink } = ask(pool(), to.address);
    turnUntil(reactor, 'the end', () => sink.closed);
    settle(reactor);
    expect(to.offers).to.have.length(1);
  });

  it('shares connections only where source address, identity and server agree', () => {
    const to = serve();
    const from = pool();
    ask(from, to.address);
    ask(from, to.address, { sourceIp: '10.0.0.9' });
    expect(from.connectionCount).to.equal(2);
    turnUntil(reactor, 'both', () => to.sinks.length === 2);
    expect(to.connections).to.have.length(2);
  });

  it('opens another connection when one has all its tunnels, and goes back to it when one ends', () => {
    const to = serve();
    const from = pool({ maxTunnelsPerConnection: 2 });
    const asked = Array.from({ length: 5 }, () => ask(from, to.address));
    turnUntil(reactor, 'five tunnels', () => asked.every(({ sink }) => sink.opened !== undefined));
    expect(to.connections.map((each) => each.activeTunnels)).to.deep.equal([2, 2, 1]);
    asked[0]!.sink.tunnel!.reset();
    turnUntil(reactor, 'the end of one', () => to.connections[0]!.activeTunnels === 1);
    ask(from, to.address);
    expect(from.connectionCount).to.equal(3);
    turnUntil(reactor, 'it to be used again', () => to.connections[0]!.activeTunnels === 2);
  });

  it('leaves a connection after GOAWAY; its tunnels go on to their end', () => {
    const to = serve();
    const from = pool();
    const first = ask(from, to.address).sink;
    turnUntil(reactor, 'a tunnel', () => first.opened !== undefined);
    to.connections[0]!.drain();
    settle(reactor);
    const second = ask(from, to.address).sink;
    turnUntil(reactor, 'a tunnel in a new connection', () => second.opened !== undefined);
    expect(to.connections).to.have.length(2);
    first.send('still there');
    turnUntil(reactor, 'bytes', () => to.sinks[0]!.received.toString() === 'still there');
    first.tunnel!.end();
    to.sinks[0]!.tunnel!.end();
    turnUntil(reactor, 'the first connection to close', () => to.gone.length === 1);
    expect(to.gone[0]!.code).to.equal('shut-down');
    expect(first).to.include({ closed: true, error: undefined });
    turnUntil(reactor, 'the pool to forget it', () => from.connectionCount === 1);
  });

  it('a server that drains while a client still shakes hands tells it at once', () => {
    const to = serve();
    const from = pool();
    const { sink } = ask(from, to.address);
    turnUntil(reactor, 'the socket', () => to.connections.length === 1);
    expect(to.connections[0]!.state).to.equal('handshaking');
    to.connections[0]!.drain();
    turnUntil(reactor, 'the tunnel, which was on its way', () => sink.opened !== undefined);
    sink.tunnel!.end();
    to.sinks[0]!.tunnel!.end();
    turnUntil(reactor, 'the connection to close', () => from.connectionCount === 0);
  });

  it('an address that has another workload now is dialled anew', () => {
    const to = serve();
    const from = pool();
    const old = ask(from, to.address, { workload: 'old' });
    turnUntil(reactor, 'the first', () => old.sink.opened !== undefined);
    const young = ask(from, to.address, { workload: 'young' });
    turnUntil(reactor, 'the second', () => young.sink.opened !== undefined);
    expect(to.connections).to.have.length(2);
  });

  for (const [what, hasAddress, left] of [
    ['leaves a workload that is gone; its tunnels go on to their end', (): boolean => false, 0],
    ['keeps a workload that has changed and has its address', (ip: string): boolean => ip === '127.0.0.1', 1],
  ] as const)
    it(what, () => {
      const to = serve();
      const directory = new PoolDirectory();
      const pools = [pool({}, directory), pool({}, directory)];
      const asked = pools.map((from) => ask(from, to.address, { workload: 'pod' }));
      turnUntil(reactor, 'two tunnels', () => asked.every(({ sink }) => sink.opened !== undefined));
      directory.onWorkloadChange('another', hasAddress);
      directory.onWorkloadChange('pod', hasAddress);
      settle(reactor);
      expect(asked.map(({ sink }) => sink.closed)).to.deep.equal([false, false]);
      for (const { sink } of asked) sink.tunnel!.reset(ErrorCode.CANCEL);
      settle(reactor);
      expect(pools.map((each) => each.connectionCount)).to.deep.equal([left, left]);
    });

  it('a dial that is under way when its workload goes serves who waits, and then closes', () => {
    const to = serve();
    const directory = new PoolDirectory();
    const from = pool({}, directory);
    const { sink } = ask(from, to.address, { workload: 'pod' });
    directory.onWorkloadChange('pod', () => false);
    turnUntil(reactor, 'the tunnel', () => sink.opened !== undefined);
    sink.tunnel!.reset(ErrorCode.CANCEL);
    turnUntil(reactor, 'the connection to close', () => from.connectionCount === 0);
  });

  it('a server that falls silent gets no new tunnels there; who comes then goes another way, and what is open stays', () => {
    const to = serve();
    const from = pool({ doubtMs: 40 });
    const first = ask(from, to.address).sink;
    turnUntil(reactor, 'a tunnel', () => first.opened !== undefined);
    settle(reactor);
    freeze(to.connections[0]!);
    const pass = (ms: number): void => {
      const sinceMs = reactor.nowMs;
      turnUntil(reactor, 'time to pass', () => reactor.nowMs - sinceMs >= ms);
    };
    pass(30);
    const second = ask(from, to.address).sink;
    expect(second.tunnel, 'nothing is known against it yet').to.not.equal(undefined);
    pass(45);
    const third = ask(from, to.address).sink;
    turnUntil(reactor, 'a tunnel in another connection', () => third.opened !== undefined);
    expect(to.connections).to.have.length(2);
    expect([first.closed, second.closed, second.opened]).to.deep.equal([false, false, undefined]);
    pass(45);
    expect(ask(from, to.address).sink.tunnel, 'one that answers is not doubted').to.not.equal(undefined);
    expect(from.connectionCount).to.equal(2);
  });

  it('closes a connection that nobody has used for a while', () => {
    const to = serve();
    const from = pool({ idleReleaseMs: 30 });
    const { sink } = ask(from, to.address);
    turnUntil(reactor, 'a tunnel', () => sink.opened !== undefined);
    const openedAtMs = reactor.nowMs;
    while (reactor.nowMs < openedAtMs + 80) reactor.turn(10);
    expect(from.connectionCount, 'in use all the time').to.equal(1);
    sink.tunnel!.reset();
    const idleAtMs = reactor.nowMs;
    turnUntil(reactor, 'the release', () => from.connectionCount === 0);
    expect(reactor.nowMs - idleAtMs).to.be.at.least(29);
    turnUntil(reactor, 'the server to notice', () => to.gone.length === 1);
  });

  it('gives up a dial that is not answered, and says what may block it', () => {
    const to = deaf();
    const from = pool({ dialTimeoutMs: 50 });
    // The kernel completes one or two handshakes for the queue; one after them stays unanswered.
    const asked = Array.from({ length: 8 }, (_, i) => ask(from, to, { sourceIp: `10.0.0.${i}` }).sink);
    turnUntil(reactor, 'one to give up', () => asked.some((sink) => sink.error?.code === 'dial-timeout'));
    const { error } = asked.find((sink) => sink.error?.code === 'dial-timeout')!;
    expect(error!.message).to.include('NetworkPolicy').and.include('15008');
    expect(error!.responseFlag).to.equal('NETWORK_POLICY');
  });

  it('tells all who wait when a dial fails, and dials anew for the next', () => {
    const from = pool();
    const nobody = { ip: '127.0.0.1', port: 1 };
    const asked = [ask(from, nobody).sink, ask(from, nobody).sink];
    turnUntil(reactor, 'the refusal', () => asked.every((sink) => sink.closed));
    for (const { error } of asked) expect(error).to.include({ code: 'dial-failed', reason: 'ECONNREFUSED' });
    expect(from.connectionCount).to.equal(0);
    const next = ask(from, nobody).sink;
    turnUntil(reactor, 'the refusal', () => next.closed);
  });

  it('tells of an address that cannot even be dialled, without throwing', () => {
    const from = pool();
    const { sink } = ask(from, { ip: '255.255.255.255', port: 1 });
    turnUntil(reactor, 'the failure', () => sink.closed);
    expect(sink.error!.code).to.equal('dial-failed');
    expect(from.connectionCount).to.equal(0);
  });

  it('tells of a certificate that was closed meanwhile, without throwing or losing the socket', () => {
    const to = serve();
    const from = pool();
    context.close();
    const { sink } = ask(from, to.address);
    expect(sink.error!.code).to.equal('dial-failed');
    expect(from.connectionCount).to.equal(0);
  });

  it('gives up a server that does not shake hands', () => {
    const accepted: { close(): void }[] = [];
    const handler = {
      onAccept: (socket: { close(): void }) => void accepted.push(socket),
      onAcceptPaused: () => undefined,
      onAcceptResumed: () => undefined,
      onFault: () => undefined,
    };
    const at = { ip: '127.0.0.1', port: 0 };
    const listener = new TcpListener(reactor, at, { backlog: 8, reusePort: false }, handler);
    listener.start();
    close.push(() => {
      listener.close();
      for (const socket of accepted) socket.close();
    });
    const from = pool({ handshakeTimeoutMs: 50 });
    const { sink } = ask(from, listener.localAddress());
    turnUntil(reactor, 'the end of patience', () => sink.closed);
    expect(sink.error).to.include({ code: 'handshake-timeout', responseFlag: 'TLS_FAILURE' });
  });

  it('a request that is cancelled is not told anything, and harms nobody behind it', () => {
    const to = serve();
    const from = pool();
    const first = ask(from, to.address);
    const second = ask(from, to.address);
    first.pending.cancel();
    turnUntil(reactor, 'the second', () => second.sink.opened !== undefined);
    settle(reactor);
    expect(first.sink).to.include({ tunnel: undefined, closed: false });
    expect(to.offers).to.have.length(1);
    second.pending.cancel(); // it has its tunnel: nothing happens
    expect(second.sink.tunnel!.closed).to.equal(false);
  });

  it('a request that cannot be put into headers fails alone', () => {
    const to = serve();
    const from = pool();
    const bad = ask(from, to.address, { baggage: 'a\nb' }).sink;
    const good = ask(from, to.address).sink;
    turnUntil(reactor, 'the good one', () => good.opened !== undefined);
    expect(bad.error).to.include({ code: 'defect' });
    const late = ask(from, to.address, { baggage: 'a\0b' }).sink;
    expect(late.error).to.include({ code: 'defect' });
    expect(to.offers).to.have.length(1);
  });

  for (const [status, flag, reason] of [
    [400, 'CONNECT', 'refused-400'],
    [401, 'DENY', 'refused-401'],
    [404, 'CONNECT', 'refused'],
    [503, 'CONNECT', 'refused-503'],
  ] as const)
    it(`tells the refusal ${status}, and keeps the connection`, () => {
      const to = serve({ onConnect: () => status });
      const from = pool();
      const { sink } = ask(from, to.address);
      turnUntil(reactor, 'the answer', () => sink.closed);
      expect(sink.error).to.include({ code: 'refused', status, responseFlag: flag, reason });
      expect(sink.opened).to.equal(undefined);
      expect(from.connectionCount).to.equal(1);
      turnUntil(reactor, 'the end of the stream', () => to.connections[0]!.activeTunnels === 0);
    });

  it('tells every tunnel when its connection is lost', () => {
    const to = serve();
    const from = pool();
    const asked = [ask(from, to.address).sink, ask(from, to.address).sink];
    turnUntil(reactor, 'two tunnels', () => asked.every((sink) => sink.opened !== undefined));
    to.connections[0]!.fail(over);
    turnUntil(reactor, 'the loss', () => asked.every((sink) => sink.closed));
    for (const { error } of asked) expect(error!.code).to.equal('connection-lost');
    expect(from.connectionCount).to.equal(0);
  });

  it('drains: idle connections close, those in use close with their last tunnel', () => {
    const to = serve();
    const from = pool();
    const used = ask(from, to.address).sink;
    const idle = ask(from, to.address, { sourceIp: '10.0.0.9' }).sink;
    turnUntil(reactor, 'two tunnels', () => used.opened !== undefined && idle.opened !== undefined);
    idle.tunnel!.reset();
    from.drain();
    expect(from.draining).to.equal(true);
    turnUntil(reactor, 'the idle one to close', () => from.connectionCount === 1);
    used.tunnel!.reset();
    turnUntil(reactor, 'the other to close', () => from.connectionCount === 0);
  });

  it('closes at once: those who wait and those who carry are told', () => {
    const to = serve();
    const from = pool();
    const carried = ask(from, to.address).sink;
    turnUntil(reactor, 'a tunnel', () => carried.opened !== undefined);
    const waits = ask(from, to.address, { sourceIp: '10.0.0.9' }).sink;
    from.close();
    expect(carried.error!.code).to.equal('shut-down');
    expect(waits.error!.code).to.equal('shut-down');
    expect(from.connectionCount).to.equal(0);
  });
});
