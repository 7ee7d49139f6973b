import type { Reactor } from '@ambient/linux';
import { IoBuffer, TcpListener, TcpSocket, openDescriptors } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import { expect } from 'chai';
import { ClientConnection } from './client-connection.ts';
import { HboneError } from './errors.ts';
import type { HboneSettings } from './settings.ts';
import { defaultHboneSettings } from './settings.ts';
import type { TestServerOptions } from './testing/index.ts';
import {
  RecordingSink,
  TestIdentities,
  TestServer,
  freeze,
  settle,
  testReactor,
  turnUntil,
} from './testing/index.ts';

const client = 'spiffe://cluster.local/ns/a/sa/client';
const server = 'spiffe://cluster.local/ns/a/sa/server';
const over = new HboneError('shut-down', 'the test is over');
const MIB = 1024 * 1024;

describe('HBONE connections', () => {
  let identities: TestIdentities;
  let foreign: TestIdentities;
  let reactor: Reactor;
  let openBefore: number;
  let close: (() => void)[];

  before(async () => {
    identities = await TestIdentities.issue([client, server]);
    foreign = await TestIdentities.issue([client]);
  });
  beforeEach(() => {
    openBefore = openDescriptors().length;
    reactor = testReactor();
    close = [];
  });
  afterEach(() => {
    for (const each of close.reverse()) each();
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  function serve(options: TestServerOptions = {}): TestServer {
    const made = new TestServer(reactor, identities.context(server, 'server'), options);
    close.push(() => {
      made.close(over);
    });
    return made;
  }

  interface Dialled {
    readonly connection: ClientConnection;
    readonly gone: HboneError[];
    /** Opens a tunnel. */
    ask(): RecordingSink;
  }

  function dial(
    to: { readonly address: TestServer['address'] },
    change: {
      settings?: Partial<HboneSettings>;
      context?: TlsContext;
      verify?: () => HboneError | undefined;
    } = {},
  ): Dialled {
    const gone: HboneError[] = [];
    const context = change.context ?? identities.context(client, 'client');
    const settings = { ...defaultHboneSettings, ...change.settings };
    const connection = new ClientConnection(reactor, settings, change.verify ?? (() => undefined), 'far', {
      onOpen: () => undefined,
      onTunnelClosed: () => undefined,
      onGone: (_, error) => gone.push(error),
    });
    connection.dial(to.address, context, {}, undefined);
    context.close();
    close.push(() => {
      connection.fail(over);
    });
    return {
      connection,
      gone,
      ask: () => {
        const sink = new RecordingSink();
        sink.tunnel = connection.openTunnel({ authority: '10.0.0.1:80' }, sink)!;
        return sink;
      },
    };
  }

  function opened(dialled: Dialled): Dialled {
    turnUntil(reactor, 'the connection', () => dialled.connection.state === 'open');
    return dialled;
  }

  const until = (what: string, holds: () => boolean): void => {
    turnUntil(reactor, what, holds, 20_000);
  };

  describe('their beginning', () => {
    it('the client judges the server, and says nothing to one that it does not trust', () => {
      const far = serve();
      const refusal = new HboneError('peer-identity', 'not you');
      const { gone } = dial(far, { verify: () => refusal });
      until('the end', () => gone.length === 1);
      expect(gone[0]).to.equal(refusal);
      until('the server to know', () => far.gone.length === 1);
      expect(far.offers).to.have.length(0);
    });

    it('the server judges the client, and takes no request of one that it does not trust', () => {
      const far = serve({ verifyClient: () => new HboneError('peer-identity', 'not you') });
      const dialled = dial(far);
      until('the end', () => dialled.gone.length === 1);
      expect(far.gone[0]!.code).to.equal('peer-identity');
      expect(far.offers).to.have.length(0);
    });

    it('a client with a certificate of another CA is told by an alert', () => {
      const far = serve();
      const dialled = dial(far, { context: foreign.context(client, 'client') });
      until('the end', () => dialled.gone.length === 1 && far.gone.length === 1);
      expect(far.gone[0]!.code).to.equal('tls-failed');
      expect(dialled.gone[0]).to.include({ code: 'tls-failed', responseFlag: 'TLS_FAILURE' });
    });

    it('a peer that sends garbage, or ends, harms nobody else', () => {
      const far = serve();
      const good = opened(dial(far));
      const raw = TcpSocket.dial(far.address);
      until('the socket', () => far.connections.length === 2);
      const noise = new IoBuffer(16);
      noise.bytes.write('GET / HTTP/1.1\r\n');
      raw.send(noise, 0, 16);
      until('the end', () => far.gone.length === 1);
      expect(far.gone[0]).to.include({ code: 'tls-failed', reason: 'not-tls' });
      raw.close();
      const silent = TcpSocket.dial(far.address);
      silent.shutdownWrite();
      until('another end', () => far.gone.length === 2);
      expect(far.gone[1]).to.include({ code: 'tls-failed', reason: 'connection-lost' });
      silent.close();
      const sink = good.ask();
      until('a tunnel', () => sink.opened !== undefined);
    });

    it('a client that never sends a preface is let go', () => {
      const far = serve({ settings: { handshakeTimeoutMs: 50 } });
      const raw = TcpSocket.dial(far.address);
      until('the end of patience', () => far.gone.length === 1);
      expect(far.gone[0]).to.include({ code: 'handshake-timeout' });
      raw.close();
    });
  });

  describe('the machine at the other end', () => {
    const name = 'restoreCongestionControl';
    const method = Object.getOwnPropertyDescriptor(TcpSocket.prototype, name)!;
    let restored: number;
    beforeEach(() => {
      restored = 0;
      const value = function (this: TcpSocket): void {
        restored++;
        Reflect.apply(method.value as () => void, this, []);
      };
      Object.defineProperty(TcpSocket.prototype, name, { ...method, value });
    });
    afterEach(() => {
      Object.defineProperty(TcpSocket.prototype, name, method);
    });

    for (const [title, own, others, ends] of [
      ['is this one: both ends keep what is for connections within a machine', 7, 7, 0],
      ['is another one: both ends get the congestion control of the network', 7, 8, 2],
      ['is not told by the client: both ends get it as well', undefined, 7, 2],
      ['is told by nobody', undefined, undefined, 2],
    ] as const)
      it(title, () => {
        const { address } = serve({ settings: { machineId: others } });
        const sink = dial({ address }, { settings: { machineId: own } }).ask();
        turnUntil(reactor, 'the tunnel', () => sink.opened !== undefined);
        turnUntil(reactor, 'the settings of both', () => restored >= ends);
        expect(restored).to.equal(ends);
      });
  });

  describe('their end', () => {
    it('half-closes in both orders', () => {
      const far = serve();
      const near = opened(dial(far));
      const [first, second] = [near.ask(), near.ask()];
      until('two tunnels', () => second.opened !== undefined);
      first.send('a');
      first.tunnel!.end();
      far.sinks[1]!.send('b');
      far.sinks[1]!.tunnel!.end();
      until('the ends', () => far.sinks[0]!.ended && second.ended);
      far.sinks[0]!.sendPattern(1000, true);
      second.sendPattern(1000, true);
      until('both to close', () => first.closed && second.closed);
      expect([first.error, second.error]).to.deep.equal([undefined, undefined]);
      expect([first.receivedBytes, far.sinks[1]!.receivedBytes]).to.deep.equal([1000, 1000]);
      until('no tunnel left', () => far.connections[0]!.activeTunnels === 0);
    });

    for (const [who, code] of [
      ['client', 2],
      ['server', 5],
    ] as const)
      it(`a reset by the ${who} is told to the other with its code`, () => {
        const far = serve();
        const near = opened(dial(far)).ask();
        until('a tunnel', () => near.opened !== undefined);
        const [one, other] = who === 'client' ? [near, far.sinks[0]!] : [far.sinks[0]!, near];
        one.tunnel!.reset(code);
        until('the other to know', () => other.closed);
        expect(other.error).to.include({ code: 'reset', http2Code: code });
        expect(one.closed, 'who resets is not told').to.equal(false);
        expect(one.tunnel!.prepareWrite(10)).to.equal(0);
      });

    it('a client that releases a connection with tunnels lets them end', () => {
      const far = serve();
      const near = opened(dial(far));
      const sink = near.ask();
      until('a tunnel', () => sink.opened !== undefined);
      near.connection.release();
      settle(reactor);
      expect(near.connection.available).to.equal(false);
      sink.send('after the GOAWAY');
      until('bytes', () => far.sinks[0]!.receivedBytes > 0);
      sink.tunnel!.reset();
      until('the end', () => near.gone.length === 1 && far.gone.length === 1);
      expect(near.gone[0]!.code).to.equal('shut-down');
      expect(far.gone[0]!.code).to.equal('shut-down');
    });

    it('a connection whose peer does not take its last bytes is closed all the same, and says so', () => {
      const far = serve({ settings: { handshakeTimeoutMs: 60 } });
      const near = opened(
        dial(far, { settings: { streamWindowBytes: 64 * MIB, connectionWindowBytes: 64 * MIB } }),
      );
      const sink = near.ask();
      sink.keep = false;
      until('a tunnel', () => sink.opened !== undefined);
      near.connection.release();
      settle(reactor);
      freeze(near.connection); // the client stops reading its socket
      far.sinks[0]!.sendPattern(64 * MIB, false);
      settle(reactor, 20);
      far.sinks[0]!.tunnel!.reset();
      settle(reactor, 2);
      expect(far.connections[0]!.state).to.equal('closing');
      until('the end of patience', () => far.gone.length === 1);
      expect(far.gone[0]!.code).to.equal('shut-down');
    });
  });

  describe('PING', () => {
    const settings = { pingIntervalMs: 25, pingTimeoutMs: 60 };

    it('an idle connection with a peer that answers stays', () => {
      const far = serve({ settings });
      const near = opened(dial(far, { settings }));
      const fromMs = reactor.nowMs;
      until('five intervals to pass', () => reactor.nowMs > fromMs + 150);
      expect([near.connection.state, far.connections[0]!.state]).to.deep.equal(['open', 'open']);
    });

    it('a peer that is gone without a word is noticed', () => {
      const far = serve();
      const near = opened(dial(far, { settings }));
      const sink = near.ask();
      until('a tunnel', () => sink.opened !== undefined);
      freeze(far.connections[0]!);
      until('the end', () => near.gone.length === 1);
      expect(near.gone[0]).to.include({ code: 'ping-timeout' });
      expect(sink.error).to.include({ code: 'ping-timeout' });
    });
  });

  describe('flow control', () => {
    it('a peer sends no more on a tunnel than its window, until bytes are consumed', () => {
      const far = serve();
      const sink = opened(dial(far)).ask();
      until('a tunnel', () => sink.opened !== undefined);
      far.sinks[0]!.consume = false;
      far.sinks[0]!.keep = false;
      sink.sendPattern(32 * MIB, false);
      settle(reactor, 100);
      expect(far.sinks[0]!.receivedBytes).to.equal(4 * MIB);
      far.sinks[0]!.tunnel!.consumed(2 * MIB);
      until('as many again', () => far.sinks[0]!.receivedBytes === 6 * MIB);
      settle(reactor, 20);
      expect(far.sinks[0]!.receivedBytes).to.equal(6 * MIB);
    });

    it('five tunnels that nobody consumes, more than the connection window, do not stall a sixth', () => {
      const far = serve();
      const near = opened(dial(far));
      const sinks = Array.from({ length: 6 }, () => near.ask());
      until('six tunnels', () => sinks.every((sink) => sink.opened !== undefined));
      for (const each of far.sinks) each.keep = false;
      for (const each of far.sinks.slice(0, 5)) each.consume = false;
      for (const each of sinks.slice(0, 5)) each.sendPattern(16 * MIB, false);
      until('five windows to fill', () =>
        far.sinks.slice(0, 5).every((each) => each.receivedBytes === 4 * MIB),
      );
      sinks[5]!.sendPattern(32 * MIB, true);
      until('the sixth', () => far.sinks[5]!.ended);
      expect(far.sinks[5]!.receivedBytes).to.equal(32 * MIB);
    });

    it('a connection lets its tunnels write in turn', () => {
      const far = serve();
      const near = opened(dial(far));
      const sinks = Array.from({ length: 8 }, () => near.ask());
      until('eight tunnels', () => sinks.every((sink) => sink.opened !== undefined));
      for (const each of far.sinks) each.keep = false;
      for (const each of sinks) each.sendPattern(64 * MIB, false);
      until('bulk to flow', () => far.sinks.some((each) => each.receivedBytes > 16 * MIB));
      const bytes = far.sinks.map((each) => each.receivedBytes);
      expect(Math.min(...bytes) / Math.max(...bytes), bytes.join(' ')).to.be.greaterThan(0.5);
    });

    it('small windows and frames carry bytes unchanged', () => {
      const small = { streamWindowBytes: 70_000, connectionWindowBytes: 70_000, maxFrameBytes: 16_384 };
      const far = serve({ settings: small });
      const sink = opened(dial(far, { settings: small })).ask();
      until('a tunnel', () => sink.opened !== undefined);
      sink.keep = far.sinks[0]!.keep = false;
      sink.sendPattern(2 * MIB, true);
      far.sinks[0]!.sendPattern(2 * MIB, true);
      until('both ends', () => sink.closed && far.sinks[0]!.closed);
      expect([sink.receivedBytes, far.sinks[0]!.receivedBytes]).to.deep.equal([2 * MIB, 2 * MIB]);
    });
  });

  describe('requests', () => {
    it('bytes that come before the answer are delivered, and held back by the window', () => {
      const held = new RecordingSink();
      held.consume = false;
      const far = serve({
        onConnect: (offer) => {
          held.tunnel = offer.tunnel;
          return held;
        },
      });
      const near = opened(dial(far)).ask();
      near.keep = false;
      until('the request', () => far.offers.length === 1);
      near.send('early');
      near.tunnel!.connection.requestFlush();
      until('the bytes', () => held.received.toString() === 'early');
      far.offers[0]!.accept(['baggage', 'x=y']);
      until('the answer', () => near.opened !== undefined);
      expect(near.opened!.slice(0, 4)).to.deep.equal([':status', '200', 'baggage', 'x=y']);
    });

    it('an offer that is answered twice, or after its end, is answered once', () => {
      const far = serve({ onConnect: () => new RecordingSink() });
      const near = opened(dial(far));
      const [one, two] = [near.ask(), near.ask()];
      until('two requests', () => far.offers.length === 2);
      far.offers[0]!.refuse(503);
      far.offers[0]!.refuse(400);
      far.offers[0]!.accept([]);
      two.tunnel!.reset();
      until('the answer', () => one.closed);
      expect(one.error).to.include({ status: 503 });
      settle(reactor);
      far.offers[1]!.accept([]);
      far.offers[1]!.refuse(503);
      settle(reactor);
      expect(near.connection.state).to.equal('open');
    });

    it('beyond what the server admits are refused, and the others go on', () => {
      const far = serve({ settings: { serverMaxTunnels: 2 } });
      const near = opened(dial(far));
      const sinks = [near.ask(), near.ask(), near.ask()]; // before its SETTINGS are known
      until('all answers', () => sinks.every((sink) => sink.opened !== undefined || sink.closed));
      expect(sinks.map((sink) => sink.error?.http2Code)).to.deep.equal([undefined, undefined, 7]);
      expect(near.connection.available, 'now its SETTINGS are known').to.equal(false);
    });
  });

  it('a listener and a client that never meet leave nothing behind', () => {
    const never = (): void => undefined;
    const handler = { onAccept: never, onAcceptPaused: never, onAcceptResumed: never, onFault: never };
    const at = { ip: '127.0.0.1', port: 0 };
    using listener = new TcpListener(reactor, at, { backlog: 4, reusePort: false }, handler);
    const near = dial({ address: listener.localAddress() });
    near.connection.fail(over);
    near.connection.fail(new HboneError('defect', 'again'));
    expect(near.gone).to.deep.equal([over]);
  });
});
