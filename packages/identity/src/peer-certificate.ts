/**
 * What we read from a certificate ourselves. OpenSSL checks chain, signature, dates and key usage; names are ours.
 *
 * The fields are taken from the DER, never from a printed form: printed subject alternative names separate entries by
 * commas, which a URI may contain, so that a hostile certificate could pretend to hold a second name.
 *
 * Safe on data workers: pure and synchronous.
 */
import { ascii, DerCursor, DerError, derTag, toHex } from './der.ts';
import type { DerElement } from './der.ts';
import { distinguishedNameKey } from './distinguished-name.ts';

/** Extended key usages that matter here, as the dotted form of RFC 5280 section 4.2.1.12. */
/** Purposes in the extended key usage of a certificate (RFC 5280, section 4.2.1.12), as object identifiers. */
export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const clientAuth = '1.3.6.1.5.5.7.3.2';

/** A certificate, as far as identity and revocation need it. */
export interface PeerCertificate {
  /** 1 to 3, as certificates are commonly counted. */
  readonly version: number;
  /** basicConstraints says CA:TRUE. */
  readonly isCa: boolean;
  /** URI subject alternative names in their order, byte for byte. */
  readonly uriSans: readonly string[];
  /** Lower-case hex without leading zero octets. */
  readonly serialNumber: string;
  /** Equal for equal issuer names; see {@link distinguishedNameKey}. */
  readonly issuerKey: string;
  readonly subjectKey: string;
  /** Key id of the issuer (authorityKeyIdentifier), lower-case hex; undefined if the certificate names none. */
  readonly authorityKeyId: string | undefined;
  /** Unix milliseconds, inclusive. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Dotted OIDs; undefined if there is no such extension, which allows every usage. */
  readonly extendedKeyUsages: readonly string[] | undefined;
}

/** The certificate cannot be read without doubt; the connection must be refused. */
export class MalformedCertificateError extends Error {
  override readonly name = 'MalformedCertificateError';
  readonly code = 'malformed-certificate';
  constructor(cause: DerError) {
    super(
      `The certificate cannot be read: ${cause.message}. Have its CA issue it again as X.509 v3 in DER.`,
      {
        cause,
      },
    );
  }
}

interface Extensions {
  isCa: boolean;
  uriSans: string[];
  authorityKeyId: string | undefined;
  extendedKeyUsages: string[] | undefined;
}

const extensionOid = {
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyIdentifier: '551d23',
  extendedKeyUsage: '551d25',
} as const;

/**
 * Reads one certificate (RFC 5280 section 4.1) in DER.
 *
 * @throws MalformedCertificateError on anything that is not strict DER, on a repeated extension, and on a URI name
 *   with bytes outside printable ASCII
 */
export function parsePeerCertificate(der: Uint8Array): PeerCertificate {
  try {
    return parse(der);
  } catch (error) {
    if (error instanceof DerError) throw new MalformedCertificateError(error);
    throw error;
  }
}

function parse(der: Uint8Array): PeerCertificate {
  const whole = new DerCursor(der);
  const certificate = whole.enter('certificate', derTag.sequence);
  whole.finish('certificate');
  const tbs = certificate.enter('tbsCertificate', derTag.sequence);
  certificate.next('signature algorithm', derTag.sequence);
  certificate.next('signature', derTag.bitString);
  certificate.finish('signature');

  const version = readVersion(tbs);
  const serialNumber = tbs.integerHex('serial number');
  tbs.next('inner signature algorithm', derTag.sequence);
  const issuerKey = distinguishedNameKey(tbs, tbs.next('issuer', derTag.sequence));
  const validity = tbs.enter('validity', derTag.sequence);
  const notBeforeMs = validity.timeMs('notBefore');
  const notAfterMs = validity.timeMs('notAfter');
  validity.finish('validity');
  const subjectKey = distinguishedNameKey(tbs, tbs.next('subject', derTag.sequence));
  tbs.next('public key', derTag.sequence);
  tbs.optional('issuerUniqueID', 0x81);
  tbs.optional('subjectUniqueID', 0x82);
  const extensions: Extensions = {
    isCa: false,
    uriSans: [],
    authorityKeyId: undefined,
    extendedKeyUsages: undefined,
  };
  const wrapper = tbs.optional('extensions', 0xa3);
  if (wrapper !== undefined) {
    const outer = tbs.inside(wrapper);
    readExtensions(outer.enter('extensions', derTag.sequence), extensions);
    outer.finish('extensions');
  }
  tbs.finish('tbsCertificate');
  return { version, serialNumber, issuerKey, subjectKey, notBeforeMs, notAfterMs, ...extensions };
}

