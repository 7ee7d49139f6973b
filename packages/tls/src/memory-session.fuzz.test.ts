import { FAILED, IoBuffer, WOULD_BLOCK } from '@ambient/linux';
import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import type { TlsContext } from './context.ts';
import { TlsError } from './errors.ts';
import { MemoryTlsSession } from './memory-session.ts';
import { SelfSigned } from './testing/self-signed.ts';

/** Something that happens to the bytes on their way to one side: `at` counts them from the first of the session. */
interface Damage {
  readonly at: number;
  readonly kind: 'flip' | 'cut' | 'insert' | 'repeat';
  readonly value: number;
}

/** One end of a session in memory, whose peer's bytes come damaged and in pieces. */
class Damaged extends MemoryTlsSession {
  peer: Damaged | undefined;
  readonly #damages: readonly Damage[];
  readonly #pieceBytes: number;
  #arrived = 0;

  constructor(context: TlsContext, damages: readonly Damage[], pieceBytes: number) {
    super(context);
    this.#damages = damages;
    this.#pieceBytes = pieceBytes;
  }

  protected override sendCiphertext(bytes: Buffer, start: number, end: number): number {
    this.peer!.arrive(Buffer.from(bytes.subarray(start, end)));
    return end - start;
  }

  protected override onFedUsed(): void {}

  arrive(sent: Buffer): void {
    let bytes = sent;
    for (const { at, kind, value } of this.#damages) {
      const here = at - this.#arrived;
      if (here < 0 || here >= bytes.length) continue;
      const [before, after] = [bytes.subarray(0, here), bytes.subarray(here)];
      if (kind === 'flip')
        bytes = Buffer.concat([before, Buffer.of(after[0]! ^ (value || 1)), after.subarray(1)]);
      else if (kind === 'cut') bytes = Buffer.concat([before, after.subarray(value)]);
      else if (kind === 'insert') bytes = Buffer.concat([before, Buffer.alloc(value, 0x16), after]);
      else bytes = Buffer.concat([before, after, after]);
    }
    this.#arrived += sent.length;
    for (let at = 0; at < bytes.length; at += this.#pieceBytes) {
      const piece = bytes.subarray(at, at + this.#pieceBytes);
      const buffer = new IoBuffer(piece.length);
      piece.copy(buffer.bytes);
      this.feed(buffer, 0, piece.length);
    }
  }
}

describe('TLS sessions under fuzz', () => {
  let own: SelfSigned;
  let clientContext: TlsContext;
  let serverContext: TlsContext;

  before(() => {
    own = new SelfSigned();
    clientContext = own.context('client');
    serverContext = own.context('server');
  });
  after(() => {
    clientContext.close();
    serverContext.close();
    own[Symbol.dispose]();
  });

  const damages = fc.array(
    fc.record({
      at: fc.oneof(fc.nat(300), fc.nat(6000)),
      kind: fc.constantFrom('flip' as const, 'cut' as const, 'insert' as const, 'repeat' as const),
      value: fc.nat(255),
    }),
    { maxLength: 2 },
  );

  it('damaged on the way, end with a named error and never deliver what was not sent [fuzz]', () => {
    const into = new IoBuffer(70_000);
    const out = new IoBuffer(20_000);
    for (let i = 0; i < out.length; i++) out.bytes[i] = (i * 31) & 0xff;
    fc.assert(
      fc.property(damages, damages, fc.constantFrom(1, 7, 1000, 100_000), (toServer, toClient, piece) => {
        using client = new Damaged(clientContext, toClient, piece);
        using server = new Damaged(serverContext, toServer, piece);
        client.peer = server;
        server.peer = client;
        const sides = [client, server] as const;
        const progress = ['pending', 'pending'];
        for (let turn = 0; turn < 20 && progress.includes('pending'); turn++)
          for (const [index, side] of sides.entries())
            if (progress[index] === 'pending') progress[index] = side.handshake();
        for (const [index, side] of sides.entries()) {
          if (progress[index] === 'failed') expect(side.lastError).to.be.instanceOf(TlsError);
          if (progress[index] !== 'done') continue;
          side.write(out, 0, 3000);
          side.flush();
        }
        for (const [index, side] of sides.entries()) {
          if (progress[index] !== 'done') continue;
          let got = 0;
          for (let n = 1; n > 0; got += n > 0 ? n : 0) {
            n = side.read(into, 0, into.length, true);
            if (n <= 0) {
              expect([0, WOULD_BLOCK, FAILED]).to.include(n);
              if (n === FAILED) expect(side.lastError).to.be.instanceOf(TlsError);
              break;
            }
            expect(into.bytes.subarray(0, n).equals(out.bytes.subarray(got, got + n))).to.equal(true);
          }
          expect(got).to.be.at.most(3000);
        }
        if (toServer.length + toClient.length === 0) expect(progress).to.deep.equal(['done', 'done']);
      }),
      fuzzBudget(),
    );
  });
});
