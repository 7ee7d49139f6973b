import { TlsError } from './errors.ts';

/** Types of handshake messages that may come after the handshake: RFC 8446, section 4. */
const NEW_SESSION_TICKET = 4;
const KEY_UPDATE = 24;
const UPDATE_REQUESTED = 1;
const HEADER_BYTES = 4;
/** Of a ticket, which we throw away; those of common servers have some 200 bytes. */
const MAX_MESSAGE_BYTES = 16 * 1024;

/** What a record of handshake messages asks of us. */
export interface KeyUpdate {
  /** The peer wants us to change our key as well. */
  readonly requested: boolean;
}

/**
 * Handshake messages behind the end of the handshake (RFC 8446, section 4.6): tickets, which only a server sends and we do
 * not use, and changes of the peer's key.
 */
export class PostHandshake {
  readonly #ticketsAllowed: boolean;
  /** The beginning of a message that goes on in the next record. */
  #begun: Buffer = Buffer.alloc(0);

  /** @param role our own */
  constructor(role: 'client' | 'server') {
    this.#ticketsAllowed = role === 'client';
  }

  /** A message has begun and not ended: no other content may come between (RFC 8446, section 5.1). */
  get unfinished(): boolean {
    return this.#begun.length > 0;
  }

  /**
   * Takes the content of a handshake record.
   * @returns the change of the peer's key, if there is one
   * @throws TlsError protocol-error
   */
  take(content: Buffer): KeyUpdate | undefined {
    let rest: Buffer = Buffer.concat([this.#begun, content]);
    this.#begun = Buffer.alloc(0);
    while (rest.length > 0) {
      if (rest.length < HEADER_BYTES) return this.#wait(rest);
      const type = rest[0];
      const length = rest.readUIntBE(1, 3);
      if (length > MAX_MESSAGE_BYTES) throw broken(`a handshake message of ${length} bytes`);
      if (rest.length < HEADER_BYTES + length) return this.#wait(rest);
      const body = rest.subarray(HEADER_BYTES, HEADER_BYTES + length);
      rest = rest.subarray(HEADER_BYTES + length);
      if (type === KEY_UPDATE) return keyUpdate(body, rest.length);
      if (type !== NEW_SESSION_TICKET || !this.#ticketsAllowed)
        throw broken(`a handshake message of type ${type} after the handshake`);
    }
    return undefined;
  }

  #wait(rest: Buffer): undefined {
    this.#begun = rest;
  }
}

function keyUpdate(body: Buffer, behind: number): KeyUpdate {
  if (body.length !== 1 || body[0]! > UPDATE_REQUESTED) throw broken('a malformed KeyUpdate');
  // What follows is under the new key, and so in a record of its own.
  if (behind > 0) throw broken('a KeyUpdate that does not end its record');
  return { requested: body[0] === UPDATE_REQUESTED };
}

/** A KeyUpdate that asks for none in return (RFC 8446, section 4.6.3). */
export function keyUpdateMessage(): Buffer {
  return Buffer.of(KEY_UPDATE, 0, 0, 1, 0);
}

function broken(what: string): TlsError {
  return new TlsError('protocol-error', what);
}
