import type { Reactor } from '@ambient/linux';
import { openDescriptors } from '@ambient/linux';
import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import {
  CLIENT_PREFACE,
  connectFrame,
  dataFrame,
  frame,
  FrameType,
  goawayFrame,
  headersFrame,
  resetFrame,
  Setting,
  SETTINGS_ACK,
  settingsFrame,
  windowUpdateFrame,
} from '@ambient/testkit/hostile-peer';
import type { TlsContext } from '@ambient/tls';
import { expect } from 'chai';
import fc from 'fast-check';
import { HboneError, hboneFailures } from './errors.ts';
import {
  RecordingSink,
  settle,
  TestIdentities,
  TestServer,
  testReactor,
  turnUntil,
} from './testing/index.ts';
import { RawClient } from './testing/raw-client.ts';

const client = 'spiffe://cluster.local/ns/a/sa/client';
const server = 'spiffe://cluster.local/ns/a/sa/server';
const over = new HboneError('shut-down', 'the test is over');

/** A sink that counts its ends. */
class StrictSink extends RecordingSink {
  ends = 0;
  closes = 0;

  override onTunnelData(...given: Parameters<RecordingSink['onTunnelData']>): void {
    if (this.closes + this.ends > 0) throw new Error('bytes after the end');
    super.onTunnelData(...given);
  }

  override onTunnelWritable(): void {
    if (this.closes > 0) throw new Error('writable after the end');
    super.onTunnelWritable();
  }

  override onTunnelEnd(): void {
    if (++this.ends > 1 || this.closes > 0) throw new Error('a second end');
    super.onTunnelEnd();
  }

  override onTunnelClosed(error: HboneError | undefined): void {
    if (++this.closes > 1) throw new Error('closed twice');
    super.onTunnelClosed(error);
  }
}

const id = fc.constantFrom(1, 3, 5, 7);
const piece: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(id, fc.boolean()).map(([stream, end]) => connectFrame(stream, '10.0.0.1:80', end)),
  fc
    .tuple(id, fc.constantFrom('', 'x:1', 'GET'))
    .map(([stream, method]) =>
      headersFrame(stream, [
        ':method',
        method || 'CONNECT',
        ':authority',
        'x:1',
        'baggage',
        'a=b,'.repeat(20),
      ]),
    ),
  fc
    .tuple(id, fc.nat(20_000), fc.boolean())
    .map(([stream, size, end]) => dataFrame(stream, Buffer.alloc(size, 100), end)),
  id.map((stream) => resetFrame(stream, 'CANCEL')),
  fc
    .tuple(fc.constantFrom(0, 1, 3), fc.nat(100_000))
    .map(([stream, more]) => windowUpdateFrame(stream, more)),
  fc.constantFrom(0, 10, 70_000).map((window) => settingsFrame({ [Setting.INITIAL_WINDOW_SIZE]: window })),
  fc.constant(SETTINGS_ACK),
  fc.constant(frame(FrameType.PING, 0, 0, '12345678')),
  fc.constant(goawayFrame(0, 'NO_ERROR')),
);
/** Tried first: on a busy machine there is time for few cases, and most random ones make no tunnel. */
const orderly = Buffer.concat([CLIENT_PREFACE, settingsFrame(), connectFrame(1, 'x:1')]);
/** The orderly start comes through whole most of the time. */
const session = fc.oneof(
  {
    weight: 6,
    arbitrary: damagedBytes(
      fc.array(piece, { maxLength: 25, size: 'max' }).map((all) => Buffer.concat(all)),
    ).map((bytes) => Buffer.concat([CLIENT_PREFACE, settingsFrame(), bytes])),
  },
  {
    weight: 1,
    arbitrary: damagedBytes(fc.constant(orderly)),
  },
);
const habits = ['accept', 'refuse', 'later', 'reset', 'end', 'hold'] as const;
const habit = fc.constantFrom(...habits);

describe('an HBONE server under fuzz', () => {
  let identities: TestIdentities;
  let reactor: Reactor;
  let context: TlsContext;
  before(async () => {
    identities = await TestIdentities.issue([client, server]);
  });
  beforeEach(() => {
    reactor = testReactor();
    context = identities.context(client, 'client');
  });
  afterEach(() => {
    context.close();
    reactor.close();
  });

  it('tells each sink of one end, and its owner of one, whatever a client sends [fuzz]', () => {
    let tunnels = 0;
    fc.assert<[Buffer, (typeof habits)[number][], boolean]>(
      fc.property(
        session,
        fc.array(habit, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (bytes, ways, abrupt) => {
          const openBefore = openDescriptors().length;
          const sinks: StrictSink[] = [];
          const later: (() => void)[] = [];
          const to = new TestServer(reactor, identities.context(server, 'server'), {
            settings: { streamWindowBytes: 30_000, connectionWindowBytes: 70_000, maxHeldBytes: 60_000 },
            onConnect: (offer) => {
              const how = ways[sinks.length % ways.length]!;
              const sink = new StrictSink();
              sink.tunnel = offer.tunnel;
              sink.consume = how !== 'hold';
              if (how === 'refuse') return 503;
              sinks.push(sink);
              tunnels++;
              if (how === 'later') later.push(() => offer.accept([]));
              else offer.accept(['baggage', 'x=y']);
              if (how === 'accept') sink.sendPattern(50_000, true);
              if (how === 'end') offer.tunnel.end();
              if (how === 'reset') later.push(() => offer.tunnel.reset());
              return sink;
            },
          });
          const from = new RawClient(reactor, to.address, context);
          from.send(bytes);
          turnUntil(reactor, 'the bytes to go', () => from.sentAll);
          settle(reactor, 3);
          for (const act of later) act();
          settle(reactor, 3);
          if (!abrupt) to.connections[0]?.drain();
          from.close();
          turnUntil(reactor, 'the end', () => to.gone.length === to.connections.length);
          for (const error of to.gone)
            expect(hboneFailures).to.have.property(error.code).and.not.equal(undefined);
          for (const error of to.gone) expect(error.code, String(error.cause)).to.not.equal('defect');
          // A tunnel that was reset from this side is not told of it.
          for (const sink of sinks) expect(sink.closes === 1 || sink.tunnel!.closed).to.equal(true);
          to.close(over);
          expect(openDescriptors().length).to.equal(openBefore);
        },
      ),
      { ...fuzzBudget(), examples: habits.map((way) => [orderly, [way], false]) },
    );
    expect(tunnels, 'tunnels that came about').to.be.above(0);
  });
});
