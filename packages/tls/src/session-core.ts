import type { IoBuffer } from '@ambient/linux';
import { BufferPool, FAILED, MisuseError, WOULD_BLOCK, IoBuffer as Memory } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import { TlsError, sessionError } from './errors.ts';
import type { TrafficSecrets } from './key-log.ts';
import { withSecrets } from './key-log.ts';
import * as openssl from './openssl.ts';
import { OpensslRecords } from './openssl-records.ts';
import { READ_RING_BYTES, UnreadCiphertext, threadReadRing } from './read-ring.ts';
import type { RecordLayer } from './record-layer.ts';
import { Tls13Records } from './tls13-records.ts';
import { cipherSuites } from './traffic-keys.ts';
import type { WriteRing } from './write-ring.ts';
import { MAX_WRITE_BYTES } from './write-ring.ts';

/** Ciphertext that the carrier did not take: at most one full write and a handshake flight. */
const pendingPool = new BufferPool(MAX_WRITE_BYTES + 32 * 1024, 8);
const scratch = new Memory(16);
/** Asked for during a handshake: a flight with its certificates. What comes behind it has to be kept. */
const HANDSHAKE_READ_BYTES = 16 * 1024;
/** Less is not asked for, however little room there is. */
const LEAST_READ_BYTES = 4 * 1024;

export type HandshakeProgress = 'done' | 'pending' | 'failed';

/**
 * A TLS session, non-blocking, whatever carries its ciphertext. OpenSSL makes the handshake; a RecordLayer carries what
 * follows. Written ciphertext goes to the carrier in one call per `write`; what the carrier does not take waits inside.
 */
export abstract class SessionCore {
  #ssl: number;
  readonly #role: 'client' | 'server';
  protected readonly ring: WriteRing;
  protected readonly source = threadReadRing();
  /** Taken from the ring, which is there for others as well. */
  readonly #unread = new UnreadCiphertext();
  #secrets: TrafficSecrets = {};
  /** Once the handshake is done. */
  #records: RecordLayer | undefined;
  #pending: Memory | undefined;
  #pendingStart = 0;
  #pendingEnd = 0;
  /** How the session ended behind bytes that came first: 0 or FAILED. */
  #end: number | undefined;
  /** After `receive`: the carrier has nothing more, so that only new readiness makes another one worth while. */
  protected emptied = false;
  /** After `read`: nothing is left inside or in the carrier, so that only new readiness makes another read worth while. */
  drained = false;
  /** Why the last call answered FAILED or 'failed'. */
  lastError: Error | undefined;

