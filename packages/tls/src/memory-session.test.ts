import { FAILED, IoBuffer, WOULD_BLOCK } from '@ambient/linux';
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { TlsError } from './errors.ts';
import { MemoryTlsSession } from './memory-session.ts';
import { SelfSigned } from './testing/self-signed.ts';
import { MAX_WRITE_BYTES } from './write-ring.ts';

/** Feeds what it sends to its peer, as far as the peer has room. */
class Piped extends MemoryTlsSession {
  peer: Piped | undefined;
  /** Bytes that the peer takes before it blocks; what it uses makes room again. */
  room = Infinity;
  used = 0;
  broken = false;

  protected override sendCiphertext(bytes: Buffer, start: number, end: number): number {
    if (this.broken) {
      this.lastError = new Error('the carrier is gone');
      return FAILED;
    }
    const n = Math.min(end - start, this.peer!.room);
    if (n === 0) return WOULD_BLOCK;
    const copy = new IoBuffer(n);
    bytes.copy(copy.bytes, 0, start, start + n);
    this.peer!.room -= n;
    this.peer!.feed(copy, 0, n);
    return n;
  }

  protected override onFedUsed(bytes: number): void {
    this.used += bytes;
    this.room += bytes;
  }
}

describe('MemoryTlsSession', () => {
  let own: SelfSigned;

  before(() => {
    own = new SelfSigned();
  });
  after(() => {
    own[Symbol.dispose]();
  });

  function pair(use: (client: Piped, server: Piped) => void): void {
    using clientContext = own.context('client');
    using serverContext = own.context('server');
    using client = new Piped(clientContext);
    using server = new Piped(serverContext);
    client.peer = server;
    server.peer = client;
    use(client, server);
  }

  function handshake(client: Piped, server: Piped): [string, string] {
    const progress: [string, string] = ['pending', 'pending'];
    for (let i = 0; i < 1000 && progress.includes('pending'); i++) {
      client.flush();
      server.flush();
      if (progress[0] === 'pending') progress[0] = client.handshake();
      if (progress[1] === 'pending') progress[1] = server.handshake();
    }
    return progress;
  }

  it('shakes hands and knows its peer', () => {
    pair((client, server) => {
      expect(handshake(client, server)).to.deep.equal(['done', 'done']);
      expect(client.alpn()).to.equal('h2');
      expect(server.peerCertificate()).to.deep.equal(client.peerCertificate());
      expect(client.verifiedChain()).to.have.length(1);
    });
  });

  it('shakes hands over a carrier that takes 100 bytes at a time', () => {
    pair((client, server) => {
      client.room = server.room = 100;
      expect(handshake(client, server)).to.deep.equal(['done', 'done']);
    });
  });

  for (const room of [1000, 70_000, Infinity])
    it(`carries 8 MiB unchanged where ${room} bytes fit between the ends, and tells when they are used`, () => {
      pair((client, server) => {
        handshake(client, server);
        server.room = room;
        const usedBefore = server.used;
        const out = new IoBuffer(MAX_WRITE_BYTES);
        for (let i = 0; i < out.length; i++) out.bytes[i] = (i * 31) & 0xff;
        const into = new IoBuffer(100_000);
        const [sentHash, receivedHash] = [createHash('sha256'), createHash('sha256')];
        const writes = 75;
        let written = 0;
        let received = 0;
        while (received < writes * out.length) {
          if (client.flush() && written < writes) {
            expect(client.write(out, 0, out.length)).to.equal(true);
            sentHash.update(out.bytes);
            written++;
          }
          const n = server.read(into, 0, into.length, false);
          if (n === WOULD_BLOCK) {
            expect(server.drained).to.equal(true);
            continue;
          }
          expect(n).to.be.greaterThan(0);
          receivedHash.update(into.bytes.subarray(0, n));
          received += n;
        }
        expect(receivedHash.digest('hex')).to.equal(sentHash.digest('hex'));
        expect(server.read(into, 0, into.length, false)).to.equal(WOULD_BLOCK);
        expect(server.used - usedBefore).to.be.greaterThan(received);
        expect(client.blocked).to.equal(false);
      });
    });

  it('tells bytes first, then the end', () => {
    pair((client, server) => {
      handshake(client, server);
      const buffer = new IoBuffer(64);
      client.write(buffer, 0, 5);
      client.shutdown();
      server.feedEnd();
      expect(server.read(buffer, 0, 64, false)).to.equal(5);
      expect(server.read(buffer, 0, 64, false)).to.equal(0);
      expect(server.read(buffer, 0, 64, false)).to.equal(0);
    });
  });

  it('tells an end without close_notify as an end', () => {
    pair((client, server) => {
      handshake(client, server);
      server.feedEnd();
      expect(server.read(new IoBuffer(64), 0, 64, false)).to.equal(0);
    });
  });

  it('fails a handshake that is cut short', () => {
    pair((client, server) => {
      client.handshake();
      client.feedEnd();
      expect(client.handshake()).to.equal('failed');
      expect(client.lastError).to.be.instanceOf(TlsError);
      expect(server.handshake()).to.equal('pending');
    });
  });

  it('fails on ciphertext that was altered', () => {
    pair((client, server) => {
      handshake(client, server);
      const noise = new IoBuffer(50);
      noise.bytes.set([23, 3, 3, 0, 45]);
      server.feed(noise, 0, 50);
      expect(server.read(noise, 0, 50, false)).to.equal(FAILED);
      expect(server.lastError).to.be.instanceOf(TlsError).and.have.property('code', 'protocol-error');
    });
  });

  it('fails a write when the carrier is gone', () => {
    pair((client, server) => {
      handshake(client, server);
      client.broken = true;
      expect(client.write(new IoBuffer(1), 0, 1)).to.equal(false);
      expect(client.lastError?.message).to.equal('the carrier is gone');
    });
  });

  it('may be closed with bytes under way in both directions', () => {
    pair((client, server) => {
      handshake(client, server);
      server.room = 10;
      client.write(new IoBuffer(100), 0, 100);
      expect(client.blocked).to.equal(true);
      client.close();
      server.close();
      server.close();
      expect(client.blocked).to.equal(false);
    });
  });
});
