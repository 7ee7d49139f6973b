/** What signing in the name of a CA certificate needs of it, byte for byte as it stands there. */
import { DerCursor, DerError, derTag } from '@ambient/identity/signing';

export interface CaCertificateFields {
  /** The subject Name in DER: what becomes the issuer of certificates. */
  readonly subjectDer: Buffer;
  /** subjectKeyIdentifier; undefined if the certificate has none. Verifiers compare it with the leaf's authority key id. */
  readonly keyId: Buffer | undefined;
}

const subjectKeyIdentifier = '551d0e';

/**
 * Reads a certificate (RFC 5280 section 4.1) in DER.
 *
 * @throws DerError
 */
export function readCaCertificateFields(der: Buffer): CaCertificateFields {
  const tbs = new DerCursor(der)
    .enter('certificate', derTag.sequence)
    .enter('tbsCertificate', derTag.sequence);
  tbs.optional('version', 0xa0);
  tbs.integerHex('serial number');
  tbs.next('signature algorithm', derTag.sequence);
  tbs.next('issuer', derTag.sequence);
  tbs.next('validity', derTag.sequence);
  const subject = tbs.next('subject', derTag.sequence);
  if (subject.body === subject.end) throw new DerError('the subject is empty');
  tbs.next('public key', derTag.sequence);
  tbs.optional('issuerUniqueID', 0x81);
  tbs.optional('subjectUniqueID', 0x82);
  const extensions = tbs.optional('extensions', 0xa3);
  return {
    subjectDer: der.subarray(subject.start, subject.end),
    keyId: extensions === undefined ? undefined : readKeyId(der, tbs.inside(extensions)),
  };
}

function readKeyId(der: Buffer, wrapper: DerCursor): Buffer | undefined {
  const extensions = wrapper.enter('extensions', derTag.sequence);
  while (!extensions.done) {
    const extension = extensions.enter('extension', derTag.sequence);
    const id = extension.hex(extension.next('extension id', derTag.oid));
    extension.optional('critical', derTag.boolean);
    const value = extension.enter('extension value', derTag.octetString);
    if (id !== subjectKeyIdentifier) continue;
    const { body, end } = value.next('key identifier', derTag.octetString);
    return der.subarray(body, end);
  }
  return undefined;
}