function readVersion(tbs: DerCursor): number {
  const wrapper = tbs.optional('version', 0xa0);
  if (wrapper === undefined) return 1;
  const inner = tbs.inside(wrapper);
  const value = inner.integerHex('version');
  inner.finish('version');
  if (value !== '00' && value !== '01' && value !== '02') throw new DerError('version is not 1, 2 or 3');
  return Number.parseInt(value, 16) + 1;
}

function readExtensions(list: DerCursor, into: Extensions): void {
  const seen = new Set<string>();
  while (!list.done) {
    const extension = list.enter('extension', derTag.sequence);
    const oid = extension.hex(extension.next('extension id', derTag.oid));
    // Two alternative-name extensions would let two readers see two identities.
    if (seen.has(oid)) throw new DerError('an extension is present twice');
    seen.add(oid);
    if (extension.peek() === derTag.boolean) extension.boolean('critical');
    const content = extension.enter('extension value', derTag.octetString);
    extension.finish('extension');
    switch (oid) {
      case extensionOid.subjectAltName:
        readAlternativeNames(content, into.uriSans);
        break;
      case extensionOid.basicConstraints:
        into.isCa = readIsCa(content);
        break;
      case extensionOid.authorityKeyIdentifier:
        into.authorityKeyId = readAuthorityKeyId(content);
        break;
      case extensionOid.extendedKeyUsage:
        into.extendedKeyUsages = readKeyUsages(content);
        break;
    }
  }
}

/** The nine forms of GeneralName, RFC 5280 section 4.2.1.6. OpenSSL gives up on all names of a list that holds another. */
const generalNameTags = new Set([0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]);

/** GeneralNames, RFC 5280 section 4.2.1.6; only uniformResourceIdentifier [6] is kept. */
function readAlternativeNames(content: DerCursor, uris: string[]): void {
  const names = content.enter('subjectAltName', derTag.sequence);
  content.finish('subjectAltName');
  while (!names.done) {
    const name = names.next('alternative name');
    if (!generalNameTags.has(name.tag)) throw new DerError('an alternative name is of no known form');
    if (name.tag === 0x86) uris.push(readUri(names, name));
  }
}

function readUri(names: DerCursor, name: DerElement): string {
  for (let i = name.body; i < name.end; i++) {
    const byte = names.bytes[i]!;
    if (byte <= 0x20 || byte >= 0x7f) throw new DerError('a URI name has bytes that are not printable ASCII');
  }
  return ascii(names.bytes, name.body, name.end);
}

function readIsCa(content: DerCursor): boolean {
  const constraints = content.enter('basicConstraints', derTag.sequence);
  content.finish('basicConstraints');
  const isCa = constraints.peek() === derTag.boolean && constraints.boolean('cA');
  if (!constraints.done) constraints.integerHex('pathLenConstraint');
  constraints.finish('basicConstraints');
  return isCa;
}

/** keyIdentifier [0] of RFC 5280 section 4.2.1.1, the only field that CAs use; also an extension of CRLs. */
export function readAuthorityKeyId(content: DerCursor): string | undefined {
  const fields = content.enter('authorityKeyIdentifier', derTag.sequence);
  content.finish('authorityKeyIdentifier');
  const keyId = fields.optional('keyIdentifier', 0x80);
  return keyId === undefined ? undefined : toHex(fields.bytes, keyId.body, keyId.end);
}

function readKeyUsages(content: DerCursor): string[] {
  const list = content.enter('extendedKeyUsage', derTag.sequence);
  content.finish('extendedKeyUsage');
  const usages: string[] = [];
  while (!list.done) usages.push(dottedOid(list.bytes, list.next('key usage', derTag.oid)));
  return usages;
}

/** X.690 section 8.19. */
function dottedOid(bytes: Uint8Array, { body, end }: DerElement): string {
  const arcs: number[] = [];
  let arc = 0;
  for (let i = body; i < end; i++) {
    const byte = bytes[i]!;
    if (arc === 0 && byte === 0x80) throw new DerError('an object identifier is not in its shortest form');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError('an object identifier is out of range');
    if (byte < 0x80) {
      if (arcs.length === 0)
        arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2));
      else arcs.push(arc);
      arc = 0;
    } else if (i === end - 1) throw new DerError('an object identifier is cut off');
  }
  if (arcs.length === 0) throw new DerError('an object identifier is empty');
  return arcs.join('.');
}
