/** Certificate revocation lists (RFC 5280 section 5), read strictly and checked against the issuers that are known. */
import { verify } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';

import { DerCursor, DerError, derTag } from './der.ts';
import { distinguishedNameKey } from './distinguished-name.ts';
import { parsePeerCertificate, readAuthorityKeyId } from './peer-certificate.ts';
import { pemBodies } from './pem.ts';
import { readSignatureAlgorithm } from './x509-signature.ts';

/** One revocation list, its signature not yet looked at. */
export interface RevocationList {
  readonly issuerKey: string;
  /** Lower-case hex; undefined if the list names no key. */
  readonly authorityKeyId: string | undefined;
  /** Serial numbers, lower-case hex without leading zero octets. */
  readonly serials: ReadonlySet<string>;
  /** The part that is signed, DER. */
  readonly signedPart: Uint8Array;
  /** Object identifier of the signature algorithm, hex of its DER content. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/** The file is no set of revocation lists that can be relied on. */
export class CrlError extends Error {
  override readonly name = 'CrlError';
  readonly code: 'malformed-crl' | 'crl-signature';
  constructor(code: CrlError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const extensionOid = {
  issuingDistributionPoint: '551d1c',
  authorityKeyIdentifier: '551d23',
  reasonCode: '551d15',
} as const;

/**
 * Reads revocation lists: one in DER, or any number of `X509 CRL` blocks in PEM.
 *
 * @throws CrlError `malformed-crl` on anything unreadable, on a file without a list, and on lists that say what we
 *   cannot honour (delta and indirect lists, unknown critical extensions): half a list would be worse than none
 */
export function parseRevocationLists(content: Uint8Array): RevocationList[] {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  const isPem = text.includes('-----BEGIN');
  const lists = isPem ? pemBodies(text, 'X509 CRL') : [content];
  // A block that is cut off would vanish silently.
  if (lists.length === 0 || (isPem && lists.length !== text.split('-----BEGIN X509 CRL-----').length - 1))
    throw new CrlError(
      'malformed-crl',
      'The file holds no whole X509 CRL block. Write the list in PEM or DER (openssl crl -in FILE -text shows it).',
    );
  try {
    return lists.map(parseList);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new CrlError(
      'malformed-crl',
      `The revocation list cannot be read: ${error.message}. Have the CA issue a complete list again (openssl crl -in FILE -text shows it).`,
      { cause: error },
    );
  }
}

function parseList(der: Uint8Array): RevocationList {
  const whole = new DerCursor(der);
  const outer = whole.enter('revocation list', derTag.sequence);
  whole.finish('revocation list');
  const tbsElement = outer.next('tbsCertList', derTag.sequence);
  const algorithmFields = outer.enter('signature algorithm', derTag.sequence);
  const algorithm = algorithmFields.hex(algorithmFields.next('algorithm', derTag.oid));
  const signature = outer.next('signature', derTag.bitString);
  outer.finish('revocation list');
  if (der[signature.body] !== 0) throw new DerError('the signature is not made of whole bytes');

  const tbs = outer.inside(tbsElement);
  if (tbs.peek() === derTag.integer && tbs.integerHex('version') !== '01')
    throw new DerError('the version is not 2');
  tbs.next('inner signature algorithm', derTag.sequence);
  const issuerKey = distinguishedNameKey(tbs, tbs.next('issuer', derTag.sequence));
  tbs.timeMs('thisUpdate');
  if (tbs.peek() === derTag.utcTime || tbs.peek() === derTag.generalizedTime) tbs.timeMs('nextUpdate');
  const serials = new Set<string>();
  const revoked = tbs.optional('revokedCertificates', derTag.sequence);
  if (revoked !== undefined) readEntries(tbs.inside(revoked), serials);
  let authorityKeyId: string | undefined;
  const wrapper = tbs.optional('extensions', 0xa0);
  if (wrapper !== undefined) {
    const inner = tbs.inside(wrapper);
    authorityKeyId = readListExtensions(inner.enter('extensions', derTag.sequence));
    inner.finish('extensions');
  }
  tbs.finish('tbsCertList');
  return {
    issuerKey,
    authorityKeyId,
    serials,
    signedPart: der.subarray(tbsElement.start, tbsElement.end),
    algorithm,
    signature: der.subarray(signature.body + 1, signature.end),
  };
}

function readEntries(entries: DerCursor, serials: Set<string>): void {
  while (!entries.done) {
    const entry = entries.enter('revoked certificate', derTag.sequence);
    serials.add(entry.integerHex('serial number'));
    entry.timeMs('revocationDate');
    if (!entry.done)
      forEachExtension(entry.enter('entry extensions', derTag.sequence), (id, critical) => {
        // certificateIssuer, critical, is how an indirect list speaks of other CAs' certificates.
        if (critical && id !== extensionOid.reasonCode)
          throw new DerError('an entry has a critical extension that is not known, or the list is indirect');
      });
    entry.finish('revoked certificate');
  }
}

function readListExtensions(extensions: DerCursor): string | undefined {
  let keyId: string | undefined;
  forEachExtension(extensions, (id, critical, content) => {
    if (id === extensionOid.authorityKeyIdentifier) keyId = readAuthorityKeyId(content);
    else if (id === extensionOid.issuingDistributionPoint) checkDistributionPoint(content);
    else if (critical)
      throw new DerError('the list is a delta, or has a critical extension that is not known');
  });
  return keyId;
}

/** RFC 5280 section 5.2.5: [4] indirectCRL and [5] onlyContainsAttributeCerts change whom the list is about. */
function checkDistributionPoint(content: DerCursor): void {
  const fields = content.enter('issuingDistributionPoint', derTag.sequence);
  while (!fields.done) {
    const { tag, body } = fields.next('distribution point field');
    if ((tag === 0x84 || tag === 0x85) && fields.bytes[body] !== 0)
      throw new DerError('the list is indirect, or for attribute certificates');
  }
}

function forEachExtension(
  list: DerCursor,
  see: (id: string, critical: boolean, content: DerCursor) => void,
): void {
  while (!list.done) {
    const extension = list.enter('extension', derTag.sequence);
    const id = extension.hex(extension.next('extension id', derTag.oid));
    const critical = extension.peek() === derTag.boolean && extension.boolean('critical');
    see(id, critical, extension.enter('extension value', derTag.octetString));
    extension.finish('extension');
  }
}

/** How a list stands to the CAs that are known. */
export type SignatureVerdict = 'valid' | 'invalid' | 'unknown-issuer';

/** A CA that may have signed a list. */
export interface CrlIssuer {
  readonly subjectKey: string;
  readonly publicKey: KeyObject;
}

/** Reads a CA certificate as an issuer of lists; undefined if we cannot read it. */
export function crlIssuer(certificate: X509Certificate): CrlIssuer | undefined {
  try {
    return { subjectKey: parsePeerCertificate(certificate.raw).subjectKey, publicKey: certificate.publicKey };
  } catch {
    return undefined;
  }
}

/**
 * Whether a list is signed by a CA of its issuer's name. Several CAs may have one name while a root is rotated: one that
 * fits is enough. A list whose CA is not known (an intermediate that only peers send) cannot be judged.
 */
export function verifyRevocationList(list: RevocationList, issuers: readonly CrlIssuer[]): SignatureVerdict {
  const named = issuers.filter(({ subjectKey }) => subjectKey === list.issuerKey);
  if (named.length === 0) return 'unknown-issuer';
  const kind = readSignatureAlgorithm(list.algorithm);
  if (kind === undefined) return 'invalid';
  return named.some(({ publicKey }) => signedBy(list, kind.digest, publicKey)) ? 'valid' : 'invalid';
}

function signedBy(list: RevocationList, digest: string | null, publicKey: KeyObject): boolean {
  try {
    return verify(digest, list.signedPart, publicKey, list.signature);
  } catch {
    return false; // a key of another type than the algorithm
  }
}
