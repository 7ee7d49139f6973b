/**
 * Workload certificates of one authority, at the rate of a node pool that starts. All that is the same in each of them is
 * encoded once; the rest is put in between by hand. What comes out is, byte for byte, what `issueCertificate` makes.
 */
import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

import { clientAuth, serverAuth } from '@ambient/identity';
import { DerBuilder, oid, signatureScheme, SigningKeyError } from '@ambient/identity/signing';
import type { Asn1Node, SignatureScheme } from '@ambient/identity/signing';

import type { SigningAuthority } from './signing-authority.ts';

/** What differs from leaf to leaf. */
export interface LeafSpec {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Buffer;
  /** Big-endian, unsigned, without leading zero octets. */
  readonly serialNumber: Buffer;
  /** Unix milliseconds; certificates count in seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The one name. */
  readonly uri: string;
}

const tag = {
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;
const uriName = 0x86;
const extensionsTag = 0xa3;
const version3 = Buffer.from('a003020102', 'hex');
const emptyName = Buffer.from('3000', 'hex');

const signInPool = promisify(
  (
    digest: string,
    data: Buffer,
    key: KeyObject,
    done: (error: Error | null, signature: Buffer) => void,
  ): void => sign(digest, data, key, done),
);

export class LeafTemplate {
  readonly #key: KeyObject;
  readonly #scheme: SignatureScheme;
  readonly #algorithm: Buffer;
  readonly #issuer: Buffer;
  /** Key usage and basic constraints. */
  readonly #firstExtensions: Buffer;
  readonly #keyIdOid: Buffer;
  /** Authority key id and extended key usage. */
  readonly #lastExtensions: Buffer;
  /** Object identifier and "critical" of the subject alternative name. */
  readonly #nameHead: Buffer;

  private constructor(authority: SigningAuthority, der: DerBuilder, scheme: SignatureScheme) {
    const { signer } = authority;
    const extension = (id: string, critical: boolean, value: Asn1Node): Buffer =>
      der.encode(
        der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(der.encode(value))),
      );
    this.#key = signer.privateKey;
    this.#scheme = scheme;
    this.#algorithm = der.encode(
      der.sequence(der.oid(scheme.oid), ...(scheme.nullParameters ? [der.null()] : [])),
    );
    this.#issuer = Buffer.from(signer.nameDer!);
    this.#firstExtensions = Buffer.concat([
      extension(oid.keyUsage, true, der.bits(Uint8Array.of(0x80), 7)),
      extension(oid.basicConstraints, true, der.sequence()),
    ]);
    this.#keyIdOid = der.encode(der.oid(oid.subjectKeyIdentifier));
    this.#lastExtensions = Buffer.concat([
      extension(
        oid.authorityKeyIdentifier,
        false,
        der.sequence(der.context(0, signer.keyId ?? keyId(signer.publicKeyDer))),
      ),
      extension(oid.extendedKeyUsage, false, der.sequence(der.oid(serverAuth), der.oid(clientAuth))),
    ]);
    this.#nameHead = Buffer.concat([
      der.encode(der.oid(oid.subjectAltName)),
      // The subject is empty (RFC 5280 section 4.2.1.6).
      der.encode(der.boolean(true)),
    ]);
  }

  /** @throws SigningKeyError */
  static async of(authority: SigningAuthority): Promise<LeafTemplate> {
    const scheme = signatureScheme(authority.signer.privateKey);
    if (scheme === undefined)
      throw new SigningKeyError('The CA key is neither ECDSA nor RSA. Make a new pair.');
    return new LeafTemplate(authority, await DerBuilder.load(), scheme);
  }

  /** The certificate in DER. */
  async issue(leaf: LeafSpec): Promise<Buffer> {
    const content = this.#content(leaf);
    // ECDSA takes 40 us, less than the way to another thread and back; RSA ten times that, too long to keep others waiting.
    const signature =
      this.#key.asymmetricKeyType === 'rsa'
        ? await signInPool(this.#scheme.digest, content, this.#key)
        : sign(this.#scheme.digest, content, this.#key);
    return element(tag.sequence, content, this.#algorithm, element(tag.bits, Uint8Array.of(0), signature));
  }

  #content({ publicKeyDer, serialNumber, notBeforeMs, notAfterMs, uri }: LeafSpec): Buffer {
    const serial =
      serialNumber[0]! >= 0x80
        ? element(tag.integer, Uint8Array.of(0), serialNumber)
        : element(tag.integer, serialNumber);
    const names = element(tag.sequence, element(uriName, Buffer.from(uri, 'latin1')));
    const extensions = element(
      tag.sequence,
      this.#firstExtensions,
      element(tag.sequence, this.#keyIdOid, element(tag.octets, element(tag.octets, keyId(publicKeyDer)))),
      this.#lastExtensions,
      element(tag.sequence, this.#nameHead, element(tag.octets, names)),
    );
    return element(
      tag.sequence,
      version3,
      serial,
      this.#algorithm,
      this.#issuer,
      element(tag.sequence, time(notBeforeMs), time(notAfterMs)),
      emptyName,
      publicKeyDer,
      element(extensionsTag, extensions),
    );
  }
}

/** One element of DER (X.690 section 8.1) with these bytes as its content. */
function element(tagOctet: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = length < 0x80 ? 2 : length < 0x100 ? 3 : 4;
  const whole = Buffer.allocUnsafe(head + length);
  whole[0] = tagOctet;
  if (head === 2) whole[1] = length;
  else {
    whole[1] = 0x80 | (head - 2);
    whole.writeUIntBE(length, 2, head - 2);
  }
  let at = head;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
function time(ms: number): Buffer {
  // 2026-06-01T00:00:00.000Z without its separators.
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return digits < '2050'
    ? element(tag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : element(tag.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** As `issueCertificate` names keys (RFC 7093 section 2, method 4). */
function keyId(publicKeyDer: Uint8Array): Buffer {
  return createHash('sha256').update(publicKeyDer).digest().subarray(0, 20);
}
