/**
 * Builds the DER of certificates and requests, on node-forge's ASN.1. The library is loaded on first use, so that a
 * process that has nothing to sign does not hold it.
 */
import type { asn1 as Asn1 } from 'node-forge';

export type Asn1Node = Asn1.Asn1;

/** Nodes of a DER tree and their encoding. */
export class DerBuilder {
  readonly #asn1: typeof Asn1;

  private constructor(asn1: typeof Asn1) {
    this.#asn1 = asn1;
  }

  static async load(): Promise<DerBuilder> {
    return new DerBuilder((await import('node-forge/lib/asn1.js')).default);
  }

  sequence(...children: Asn1Node[]): Asn1Node {
    return this.#universal(this.#asn1.Type.SEQUENCE, children);
  }

  set(...children: Asn1Node[]): Asn1Node {
    return this.#universal(this.#asn1.Type.SET, children);
  }

  oid(dotted: string): Asn1Node {
    return this.#universal(this.#asn1.Type.OID, this.#asn1.oidToDer(dotted).getBytes());
  }

  /** @param value big-endian, unsigned; a sign octet is added where needed */
  integer(value: Uint8Array): Asn1Node {
    let from = 0;
    while (from < value.length - 1 && value[from] === 0) from++;
    const bytes = binary(value.subarray(from));
    return this.#universal(this.#asn1.Type.INTEGER, value[from]! >= 0x80 ? `\0${bytes}` : bytes);
  }

  boolean(value: boolean): Asn1Node {
    return this.#universal(this.#asn1.Type.BOOLEAN, value ? '\xff' : '\0');
  }

  null(): Asn1Node {
    return this.#universal(this.#asn1.Type.NULL, '');
  }

  /** @param value 0 to 127 */
  enumerated(value: number): Asn1Node {
    return this.#universal(this.#asn1.Type.ENUMERATED, String.fromCharCode(value));
  }

  octets(value: Uint8Array): Asn1Node {
    return this.#universal(this.#asn1.Type.OCTETSTRING, binary(value));
  }

  /** @param unusedBits of the last byte, 0 to 7 */
  bits(value: Uint8Array, unusedBits = 0): Asn1Node {
    return this.#universal(this.#asn1.Type.BITSTRING, String.fromCharCode(unusedBits) + binary(value));
  }

  utf8(value: string): Asn1Node {
    return this.#universal(this.#asn1.Type.UTF8, binary(Buffer.from(value)));
  }

  /** UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
  time(ms: number): Asn1Node {
    const date = new Date(ms);
    return date.getUTCFullYear() < 2050
      ? this.#universal(this.#asn1.Type.UTCTIME, this.#asn1.dateToUtcTime(date))
      : this.#universal(this.#asn1.Type.GENERALIZEDTIME, this.#asn1.dateToGeneralizedTime(date));
  }

  /** A context tag around nodes (explicit) or around bytes (implicit). */
  context(number: number, value: Asn1Node[] | Uint8Array): Asn1Node {
    const { Class } = this.#asn1;
    return Array.isArray(value)
      ? this.#asn1.create(Class.CONTEXT_SPECIFIC, number, true, value)
      : this.#asn1.create(Class.CONTEXT_SPECIFIC, number, false, binary(value));
  }

  /** DER that exists already, such as a public key. */
  raw(der: Uint8Array): Asn1Node {
    return this.#asn1.fromDer(binary(der), true);
  }

  encode(node: Asn1Node): Buffer {
    return Buffer.from(this.#asn1.toDer(node).getBytes(), 'latin1');
  }

  #universal(type: Asn1.Type, value: Asn1Node[] | string): Asn1Node {
    return this.#asn1.create(this.#asn1.Class.UNIVERSAL, type, Array.isArray(value), value);
  }
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