  /** @param ring where ciphertext is written to */
  protected constructor(context: TlsContext, ring: WriteRing) {
    this.ring = ring;
    this.#role = context.role;
    this.#ssl = openssl.SSL_new(context.pointer);
    if (this.#ssl === 0) throw new MisuseError('SSL_new failed');
    openssl.SSL_set_bio(this.#ssl, this.source.shareReadEnd(), ring.shareWriteEnd());
    if (context.role === 'client') openssl.SSL_set_connect_state(this.#ssl);
    else openssl.SSL_set_accept_state(this.#ssl);
  }

  /**
   * Sends the first `length` bytes of `ring`.
   * @returns bytes taken, WOULD_BLOCK or FAILED, with `lastError`
   */
  protected abstract transmitRing(length: number): number;

  /** Sends what had to wait. @returns bytes taken, WOULD_BLOCK or FAILED, with `lastError` */
  protected abstract transmit(from: IoBuffer, offset: number, length: number): number;

  /**
   * Puts ciphertext into `source`. Sets `emptied`.
   * @param at where in the ring
   * @param length at most
   * @returns bytes; 0 at the carrier's end; WOULD_BLOCK when there is none now; FAILED, with `lastError`
   */
  protected abstract receive(at: number, length: number): number;

  /** Ciphertext waits for room in the carrier: no more may be written until `flush` answers true. */
  get blocked(): boolean {
    return this.#pending !== undefined;
  }

  /** Goes as far as the bytes at hand allow. Call again on readiness until it is done or has failed. */
  handshake(): HandshakeProgress {
    openssl.ERR_clear_error();
    const source = this.source;
    const kept = this.#unread.restore(source);
    if (kept > 0) source.offer(kept);
    let offered = kept;
    let result: number;
    let error: number;
    let got = 1;
    do {
      result = withSecrets(this.#secrets, () => openssl.SSL_do_handshake(this.#ssl));
      error = result === 1 ? 0 : openssl.SSL_get_error(this.#ssl, result);
      if (error !== openssl.SSL_ERROR_WANT_READ) break;
      // Not the short-read rule: an end that was told already would go unnoticed.
      got = this.receive(0, HANDSHAKE_READ_BYTES);
      if (got > 0) source.offer((offered = got));
    } while (got > 0);
    const pending = error === openssl.SSL_ERROR_WANT_READ && got === WOULD_BLOCK;
    const failure =
      result === 1 || pending ? undefined : got === FAILED ? this.lastError : this.#sessionError();
    if (!pending) {
      const left = source.withdraw();
      if (left > 0) this.#unread.keep(source, offered - left, offered);
    }
    if (!this.#sendRing() && failure === undefined) return 'failed';
    if (failure !== undefined) {
      this.lastError = failure;
      return 'failed';
    }
    if (result === 1) this.#records ??= this.#recordLayer();
    return result === 1 ? 'done' : 'pending';
  }

  #recordLayer(): RecordLayer {
    const secrets = this.#secrets;
    this.#secrets = {};
    const suite = cipherSuites[this.describe().cipher];
    return suite === undefined
      ? new OpensslRecords(this.#ssl, this.source)
      : new Tls13Records(this.#role, suite, secrets, this.source, this.ring);
  }

  /**
   * Decrypts what one call to the carrier gives, as far as there is room. Sets `drained`.
   * @param length bytes of room: READ_RING_BYTES and a record that was incomplete before are the most that a call can give
   * @param toTheEnd the peer has ended, so that the carrier must be asked until it says so: what the kernel told once it
   *   will not tell again
   * @returns bytes; 0 at the end of the stream; WOULD_BLOCK when the carrier is drained; FAILED. Bytes come first: an end
   *   or a failure behind them is told by the next call.
   */
  read(into: IoBuffer, offset: number, length: number, toTheEnd: boolean): number {
    const { source } = this;
    const records = this.#records;
    if (records === undefined) throw new MisuseError('a read before the handshake is done');
    this.drained = false;
    if (this.#end !== undefined) return this.#end;
    let have = this.#unread.restore(source);
    let emptied = false;
    for (;;) {
      let filled = 0;
      let used = 0;
      if (have > 0 || records.inside) {
        used = records.open(have, into, offset, length);
        filled = records.opened;
        have -= used;
        if (records.end !== undefined) return this.#ended(records.end, filled);
      }
      // A short read of the socket has emptied it, which saves asking it again.
      this.drained = emptied && !toTheEnd && filled < length;
      if (this.drained || filled > 0) {
        if (have > 0) this.#unread.keep(source, used, used + have);
        if (records.mayAnswer) this.#sendRing();
        return filled > 0 ? filled : WOULD_BLOCK;
      }
      if (used > 0) source.view.copyWithin(0, used, used + have);
      const got = this.receive(have, askFor(length - have));
      if (got <= 0) {
        if (have > 0) this.#unread.keep(source, 0, have);
        this.drained = got === WOULD_BLOCK;
        if (!this.drained) this.#end = got;
        else if (records.mayAnswer) this.#sendRing();
        return got;
      }
      have += got;
      emptied = this.emptied;
    }
  }

  /** The peer has ended the session, or broken it. */
  #ended(end: 0 | Error, filled: number): number {
    this.#sendRing(); // an alert
    if (end !== 0) this.lastError = end;
    this.#end = end === 0 ? 0 : FAILED;
    return filled > 0 ? filled : this.#end;
  }

  /**
   * Encrypts and sends. All of it is taken; when the carrier is full the rest waits inside.
   * @param length at most MAX_WRITE_BYTES
   * @returns false when the session failed
   */
  write(from: IoBuffer, offset: number, length: number): boolean {
    if (length > MAX_WRITE_BYTES)
      throw new MisuseError(`a write of ${length} bytes; at most ${MAX_WRITE_BYTES}`);
    if (this.#pending !== undefined) throw new MisuseError('a write while the last one waits to be sent');
    if (this.#records === undefined) throw new MisuseError('a write before the handshake is done');
    const failure = this.#records.seal(from.addressOf(offset, length), length);
    if (failure !== undefined) {
      this.lastError = failure;
      return false;
    }
    return this.#sendRing();
  }

  /** Sends what waits. @returns true when nothing waits any more; ask `lastError` when it stays false for ever */
  flush(): boolean {
    const pending = this.#pending;
    if (pending === undefined) return true;
    const n = this.transmit(pending, this.#pendingStart, this.#pendingEnd - this.#pendingStart);
    if (n < 0) return false;
    this.#pendingStart += n;
    if (this.#pendingStart < this.#pendingEnd) return false;
    this.#dropPending();
    return true;
  }

  #dropPending(): void {
    if (this.#pending === undefined) return;
    pendingPool.release(this.#pending);
    this.#pending = undefined;
    this.#pendingStart = this.#pendingEnd = 0;
  }

  /** Hands the ring's content to the carrier and keeps what it does not take. @returns false when the carrier failed */
  #sendRing(): boolean {
    const length = this.ring.take();
    if (length === 0) return true;
    let sent = 0;
    if (this.#pending === undefined) {
      const n = this.transmitRing(length);
      if (n === FAILED) return false;
      sent = Math.max(0, n);
      if (sent === length) return true;
    }
    const pending = (this.#pending ??= pendingPool.acquire());
    const room = pending.length - this.#pendingEnd;
    if (length - sent > room) {
      this.lastError = new TlsError('protocol-error', 'the peer makes us answer faster than it reads');
      return false;
    }
    this.ring.copy(pending.bytes, this.#pendingEnd, sent, length);
    this.#pendingEnd += length - sent;
    return true;
  }

  #sessionError(): Error {
    return sessionError(openssl.SSL_get_verify_result(this.#ssl));
  }

  /** The peer's certificate, DER; undefined before the handshake is done. */
  peerCertificate(): Buffer | undefined {
    const x509 = openssl.SSL_get1_peer_certificate(this.#ssl);
    if (x509 === 0) return undefined;
    try {
      return derOf(x509);
    } finally {
      openssl.X509_free(x509);
    }
  }

  /** The chain that verification built, DER, the peer's certificate first and the trust anchor last. */
  verifiedChain(): Buffer[] {
    const stack = openssl.SSL_get0_verified_chain(this.#ssl);
    if (stack === 0) return [];
    return Array.from({ length: openssl.OPENSSL_sk_num(stack) }, (_, i) =>
      derOf(openssl.OPENSSL_sk_value(stack, i)),
    );
  }

  /** The protocol that ALPN chose, or '' when the client offered none. */
  alpn(): string {
    openssl.SSL_get0_alpn_selected(this.#ssl, scratch.addressOf(0, 8), scratch.addressOf(8, 4));
    const length = scratch.bytes.readUInt32LE(8);
    if (length === 0) return '';
    return length === 2 ? 'h2' : `${length} bytes`;
  }

  /** Parameters in use, such as `TLS_AES_128_GCM_SHA256` and `X25519MLKEM768`. */
  describe(): { version: string; cipher: string; group: string } {
    const version = openssl.SSL_version(this.#ssl) === openssl.TLS1_3_VERSION ? 'TLSv1.3' : 'TLSv1.2';
    const cipher = openssl.SSL_CIPHER_get_name(openssl.SSL_get_current_cipher(this.#ssl));
    return { version, cipher, group: openssl.SSL_get0_group_name(this.#ssl) ?? '' };
  }

  /** Tells the peer that nothing more comes (close_notify), as far as the carrier takes it. */
  shutdown(): void {
    if (this.#records === undefined || this.#pending !== undefined) return;
    this.#records.sealEnd();
    this.#sendRing();
  }

  /** Frees the session. What carries it stays open. */
  close(): void {
    if (this.#ssl === 0) return;
    this.#records?.close();
    this.#records = undefined;
    openssl.SSL_free(this.#ssl);
    this.#ssl = 0;
    this.#unread.drop();
    this.#dropPending();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Bytes of ciphertext to ask for, whose plaintext there is room for. */
function askFor(room: number): number {
  return Math.min(READ_RING_BYTES, Math.max(room, LEAST_READ_BYTES));
}

/** DER of an X509 (i2d with a buffer of our own: the call advances the pointer that it is given). */
function derOf(x509: number): Buffer {
  const length = openssl.i2d_X509(x509, 0);
  const der = new Memory(length);
  scratch.bytes.writeBigUInt64LE(BigInt(der.addressOf(0, length)), 0);
  openssl.i2d_X509(x509, scratch.addressOf(0, 8));
  return der.bytes;
}
