import type { TunnelOffer } from '@ambient/hbone';
import { ClientConnection, HboneError, defaultHboneSettings } from '@ambient/hbone';
import {
  RecordingSink,
  TestIdentities,
  TestServer,
  settle,
  testReactor,
  turnUntil,
} from '@ambient/hbone/testing';
import type { Reactor, TcpSocket } from '@ambient/linux';
import { openDescriptors, READABLE, WRITABLE } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import { expect } from 'chai';
import { registerAsDialled, socketPair } from '../testing/socket-pair.ts';
import { TestApplication } from '../testing/test-application.ts';
import { TunnelRelay } from './tunnel-relay.ts';

const client = 'spiffe://cluster.local/ns/a/sa/client';
const server = 'spiffe://cluster.local/ns/a/sa/server';
const over = new HboneError('shut-down', 'the test is over');

describe('TunnelRelay', () => {
  let identities: TestIdentities;
  let reactor: Reactor;
  let context: TlsContext;
  let openBefore: number;
  let far: TestServer;
  let connection: ClientConnection;
  /** The application, whose socket `relay` carries. */
  let application: TestApplication;
  let socket: TcpSocket;
  let relay: TunnelRelay;
  /** The other end of the tunnel. */
  let sink: RecordingSink;
  let offer: TunnelOffer;
  let ends: (Error | undefined)[];
  let preamble: Buffer | undefined;
  let watched: boolean;

  before(async () => {
    identities = await TestIdentities.issue([client, server]);
  });
  beforeEach(() => {
    openBefore = openDescriptors().length;
    reactor = testReactor();
    context = identities.context(client, 'client');
    sink = new RecordingSink();
    ends = [];
    preamble = undefined;
    watched = false;
    far = new TestServer(reactor, identities.context(server, 'server'), {
      onConnect: (each) => {
        offer = each;
        sink.tunnel = each.tunnel;
        return sink;
      },
    });
    connection = new ClientConnection(reactor, defaultHboneSettings, () => undefined, 'far', {
      onOpen: () => undefined,
      onTunnelClosed: () => undefined,
      onGone: () => undefined,
    });
    connection.dial(far.address, context, {}, undefined);
    turnUntil(reactor, 'the connection', () => connection.state === 'open');
    const pair = socketPair(reactor);
    application = new TestApplication(reactor, pair.dialled);
    socket = pair.accepted;
    relay = new TunnelRelay(reactor, {
      onTunnelOpen: () => {
        if (watched) {
          relay.attachWatched();
          return;
        }
        registerAsDialled(reactor, socket);
        relay.attachDialled(socket, READABLE, preamble);
      },
      onRelayEnd: (error) => {
        if (!socket.closed) socket.abort();
        ends.push(error);
      },
    });
  });
  afterEach(() => {
    relay.fail(over);
    connection.fail(over);
    far.close(over);
    application.close();
    context.close();
    reactor.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  const until = (what: string, holds: () => boolean): void => {
    turnUntil(reactor, what, holds, 20_000);
  };

  /** From now on the socket is an application's that has connected to us, not one that we have dialled. */
  function watch(): void {
    watched = true;
    relay.watchSocket(socket);
  }

  /** Asks for the tunnel. */
  function ask(): void {
    relay.attachTunnel(connection.openTunnel({ authority: 'x:1' }, relay)!);
    until('the request', () => far.offers.length === 1);
  }

  /** Asks for the tunnel and has it. */
  function open(): void {
    ask();
    offer.accept([]);
    settle(reactor, 3);
  }

  it('carries what the application sent before the tunnel stood', () => {
    application.send('early');
    application.socket.shutdownWrite();
    settle(reactor, 3);
    open();
    until('the end', () => sink.ended);
    expect(sink.received.toString()).to.equal('early');
    expect(relay.sentToTunnel).to.equal(5);
  });

  it('goes on from the tunnel when the application has ended, and then ends well', () => {
    open();
    application.send('question');
    application.socket.shutdownWrite();
    until('the end of the question', () => sink.ended);
    sink.sendPattern(3_000_000, true);
    until('the answer', () => application.ended);
    expect(application.receivedBytes).to.equal(3_000_000);
    expect(application.patternHolds).to.equal(true);
    expect(ends).to.deep.equal([undefined]);
    expect(relay.receivedFromTunnel).to.equal(3_000_000);
    until('the end of the stream', () => connection.activeTunnels === 0 && sink.closed);
    expect(sink.error).to.equal(undefined);
  });

  it('goes on from the application when the tunnel has ended, and then ends well', () => {
    open();
    sink.tunnel!.end();
    until('the end at the application', () => application.ended);
    sink.keep = false;
    application.sendPattern(3_000_000, true);
    until('the rest', () => sink.ended);
    expect(sink.receivedBytes).to.equal(3_000_000);
    expect(ends).to.deep.equal([undefined]);
  });

  it('carries 24 MiB both ways at once unchanged', () => {
    const total = 24 * 1024 * 1024;
    open();
    sink.keep = application.keep = false;
    application.sendPattern(total, true);
    sink.sendPattern(total, true);
    until('both ends', () => sink.ended && application.ended);
    expect([sink.receivedBytes, application.receivedBytes]).to.deep.equal([total, total]);
    expect(application.patternHolds).to.equal(true);
    expect(ends).to.deep.equal([undefined]);
  });

  it('lets a peer send no more than the window while the application does not read, and gives it back as it does', () => {
    open();
    application.reading = false;
    application.keep = false;
    const total = 32 * 1024 * 1024;
    sink.sendPattern(total, true);
    settle(reactor, 100);
    // The window of the tunnel, and what the kernel holds for the application.
    expect(sink.sent).to.be.lessThan(16 * 1024 * 1024);
    application.resume();
    until('all of it', () => application.ended);
    expect(application.receivedBytes).to.equal(total);
    expect(application.patternHolds).to.equal(true);
  });

  it('stops reading from the application while the peer does not consume', () => {
    open();
    sink.consume = false;
    sink.keep = false;
    application.sendPattern(32 * 1024 * 1024, false);
    settle(reactor, 100);
    expect(relay.sentToTunnel).to.equal(defaultHboneSettings.streamWindowBytes);
    sink.consume = true;
    sink.tunnel!.consumed(sink.receivedBytes);
    until('the rest', () => sink.receivedBytes === 32 * 1024 * 1024);
  });

  it('sends a preamble ahead of everything, which is not counted', () => {
    preamble = Buffer.from('PREAMBLE ');
    open();
    sink.send('data');
    until('both', () => application.received.toString() === 'PREAMBLE data');
    expect(relay.receivedFromTunnel).to.equal(4);
  });

  it('keeps a preamble ahead of what came from the tunnel before it was attached, and the end behind', () => {
    const held = new TunnelRelay(reactor, {
      onTunnelOpen: () => undefined,
      onRelayEnd: (error) => ends.push(error),
    });
    held.attachTunnel(connection.openTunnel({ authority: 'x:1' }, held)!);
    until('the request', () => far.offers.length === 1);
    offer.accept([]);
    const total = 3_000_000;
    sink.sendPattern(total, true);
    settle(reactor, 50);
    expect(held.receivedFromTunnel, 'nothing has a place to go yet').to.equal(0);
    registerAsDialled(reactor, socket);
    held.attachDialled(socket, WRITABLE, Buffer.alloc(64 * 1024, 'p'));
    until('the end', () => application.ended);
    expect(application.receivedBytes).to.equal(64 * 1024 + total);
    expect(application.received.subarray(0, 64 * 1024).every((byte) => byte === 0x70)).to.equal(true);
    const body = application.received.subarray(64 * 1024);
    expect(body.every((byte, at) => byte === (at & 0xff))).to.equal(true);
    expect(held.receivedFromTunnel).to.equal(total);
    held.fail(over);
  });

  for (const [what, code] of [
    ['NO_ERROR', 0],
    ['CANCEL', 8],
  ] as const) {
    it(`takes ${what} for an ordinary end, after what came before it`, () => {
      open();
      sink.send('last words');
      sink.tunnel!.connection.requestFlush();
      sink.tunnel!.reset(code);
      until('the end at the application', () => application.ended);
      expect(application.received.toString()).to.equal('last words');
      expect(ends).to.deep.equal([undefined]);
    });

    it(`takes ${what} before the tunnel stands for a refusal`, () => {
      ask();
      offer.tunnel.reset(code);
      until('the end of the relay', () => relay.done);
      expect(ends[0]).to.include({ code: 'reset' });
      until('the reset at the application', () => application.failed);
    });
  }

  for (const [what, code] of [
    ['INTERNAL_ERROR', 2],
    ['REFUSED_STREAM', 7],
    ['CONNECT_ERROR', 10],
  ] as const)
    it(`passes ${what} on to the application as a reset`, () => {
      open();
      sink.tunnel!.reset(code);
      until('the reset at the application', () => application.failed);
      expect(ends[0]).to.include({ code: 'reset', http2Code: code });
    });

  it('passes the loss of the connection on as a reset', () => {
    open();
    far.connections[0]!.fail(over);
    until('the reset at the application', () => application.failed);
    expect(ends[0]).to.include({ code: 'connection-lost' });
  });

  it('passes a reset of the application on as an error', () => {
    open();
    application.abort();
    until('the reset of the tunnel', () => sink.closed);
    expect(sink.error).to.include({ http2Code: 10 });
    expect(ends[0]).to.include({ code: 'ECONNRESET' });
  });

  it('notices a reset of the application after it had ended its half', () => {
    open();
    application.socket.shutdownWrite();
    until('the end', () => sink.ended);
    application.abort();
    until('the reset of the tunnel', () => sink.closed);
    expect(sink.error).to.include({ http2Code: 10 });
    expect(ends).to.have.length(1);
  });

  it('notices an application that resets while the tunnel is asked for', () => {
    watch();
    ask();
    application.abort();
    until('the reset of the request', () => sink.closed);
    expect(ends[0]).to.include({ code: 'ECONNRESET' });
  });

  it('reads from an application that speaks only after the tunnel stands', () => {
    watch();
    open();
    application.send('late');
    until('the bytes', () => sink.received.toString() === 'late');
  });

  it('a watched application may send and end before the tunnel stands', () => {
    watch();
    application.send('early');
    application.socket.shutdownWrite();
    ask();
    settle(reactor, 5);
    offer.accept([]);
    until('the end', () => sink.ended);
    expect(sink.received.toString()).to.equal('early');
  });

  it('is cut with an error, once', () => {
    open();
    relay.fail(over);
    relay.fail(new Error('again'));
    expect(ends).to.deep.equal([over]);
    until('both ends to know', () => application.failed && sink.closed);
  });

  it('many relays of bulk share a connection evenly', () => {
    const relays = Array.from({ length: 4 }, () => {
      const pair = socketPair(reactor);
      const sender = new TestApplication(reactor, pair.dialled);
      const each: TunnelRelay = new TunnelRelay(reactor, {
        onTunnelOpen: () => {
          registerAsDialled(reactor, pair.accepted);
          each.attachDialled(pair.accepted, READABLE);
        },
        onRelayEnd: () => undefined,
      });
      return { each, sender };
    });
    const sinks: RecordingSink[] = [];
    const server2 = new TestServer(reactor, identities.context(server, 'server'), {
      onConnect: (offered) => {
        const other = new RecordingSink();
        other.tunnel = offered.tunnel;
        other.keep = false;
        sinks.push(other);
        offered.accept([]);
        return other;
      },
    });
    const shared = new ClientConnection(reactor, defaultHboneSettings, () => undefined, 'far', {
      onOpen: () => undefined,
      onTunnelClosed: () => undefined,
      onGone: () => undefined,
    });
    shared.dial(server2.address, context, {}, undefined);
    until('the connection', () => shared.state === 'open');
    for (const { each, sender } of relays) {
      each.attachTunnel(shared.openTunnel({ authority: 'x:1' }, each)!);
      sender.sendPattern(64 * 1024 * 1024, false);
    }
    until('bulk to flow', () => relays.some(({ each }) => each.sentToTunnel >= 24 * 1024 * 1024));
    const moved = relays.map(({ each }) => each.sentToTunnel);
    expect(Math.min(...moved) / Math.max(...moved), moved.join(' ')).to.be.greaterThan(0.6);
    for (const { each, sender } of relays) {
      each.fail(over);
      sender.close();
    }
    shared.fail(over);
    server2.close(over);
  });
});
