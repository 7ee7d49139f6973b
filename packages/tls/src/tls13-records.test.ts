import { IoBuffer } from '@ambient/linux';
import { expect } from 'chai';
import { TlsError } from './errors.ts';
import { ReadRing } from './read-ring.ts';
import type { ContentType } from './record-protection.ts';
import {
  CONTENT_TYPE,
  MAX_PLAINTEXT_BYTES,
  RECORD_OVERHEAD_BYTES,
  RecordProtection,
} from './record-protection.ts';
import { Tls13Records } from './tls13-records.ts';
import { cipherSuites, nextTrafficSecret } from './traffic-keys.ts';
import { MAX_WRITE_BYTES, WriteRing } from './write-ring.ts';

const aes128 = cipherSuites['TLS_AES_128_GCM_SHA256']!;

/** Secrets of the example trace of RFC 8448, section 3. */
const clientSecret = '9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5';
const serverSecret = 'a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643';
const secrets = (): { client: Buffer; server: Buffer } => ({
  client: Buffer.from(clientSecret, 'hex'),
  server: Buffer.from(serverSecret, 'hex'),
});

/** One end of a session, with rings of its own. */
class End {
  readonly source = new ReadRing();
  readonly ring = new WriteRing();
  readonly records: Tls13Records;

  constructor(role: 'client' | 'server', suite = aes128, own = secrets(), recordsPerKey?: number) {
    this.records = new Tls13Records(role, suite, own, this.source, this.ring, recordsPerKey);
  }

  /** Ciphertext of what was put into the write ring. */
  take(): Buffer {
    return Buffer.from(this.ring.bytes.subarray(0, this.ring.take()));
  }

  seal(plaintext: Buffer): Buffer {
    const from = new IoBuffer(Math.max(1, plaintext.length));
    plaintext.copy(from.bytes);
    this.records.seal(from.addressOf(0, plaintext.length), plaintext.length);
    return this.take();
  }

  /** Opens all of it. @returns the plaintext that fits into `room` */
  open(ciphertext: Buffer, room = 300 * 1024): Buffer {
    ciphertext.copy(this.source.view);
    const into = new IoBuffer(room);
    this.records.open(ciphertext.length, into, 0, room);
    return Buffer.from(into.bytes.subarray(0, this.records.opened));
  }

  get failure(): string {
    const { end } = this.records;
    return end instanceof TlsError ? `${end.code}: ${end.message}` : String(end);
  }
}

/** Makes records of any kind under a secret, as a peer that goes its own ways would. */
class Forger {
  #secret: Buffer;
  #protection: RecordProtection;

  constructor(secret: string) {
    this.#secret = Buffer.from(secret, 'hex');
    this.#protection = new RecordProtection(aes128, this.#secret, 1);
  }

  /** @param inner content, content type and padding: TLSInnerPlaintext of RFC 8446, section 5.2 */
  raw(inner: Buffer): Buffer {
    return this.record(inner, 0 as ContentType); // one more zero of padding
  }

  record(content: Buffer, type: ContentType): Buffer {
    const from = new IoBuffer(Math.max(1, content.length));
    content.copy(from.bytes);
    const out = new IoBuffer(content.length + RECORD_OVERHEAD_BYTES);
    const length = this.#protection.seal(
      type,
      from.addressOf(0, content.length),
      content.length,
      out.bytes,
      0,
      out.addressOf(0, out.length),
    );
    return Buffer.from(out.bytes.subarray(0, length));
  }

  update(): void {
    this.#secret = nextTrafficSecret(aes128, this.#secret);
    this.#protection = new RecordProtection(aes128, this.#secret, 1);
  }
}

const data = CONTENT_TYPE.applicationData;

