import type { IoBuffer } from '@ambient/linux';
import { sessionError } from './errors.ts';
import * as openssl from './openssl.ts';
import type { ReadRing } from './read-ring.ts';
import type { RecordLayer } from './record-layer.ts';

/** OpenSSL's own record layer: for TLS 1.2, which only TLS12_ENABLED admits. */
export class OpensslRecords implements RecordLayer {
  readonly #ssl: number;
  readonly #source: ReadRing;
  /** A handshake, or a read that filled its room, may have left plaintext inside. */
  inside = true;
  /** It refuses a renegotiation by an alert, of which `SSL_read` does not tell. */
  readonly mayAnswer = true;
  end: 0 | Error | undefined;
  opened = 0;

  /** @param ssl stays its owner's */
  constructor(ssl: number, source: ReadRing) {
    this.#ssl = ssl;
    this.#source = source;
  }

  open(length: number, into: IoBuffer, offset: number, room: number): number {
    openssl.ERR_clear_error();
    const source = this.#source;
    if (length > 0) source.offer(length);
    const address = into.addressOf(offset, room);
    this.opened = 0;
    this.inside = false;
    while (this.opened < room) {
      const n = openssl.SSL_read(this.#ssl, address + this.opened, room - this.opened);
      if (n > 0) {
        this.opened += n;
        continue;
      }
      const error = openssl.SSL_get_error(this.#ssl, n);
      if (error === openssl.SSL_ERROR_ZERO_RETURN) this.end = 0;
      else if (error !== openssl.SSL_ERROR_WANT_READ)
        this.end = sessionError(openssl.SSL_get_verify_result(this.#ssl));
      break;
    }
    this.inside = this.opened === room;
    return length - source.withdraw();
  }

  seal(from: number, length: number): Error | undefined {
    openssl.ERR_clear_error();
    const n = openssl.SSL_write(this.#ssl, from, length);
    return n === length ? undefined : sessionError(openssl.SSL_get_verify_result(this.#ssl));
  }

  sealEnd(): void {
    openssl.ERR_clear_error();
    openssl.SSL_shutdown(this.#ssl);
  }

  close(): void {}
}
