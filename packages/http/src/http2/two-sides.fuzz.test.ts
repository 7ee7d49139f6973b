import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { FuzzSide } from '../testing/fuzz-side.ts';
import { REQUEST, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';

type Stream = FuzzSide['open'][number];

/** Something that a correct owner, or the network, may do at any time. */
class Step {
  readonly #label: string;
  readonly run: (client: FuzzSide, server: FuzzSide) => void;

  constructor(label: string, run: (client: FuzzSide, server: FuzzSide) => void) {
    this.#label = label;
    this.run = run;
  }

  /** What a counterexample shows. */
  [fc.toStringMethod](): string {
    return this.#label;
  }
}

const role = fc.constantFrom('client', 'server');
const size = fc.oneof(fc.nat(20), fc.nat(3000), fc.nat(200_000));
const pick = fc.nat(20);
const extra = fc
  .array(
    fc.tuple(fc.constantFrom('a', 'x-trace', 'baggage'), fc.constantFrom('', 'b', 'k=v', 'z'.repeat(200))),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.flat());

/** Something that one side does. */
const onSide = <V>(
  name: string,
  values: fc.Arbitrary<V>,
  act: (side: FuzzSide, value: V) => void,
): fc.Arbitrary<Step> =>
  fc
    .tuple(role, values)
    .map(
      ([of, value]) =>
        new Step(`${of} ${name} ${String(value)}`, (client, server) =>
          act(of === 'client' ? client : server, value),
        ),
    );

/** Something that one side does on one of its open streams. */
const onStream = <V>(
  name: string,
  values: fc.Arbitrary<V>,
  act: (stream: Stream, value: V, side: FuzzSide) => void,
): fc.Arbitrary<Step> =>
  fc.tuple(role, pick, values).map(([of, index, value]) => {
    return new Step(`${of} ${name} #${index} ${String(value)}`, (client, server) => {
      const side = of === 'client' ? client : server;
      const stream = side.open[index % Math.max(1, side.open.length)];
      if (stream !== undefined) act(stream, value, side);
    });
  });

const request = fc
  .tuple(fc.constantFrom(TUNNEL, UPLOAD, REQUEST), extra, fc.boolean())
  .map(([fields, more, end]) => {
    const ends = end && fields !== TUNNEL;
    return new Step(`request ${fields[1]}${ends ? ' end' : ''}`, (client) => {
      client.request([...fields, ...more], ends);
    });
  });
const respond = fc
  .tuple(pick, fc.constantFrom('103', '200', '200', '503'), extra, fc.boolean())
  .map(([index, status, more, end]) => {
    const ends = end && status !== '103';
    return new Step(`respond #${index} ${status}${ends ? ' end' : ''}`, (_, server) => {
      const waiting = server.open.filter((stream) => !stream.headersSent);
      waiting[index % Math.max(1, waiting.length)]?.sendHeaders([':status', status, ...more], ends);
    });
  });
const carry = fc.tuple(fc.boolean(), size).map(([up, bytes]) => {
  return new Step(`carry ${up ? 'up' : 'down'} ${bytes}`, (client, server) => {
    if (up) client.carry(server, bytes);
    else server.carry(client, bytes);
  });
});
const want = onStream('wants to send', size, (stream, bytes, side) => {
  if (stream.headersSent && !stream.localClosed) stream.context.unsent += bytes;
  side.send(stream);
});
const send = onStream('sends', size, (stream, bytes, side) => side.send(stream, bytes));
const end = onStream('ends', fc.constant(''), (stream) => {
  if (!stream.headersSent) return;
  stream.context.unsent = 0;
  stream.end();
});
const trail = onStream('sends trailers', fc.constant(''), (stream) => {
  if (!stream.headersSent || stream.context.tunnel) return;
  stream.context.unsent = 0;
  stream.sendTrailers(['x-checksum', 'c']);
});
const reset = onStream('resets', fc.nat(14), (stream, code, side) => {
  side.reset.add(stream.id);
  stream.reset(code);
});
const release = onStream('releases', size, (stream, bytes, side) => side.release(stream, bytes));
const releaseConnection = onSide('releases', size, (side, bytes) => side.releaseConnection(bytes));
const setWindow = onSide('sets its window to', size, (side, bytes) =>
  side.connection.setConnectionWindow(bytes),
);
const ping = onSide('pings', fc.nat(2 ** 31), (side, payload) => side.connection.ping(payload));

const steps = fc.oneof(
  { weight: 4, arbitrary: request },
  { weight: 4, arbitrary: respond },
  { weight: 6, arbitrary: want },
  { weight: 2, arbitrary: send },
  { weight: 2, arbitrary: end },
  { weight: 1, arbitrary: trail },
  { weight: 1, arbitrary: reset },
  { weight: 4, arbitrary: release },
  { weight: 4, arbitrary: releaseConnection },
  { weight: 1, arbitrary: setWindow },
  { weight: 1, arbitrary: ping },
  { weight: 12, arbitrary: carry },
);

const ending = onSide('begins its end', fc.constantFrom('now', 'gracefully', 'at last'), (side, how) => {
  if (how === 'now') side.connection.goaway(0, 'bye');
  else if (how === 'gracefully') side.connection.startShutdown();
  else side.connection.finishShutdown();
});

const settings = fc.record({
  initialWindowSize: fc.constantFrom(1, 100, 65_535, 70_000, 1 << 20),
  connectionWindowSize: fc.constantFrom(65_535, 70_000, 2 << 20),
  maxFrameSize: fc.constantFrom(16_384, 20_000, 1 << 20),
  maxConcurrentStreams: fc.constantFrom(1, 3, 200),
  headerTableSize: fc.constantFrom(0, 60, 4096, 8192),
});

/** Carries, consumes and sends on, until nothing is left to do. */
function settle(client: FuzzSide, server: FuzzSide): void {
  for (let busy = true; busy;) {
    busy = client.carry(server, Infinity);
    busy = server.carry(client, Infinity) || busy;
    for (const side of [client, server]) {
      side.connection.setConnectionWindow(Number.MAX_SAFE_INTEGER);
      side.releaseConnection(Infinity);
      for (const stream of [...side.open]) {
        side.release(stream, Infinity);
        side.send(stream);
      }
      side.flush();
      busy ||= side.wire.length > 0;
    }
  }
}

/** A window of one byte moves a byte per turn: what is left is kept in proportion. */
function keepShort(side: FuzzSide, window: number): void {
  for (const stream of side.open) stream.context.unsent = Math.min(stream.context.unsent, window * 5);
}

/** Answers and ends whatever is open. */
function finish(client: FuzzSide, server: FuzzSide): void {
  for (const stream of [...server.open])
    if (!stream.headersSent) stream.sendHeaders([':status', '200'], false);
  for (const side of [client, server]) for (const stream of [...side.open]) stream.end();
}

/**
 * Bytes that `to` has taken and not granted again, of the window of its connection. With everything consumed that is less
 * than a quarter of the window; and with one more byte than that, nothing may be left.
 */
function outstanding(from: FuzzSide, to: FuzzSide, window: number): number {
  return window - (65_535 + to.totals().granted - from.totals().data);
}

function expectNoLeak(from: FuzzSide, to: FuzzSide, window: number, exchange: (bytes: number) => void): void {
  const left = outstanding(from, to, window);
  const threshold = window >>> 2;
  expect(left).to.be.within(0, threshold - 1);
  exchange(threshold - left);
  expect(outstanding(from, to, window)).to.equal(0);
}

describe('two correct sides of HTTP/2', () => {
  it('never accuse each other, lose no byte, leak no window, and end every stream on both sides [fuzz]', () => {
    fc.assert(
      fc.property(
        settings,
        settings,
        fc.array(fc.oneof({ weight: 100, arbitrary: steps }, { weight: 1, arbitrary: ending }), {
          minLength: 5,
          maxLength: 150,
          size: 'max',
        }),
        (ofClient, ofServer, script) => {
          const client = new FuzzSide('client', ofClient);
          const server = new FuzzSide('server', ofServer);
          for (const step of script) step.run(client, server);
          keepShort(client, ofServer.initialWindowSize);
          keepShort(server, ofClient.initialWindowSize);
          settle(client, server);
          finish(client, server);
          settle(client, server);
          expect([client.error?.message, server.error?.message]).to.deep.equal([undefined, undefined]);
          expect([client.open.length, server.open.length]).to.deep.equal([0, 0]);
          const cut = new Set([...client.died, ...client.reset, ...server.died, ...server.reset]);
          for (const [id, up] of client.all) {
            const down = server.all.get(id);
            if (down === undefined) expect(cut).to.include(id);
            else if (!cut.has(id)) {
              expect([down.received, up.received]).to.deep.equal([up.sent, down.sent]);
              expect([up.unsent, down.unsent]).to.deep.equal([0, 0]);
            }
          }
          if (!client.connection.canRequest) return;
          expectNoLeak(client, server, ofServer.connectionWindowSize, (bytes) => {
            const stream = client.request(TUNNEL, false)!;
            stream.context.unsent = bytes;
            settle(client, server);
            finish(client, server);
            settle(client, server);
          });
          expectNoLeak(server, client, ofClient.connectionWindowSize, (bytes) => {
            client.request(TUNNEL, false);
            settle(client, server);
            server.open[0]!.sendHeaders([':status', '200'], false);
            server.open[0]!.context.unsent = bytes;
            settle(client, server);
            finish(client, server);
            settle(client, server);
          });
        },
      ),
      fuzzBudget(),
    );
  });
});