describe('Tls13Records', () => {
  it('makes and reads the records of the example trace of RFC 8448', () => {
    const plaintext = Buffer.from(Array.from({ length: 50 }, (_, i) => i));
    // The trace's client: its first record of application data, and its close_notify.
    const record =
      '1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4';
    const client = new End('client');
    expect(client.seal(plaintext).toString('hex')).to.equal(record);
    const server = new End('server');
    expect(server.open(Buffer.from(record, 'hex'))).to.deep.equal(plaintext);
    client.records.sealEnd();
    const end = client.take();
    expect(end.toString('hex')).to.equal('1703030013c9872760655666b74d7ff1153efd6db6d0b0e3');
    expect(server.open(end)).to.have.length(0);
    expect(server.records.end).to.equal(0);
  });

  for (const [name, suite] of Object.entries(cipherSuites))
    it(`carries writes of every size with ${name}`, () => {
      const own = { client: Buffer.alloc(suite.hashLength, 1), server: Buffer.alloc(suite.hashLength, 2) };
      const copy = { client: Buffer.from(own.client), server: Buffer.from(own.server) };
      const [client, server] = [new End('client', suite, own), new End('server', suite, copy)];
      for (const length of [
        1,
        15,
        16,
        17,
        MAX_PLAINTEXT_BYTES - 1,
        MAX_PLAINTEXT_BYTES,
        MAX_PLAINTEXT_BYTES + 1,
        MAX_WRITE_BYTES,
      ]) {
        const plaintext = Buffer.from(Array.from({ length }, (_, i) => (i * 31) & 0xff));
        expect(server.open(client.seal(plaintext)).equals(plaintext), `${length} bytes`).to.equal(true);
        expect(client.open(server.seal(plaintext)).equals(plaintext), `${length} bytes back`).to.equal(true);
      }
    });

  it('keeps what there is no room for, and gives it without new ciphertext', () => {
    const [client, server] = [new End('client'), new End('server')];
    const plaintext = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff));
    const parts = [server.open(client.seal(plaintext), 300)];
    while (server.records.inside) parts.push(server.open(Buffer.alloc(0), 300));
    expect(parts.map(({ length }) => length)).to.deep.equal([300, 300, 300, 100]);
    expect(Buffer.concat(parts)).to.deep.equal(plaintext);
  });

  it('leaves the beginning of a record for the next time', () => {
    const [client, server] = [new End('client'), new End('server')];
    const whole = client.seal(Buffer.from('complete'));
    for (const cut of [0, 4, 5, whole.length - 1]) {
      whole.copy(server.source.view);
      const into = new IoBuffer(64);
      expect(server.records.open(cut, into, 0, 64), `${cut} bytes`).to.equal(0);
    }
    expect(server.open(whole).toString()).to.equal('complete');
  });

  it('changes its key in time, and follows a peer that does', () => {
    const [client, server] = [new End('client', aes128, secrets(), 2), new End('server')];
    for (let i = 0; i < 7; i++) {
      const sealed = client.seal(Buffer.from(`message ${i}`));
      expect(sealed.length > 9 + RECORD_OVERHEAD_BYTES).to.equal(i > 0 && i % 2 === 0);
      expect(server.open(sealed).toString()).to.equal(`message ${i}`);
    }
    expect(server.ring.waiting, 'an answer that was not asked for').to.equal(false);
  });

  it('changes its own key when the peer asks for that', () => {
    const [client, server] = [new End('client'), new End('server')];
    const forger = new Forger(clientSecret);
    const ask = forger.record(Buffer.of(24, 0, 0, 1, 1), CONTENT_TYPE.handshake);
    forger.update();
    const next = forger.record(Buffer.from('under the new key'), data);
    expect(server.open(Buffer.concat([ask, next])).toString()).to.equal('under the new key');
    const answer = server.take();
    expect(answer).to.have.length(5 + RECORD_OVERHEAD_BYTES);
    expect(client.open(Buffer.concat([answer, server.seal(Buffer.from('and back'))])).toString()).to.equal(
      'and back',
    );
  });

  it('throws tickets away, also one in two records', () => {
    const client = new End('client');
    const forger = new Forger(serverSecret);
    const ticket = Buffer.concat([Buffer.of(4, 0, 0, 100), Buffer.alloc(100, 1)]);
    const records = [
      forger.record(Buffer.concat([ticket, ticket]), CONTENT_TYPE.handshake),
      forger.record(ticket.subarray(0, 3), CONTENT_TYPE.handshake),
      forger.record(ticket.subarray(3), CONTENT_TYPE.handshake),
      forger.record(Buffer.from('data'), data),
    ];
    expect(client.open(Buffer.concat(records)).toString()).to.equal('data');
    expect(client.records.end).to.equal(undefined);
  });

  it('removes padding', () => {
    const server = new End('server');
    const forger = new Forger(clientSecret);
    const inner = Buffer.concat([Buffer.from('padded\0'), Buffer.of(data), Buffer.alloc(100)]);
    expect(server.open(forger.raw(inner)).toString()).to.equal('padded\0');
  });

  for (const [title, forge, expected] of [
    ['a record that was altered', (f) => flip(f.record(Buffer.from('x'), data)), /protocol-error: .*altered/],
    [
      'a fatal alert',
      (f) => f.record(Buffer.of(2, 48), CONTENT_TYPE.alert),
      /refused-by-peer: .*unknown_ca \(48\)/,
    ],
    ['an alert of one byte', (f) => f.record(Buffer.of(2), CONTENT_TYPE.alert), /protocol-error/],
    ['plain text', () => Buffer.from('HTTP/1.1 200 OK'), /not-tls: a record of type 72/],
    ['a change of cipher spec', () => Buffer.of(20, 3, 3, 0, 1, 1), /protocol-error: .*unprotected/],
    ['an alert in the clear', () => Buffer.of(21, 3, 3, 0, 2, 2, 40), /protocol-error: .*unprotected/],
    ['a record that is too long', () => Buffer.of(23, 3, 3, 0x41, 0x01), /not-tls: .*16641 bytes/],
    ['a record that is too short', () => Buffer.of(23, 3, 3, 0, 16), /protocol-error: .*16 bytes/],
    ['a record of zeros', (f) => f.raw(Buffer.alloc(20)), /protocol-error: .*without a content type/],
    ['an unknown content type', (f) => f.raw(Buffer.of(1, 99)), /protocol-error: .*type 99/],
    [
      'more than 16 KiB in a record',
      (f) => f.record(Buffer.alloc(MAX_PLAINTEXT_BYTES + 1, 1), data),
      /protocol-error: .*16385 bytes/,
    ],
    [
      'a ticket from a client',
      (f) => f.record(Buffer.of(4, 0, 0, 0), CONTENT_TYPE.handshake),
      /protocol-error: .*type 4/,
    ],
    [
      'a renegotiation',
      (f) => f.record(Buffer.of(1, 0, 0, 0), CONTENT_TYPE.handshake),
      /protocol-error: .*type 1/,
    ],
    [
      'a malformed KeyUpdate',
      (f) => f.record(Buffer.of(24, 0, 0, 1, 2), CONTENT_TYPE.handshake),
      /protocol-error: .*malformed KeyUpdate/,
    ],
    [
      'something behind a KeyUpdate',
      (f) => f.record(Buffer.of(24, 0, 0, 1, 0, 24), CONTENT_TYPE.handshake),
      /protocol-error: .*does not end its record/,
    ],
    [
      'data within a handshake message',
      (f) =>
        Buffer.concat([f.record(Buffer.of(24, 0), CONTENT_TYPE.handshake), f.record(Buffer.from('x'), data)]),
      /protocol-error: .*within a handshake message/,
    ],
    [
      'a handshake message without end',
      (f) => f.record(Buffer.of(4, 1, 0, 0), CONTENT_TYPE.handshake),
      /protocol-error: .*65536 bytes/,
    ],
    [
      'empty records without end',
      (f) => Buffer.concat(Array.from({ length: 33 }, () => f.record(Buffer.alloc(0), data))),
      /protocol-error: .*bring nothing/,
    ],
  ] as readonly [string, (forger: Forger) => Buffer, RegExp][])
    it(`ends the session at ${title}`, () => {
      const server = new End('server');
      const good = new Forger(clientSecret);
      expect(server.open(forge(good)).length).to.equal(0);
      expect(server.failure).to.match(expected);
      if (title.includes('fatal alert')) return;
      // The peer hears why.
      const client = new End('client');
      client.open(server.take());
      expect(client.failure).to.match(
        /refused-by-peer: .*alert (unexpected_message|bad_record_mac|record_overflow|decode_error)/,
      );
    });

  it('gives what came before a failure', () => {
    const [client, server] = [new End('client'), new End('server')];
    const good = client.seal(Buffer.from('good'));
    expect(server.open(Buffer.concat([good, flip(client.seal(Buffer.from('bad')))])).toString()).to.equal(
      'good',
    );
    expect(server.failure).to.match(/altered/);
  });
});

function flip(record: Buffer): Buffer {
  record[record.length - 1]! ^= 1;
  return record;
}
