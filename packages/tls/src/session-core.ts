import type { IoBuffer } from '@ambient/linux';
import { BufferPool, FAILED, MisuseError, WOULD_BLOCK, IoBuffer as Memory } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import { TlsError, sessionError } from './errors.ts';
import * as openssl from './openssl.ts';
import type { WriteRing } from './write-ring.ts';
import { MAX_WRITE_BYTES } from './write-ring.ts';

/** Ciphertext that the carrier did not take: at most one full write and a handshake flight. */
const pendingPool = new BufferPool(MAX_WRITE_BYTES + 32 * 1024, 8);
const scratch = new Memory(16);
/** Asked for during a handshake: a flight with its certificates. What comes behind it has to be kept. */
const HANDSHAKE_READ_BYTES = 16 * 1024;
/** Header, content type and tag of a TLS 1.3 record. */
const RECORD_OVERHEAD_BYTES = 22;

export type HandshakeProgress = 'done' | 'pending' | 'failed';

/**
 * A TLS session, non-blocking, whatever carries its ciphertext. Written ciphertext goes to the carrier in one call per
 * `write`; what the carrier does not take waits inside.
 */
export abstract class SessionCore {
  #ssl: number;
  protected readonly ring: WriteRing;
  #pending: Memory | undefined;
  #pendingStart = 0;
  #pendingEnd = 0;
  /** A read may find plaintext without new ciphertext: after a handshake, or a read that filled its buffer. */
  #maybeInside = false;
  /** How the carrier ended behind bytes that came first: 0 or FAILED. */
  #carrierEnd: number | undefined;
  /** After `refill`: the carrier has nothing more, so that only new readiness makes another one worth while. */
  protected emptied = false;
  /** After `read`: nothing is left inside or in the carrier, so that only new readiness makes another read worth while. */
  drained = false;
  /** Why the last call answered FAILED or 'failed'. */
  lastError: Error | undefined;

  /**
   * @param ring where ciphertext is written to
   * @param readBio where ciphertext comes from; owned by the session from now on
   */
  protected constructor(context: TlsContext, ring: WriteRing, readBio: () => number) {
    this.ring = ring;
    this.#ssl = openssl.SSL_new(context.pointer);
    if (this.#ssl === 0) throw new MisuseError('SSL_new failed');
    openssl.SSL_set_bio(this.#ssl, readBio(), ring.shareWriteEnd());
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
   * All ciphertext at hand is used: puts more where the session reads it.
   * @param room plaintext that the caller can take: much more than this would have to be kept
   * @returns bytes; 0 at the carrier's end; WOULD_BLOCK when there is none now; FAILED, with `lastError`
   */
  protected abstract refill(room: number): number;

  /** Bytes at hand that the session has not taken. */
  protected abstract get unread(): number;

  /** The session stops before it has taken all that is at hand: keeps the rest for the next `refill`. */
  protected abstract keepUnread(): void;

  protected get ssl(): number {
    return this.#ssl;
  }

  /** Ciphertext waits for room in the carrier: no more may be written until `flush` answers true. */
  get blocked(): boolean {
    return this.#pending !== undefined;
  }

  /** Goes as far as the bytes at hand allow. Call again on readiness until it is done or has failed. */
  handshake(): HandshakeProgress {
    openssl.ERR_clear_error();
    let result: number;
    let error: number;
    let got = 1;
    do {
      result = openssl.SSL_do_handshake(this.#ssl);
      error = result === 1 ? 0 : openssl.SSL_get_error(this.#ssl, result);
      // Not the short-read rule: an end that was told already would go unnoticed.
      if (error === openssl.SSL_ERROR_WANT_READ) got = this.refill(HANDSHAKE_READ_BYTES);
    } while (error === openssl.SSL_ERROR_WANT_READ && got > 0);
    const pending = error === openssl.SSL_ERROR_WANT_READ && got === WOULD_BLOCK;
    const failure =
      result === 1 || pending ? undefined : got === FAILED ? this.lastError : this.#sessionError();
    if (!pending) this.keepUnread();
    this.#maybeInside = true;
    if (!this.#sendRing() && failure === undefined) return 'failed';
    if (failure !== undefined) {
      this.lastError = failure;
      return 'failed';
    }
    return result === 1 ? 'done' : 'pending';
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
    openssl.ERR_clear_error();
    const start = into.addressOf(offset, length);
    this.drained = false;
    if (this.#carrierEnd !== undefined) return this.#carrierEnd;
    let filled = 0;
    /** Ciphertext that is not decrypted yet, at most; 0: none. */
    let atHand = this.#maybeInside ? Infinity : 0;
    this.#maybeInside = false;
    let emptied = false;
    while (filled < length) {
      if (atHand <= 0) {
        // A short read of the socket has emptied it, which saves asking it again.
        if (emptied && !toTheEnd) this.drained = true;
        if (this.drained || filled > 0) break;
        const got = this.refill(length - filled);
        if (got <= 0) {
          this.drained = got === WOULD_BLOCK;
          if (!this.drained) this.#carrierEnd = got;
          return got;
        }
        atHand = got;
        emptied = this.emptied;
      }
      const n = openssl.SSL_read(this.#ssl, start + filled, length - filled);
      if (n > 0) {
        filled += n;
        atHand -= n + RECORD_OVERHEAD_BYTES;
        if (atHand <= 0) atHand = this.unread;
        continue;
      }
      const error = openssl.SSL_get_error(this.#ssl, n);
      if (error === openssl.SSL_ERROR_WANT_READ) {
        atHand = 0; // all is inside, the beginning of a record
        continue;
      }
      this.keepUnread();
      if (!this.ring.empty) this.#sendRing(); // an alert
      if (error !== openssl.SSL_ERROR_ZERO_RETURN) this.lastError ??= this.#sessionError();
      this.#carrierEnd = error === openssl.SSL_ERROR_ZERO_RETURN ? 0 : FAILED;
      return filled > 0 ? filled : this.#carrierEnd;
    }
    if (filled === length) {
      this.#maybeInside = true;
      this.keepUnread();
    }
    if (!this.ring.empty && !this.#sendRing() && filled === 0) return FAILED; // the answer to a key update
    return filled > 0 ? filled : WOULD_BLOCK;
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
    openssl.ERR_clear_error();
    const n = openssl.SSL_write(this.#ssl, from.addressOf(offset, length), length);
    if (n !== length) {
      this.lastError = this.#sessionError();
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
    if (this.#ssl === 0 || this.#pending !== undefined) return;
    openssl.ERR_clear_error();
    openssl.SSL_shutdown(this.#ssl);
    this.#sendRing();
  }

  /** Frees the session. What carries it stays open. */
  close(): void {
    if (this.#ssl === 0) return;
    openssl.SSL_free(this.#ssl);
    this.#ssl = 0;
    this.#dropPending();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** DER of an X509 (i2d with a buffer of our own: the call advances the pointer that it is given). */
function derOf(x509: number): Buffer {
  const length = openssl.i2d_X509(x509, 0);
  const der = new Memory(length);
  scratch.bytes.writeBigUInt64LE(BigInt(der.addressOf(0, length)), 0);
  openssl.i2d_X509(x509, scratch.addressOf(0, 8));
  return der.bytes;
}
