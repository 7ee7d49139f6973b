import { IoBuffer, MisuseError } from '@ambient/linux';
import { ALERT, ALERT_BYTES, alert, meaningOfAlert } from './alerts.ts';
import type { TlsFailure } from './errors.ts';
import { TlsError } from './errors.ts';
import type { TrafficSecrets } from './key-log.ts';
import { PostHandshake, keyUpdateMessage } from './post-handshake.ts';
import type { ReadRing } from './read-ring.ts';
import type { RecordLayer } from './record-layer.ts';
import type { ContentType } from './record-protection.ts';
import {
  CONTENT_TYPE,
  MAX_PLAINTEXT_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_OVERHEAD_BYTES,
  RecordProtection,
  TAG_BYTES,
} from './record-protection.ts';
import type { CipherSuite } from './traffic-keys.ts';
import { nextTrafficSecret } from './traffic-keys.ts';
import type { WriteRing } from './write-ring.ts';

/** RFC 8446, section 5.2: what TLSCiphertext.length may be at most. */
const MAX_PROTECTED_BYTES = MAX_PLAINTEXT_BYTES + 256;
/** Records that bring nothing, in a row: padding, tickets, changes of key. More of them only cost us time. */
const MAX_IDLE_RECORDS = 32;
/** Full records under one key; AES-GCM bears 2^24.5 of them (RFC 8446, section 5.5). */
const RECORDS_PER_KEY = 2 ** 24;

/** ChangeCipherSpec: the lowest of RFC 8446, appendix B.1. */
const FIRST_CONTENT_TYPE = 20;

/** One record's plaintext for which the reader has no room, and small ones that are no data. */
const scratch = new IoBuffer(MAX_PROTECTED_BYTES);
const smallScratch = new IoBuffer(16);

/** One direction: its keys, and the secret from which the next ones come. */
class Direction {
  readonly #suite: CipherSuite;
  readonly #mode: 0 | 1;
  #secret: Buffer;
  protection: RecordProtection;

  constructor(suite: CipherSuite, secret: Buffer, mode: 0 | 1) {
    this.#suite = suite;
    this.#mode = mode;
    this.#secret = secret;
    this.protection = new RecordProtection(suite, secret, mode);
  }

  /** The next keys take the place of these. */
  update(): void {
    const next = nextTrafficSecret(this.#suite, this.#secret);
    this.close();
    this.#secret = next;
    this.protection = new RecordProtection(this.#suite, next, this.#mode);
  }

  close(): void {
    this.protection.close();
    this.#secret.fill(0);
  }
}

/**
 * The record layer of TLS 1.3 (RFC 8446, section 5) behind a handshake that OpenSSL has made: bytes go from where they lie
 * into the ring through one call of AES-GCM, and back. OpenSSL's own copies each byte twice on either way, which a tenth of
 * the time of bulk went into (decision 21).
 */
export class Tls13Records implements RecordLayer {
  readonly #source: ReadRing;
  readonly #ring: WriteRing;
  readonly #reading: Direction;
  readonly #writing: Direction;
  readonly #recordsPerKey: number;
  readonly #postHandshake: PostHandshake;
  /** Plaintext for which there was no room. */
  #held: Buffer | undefined;
  #idleRecords = 0;
  end: 0 | Error | undefined;
  opened = 0;

  /**
   * @param role our own
   * @param recordsPerKey after so many we change our key
   */
  constructor(
    role: 'client' | 'server',
    suite: CipherSuite,
    secrets: TrafficSecrets,
    source: ReadRing,
    ring: WriteRing,
    recordsPerKey = RECORDS_PER_KEY,
  ) {
    const [own, others] =
      role === 'client' ? [secrets.client, secrets.server] : [secrets.server, secrets.client];
    if (own === undefined || others === undefined)
      throw new MisuseError('a handshake without traffic secrets');
    this.#source = source;
    this.#ring = ring;
    this.#writing = new Direction(suite, own, 1);
    this.#reading = new Direction(suite, others, 0);
    this.#postHandshake = new PostHandshake(role);
    this.#recordsPerKey = recordsPerKey;
  }

  get inside(): boolean {
    return this.#held !== undefined;
  }

  /** To a change of keys. */
  get mayAnswer(): boolean {
    return this.#ring.waiting;
  }

  open(length: number, into: IoBuffer, offset: number, room: number): number {
    const { view, base } = this.#source;
    let at = 0;
    this.opened = 0;
    if (this.#held !== undefined) this.#giveHeld(into, offset, room);
    while (length - at >= RECORD_HEADER_BYTES && this.opened < room) {
      const protectedLength = (view[at + 3]! << 8) | view[at + 4]!;
      const wrong = checkHeader(view[at]!, protectedLength);
      if (wrong !== undefined) {
        this.#fail(wrong);
        break;
      }
      if (length - at < RECORD_HEADER_BYTES + protectedLength) break;
      this.#openRecord(base + at, protectedLength, into, offset + this.opened, room - this.opened);
      at += RECORD_HEADER_BYTES + protectedLength;
      if (this.end !== undefined) break;
    }
    return at;
  }

  /** Opens one record to where there is room, else aside. */
  #openRecord(address: number, protectedLength: number, into: IoBuffer, offset: number, room: number): void {
    const inner = protectedLength - TAG_BYTES;
    const fits = inner <= room;
    const target = fits ? into : scratch;
    const first = fits ? offset : 0;
    if (!this.#reading.protection.open(address, protectedLength, target.addressOf(first, inner))) {
      this.#fail({ description: ALERT.badRecordMac, text: 'a record was altered on its way' });
      return;
    }
    // Padding is zeros behind the content type (RFC 8446, section 5.4).
    const { bytes } = target;
    let last = first + inner - 1;
    while (last >= first && bytes[last] === 0) last--;
    if (last < first) {
      this.#fail({ description: ALERT.unexpectedMessage, text: 'a record without a content type' });
      return;
    }
    const length = last - first;
    if (length > MAX_PLAINTEXT_BYTES) {
      this.#fail({ description: ALERT.recordOverflow, text: `a record of ${length} bytes` });
      return;
    }
    if (bytes[last] !== CONTENT_TYPE.applicationData || length === 0 || this.#postHandshake.unfinished) {
      this.#takeOther(bytes[last]!, Buffer.from(bytes.subarray(first, last)));
      return;
    }
    this.#idleRecords = 0;
    if (fits) {
      this.opened += length;
      return;
    }
    this.#held = Buffer.from(bytes.subarray(0, length));
    this.#giveHeld(into, offset, room);
  }

  #giveHeld(into: IoBuffer, offset: number, room: number): void {
    const held = this.#held!;
    const n = held.copy(into.bytes, offset, 0, Math.min(room, held.length));
    this.opened += n;
    this.#held = n < held.length ? held.subarray(n) : undefined;
  }

  /** A record that brings no data. */
  #takeOther(type: number, content: Buffer): void {
    if (++this.#idleRecords > MAX_IDLE_RECORDS) {
      const text = `more than ${MAX_IDLE_RECORDS} records in a row that bring nothing`;
      this.#fail({ description: ALERT.unexpectedMessage, text });
      return;
    }
    const unfinished = this.#postHandshake.unfinished;
    if (type === CONTENT_TYPE.handshake && content.length > 0) {
      this.#takeHandshake(content);
      return;
    }
    if (type === CONTENT_TYPE.alert && !unfinished) {
      if (content.length === ALERT_BYTES) this.end = meaningOfAlert(content[1]!);
      else this.#fail({ description: ALERT.decodeError, text: `an alert of ${content.length} bytes` });
      return;
    }
    if (type === CONTENT_TYPE.applicationData && !unfinished) return;
    const text = unfinished
      ? 'another record within a handshake message'
      : `an empty or unknown record, type ${type}`;
    this.#fail({ description: ALERT.unexpectedMessage, text });
  }

