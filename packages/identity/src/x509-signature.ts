/** Signature algorithms of certificates, requests and revocation lists. */
import type { KeyObject } from 'node:crypto';

/** What a signature algorithm says of the key and of the digest. */
export interface SignatureKind {
  readonly keyType: 'ec' | 'rsa' | 'ed25519';
  /** null: the algorithm has a digest of its own. */
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null;
}

const kinds: ReadonlyMap<string, SignatureKind> = new Map<string, SignatureKind>([
  ['2a8648ce3d040302', { keyType: 'ec', digest: 'sha256' }],
  ['2a8648ce3d040303', { keyType: 'ec', digest: 'sha384' }],
  ['2a8648ce3d040304', { keyType: 'ec', digest: 'sha512' }],
  ['2a864886f70d01010b', { keyType: 'rsa', digest: 'sha256' }],
  ['2a864886f70d01010c', { keyType: 'rsa', digest: 'sha384' }],
  ['2a864886f70d01010d', { keyType: 'rsa', digest: 'sha512' }],
  ['2b6570', { keyType: 'ed25519', digest: null }],
]);

/**
 * ECDSA, RSA PKCS#1 1.5, Ed25519; undefined for an algorithm that is not accepted.
 *
 * @param algorithm lower-case hex of the DER content of its object identifier
 */
export function readSignatureAlgorithm(algorithm: string): SignatureKind | undefined {
  return kinds.get(algorithm);
}

/** How a key of ours signs: dotted OID, digest, and whether the algorithm carries NULL parameters (RFC 4055, 5758). */
export interface SignatureScheme {
  readonly oid: string;
  readonly digest: 'sha256' | 'sha384';
  readonly nullParameters: boolean;
}

/** SHA-256, and SHA-384 for a P-384 key; undefined for a key that we do not sign with. */
export function signatureScheme(key: KeyObject): SignatureScheme | undefined {
  if (key.asymmetricKeyType === 'rsa')
    return { oid: '1.2.840.113549.1.1.11', digest: 'sha256', nullParameters: true };
  if (key.asymmetricKeyType !== 'ec') return undefined;
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { oid: '1.2.840.10045.4.3.3', digest: 'sha384', nullParameters: false }
    : { oid: '1.2.840.10045.4.3.2', digest: 'sha256', nullParameters: false };
}