  #takeHandshake(content: Buffer): void {
    try {
      const update = this.#postHandshake.take(content);
      if (update === undefined) return;
      this.#reading.update();
      if (update.requested) this.#updateWriting();
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      this.#sealSmall(CONTENT_TYPE.alert, alert(ALERT.unexpectedMessage));
      this.end = error;
    }
  }

  /** Says that our key changes, and changes it. */
  #updateWriting(): void {
    this.#sealSmall(CONTENT_TYPE.handshake, keyUpdateMessage());
    this.#writing.update();
  }

  #fail({ description, text, code = 'protocol-error' }: Broken): void {
    this.#sealSmall(CONTENT_TYPE.alert, alert(description));
    this.end = new TlsError(code, text);
  }

  seal(from: number, length: number): undefined {
    for (let at = 0; at < length; at += MAX_PLAINTEXT_BYTES) {
      if (this.#writing.protection.records >= this.#recordsPerKey) this.#updateWriting();
      const n = Math.min(MAX_PLAINTEXT_BYTES, length - at);
      this.#sealOne(CONTENT_TYPE.applicationData, from + at, n);
    }
  }

  sealEnd(): void {
    this.#sealSmall(CONTENT_TYPE.alert, alert(ALERT.closeNotify));
  }

  #sealSmall(type: ContentType, content: Buffer): void {
    smallScratch.bytes.set(content);
    this.#sealOne(type, smallScratch.addressOf(0, content.length), content.length);
  }

  #sealOne(type: ContentType, from: number, length: number): void {
    const ring = this.#ring;
    const at = ring.reserve(length + RECORD_OVERHEAD_BYTES);
    this.#writing.protection.seal(type, from, length, ring.bytes, at, ring.base + at);
  }

  close(): void {
    this.#reading.close();
    this.#writing.close();
    this.#held = undefined;
  }
}

interface Broken {
  /** Of the alert. */
  readonly description: number;
  readonly text: string;
  readonly code?: TlsFailure;
}

function checkHeader(type: number, protectedLength: number): Broken | undefined {
  if (type < FIRST_CONTENT_TYPE || type > CONTENT_TYPE.applicationData)
    return { description: ALERT.unexpectedMessage, text: `a record of type ${type}`, code: 'not-tls' };
  if (type !== CONTENT_TYPE.applicationData)
    return { description: ALERT.unexpectedMessage, text: `an unprotected record, type ${type}` };
  if (protectedLength > MAX_PROTECTED_BYTES) {
    const text = `a record of ${protectedLength} bytes`;
    return { description: ALERT.recordOverflow, text, code: 'not-tls' };
  }
  if (protectedLength <= TAG_BYTES)
    return { description: ALERT.badRecordMac, text: `a record of ${protectedLength} bytes` };
  return undefined;
}
