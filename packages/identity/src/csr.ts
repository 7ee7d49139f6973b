/** Certificate signing requests (PKCS#10, RFC 2986): no subject, one URI name. */
import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { ascii, DerCursor, DerError, derTag } from './der.ts';
import { DerBuilder } from './der-builder.ts';
import type { KeyPair } from './key-pair.ts';
import { pemBodies, toPem } from './pem.ts';
import { formatSpiffe } from './spiffe.ts';
import type { Identity } from './spiffe.ts';
import { oid } from './x509-oid.ts';
import { readSignatureAlgorithm } from './x509-signature.ts';

const label = 'CERTIFICATE REQUEST';

/** A request for a certificate of `identity`, signed with ECDSA-SHA256 by the key it is for; PEM. */
export async function createCsr(identity: Identity, keyPair: KeyPair): Promise<string> {
  const der = await DerBuilder.load();
  const uri = Buffer.from(formatSpiffe(identity), 'ascii');
  const alternativeName = der.sequence(
    der.oid(oid.subjectAltName),
    der.octets(der.encode(der.sequence(der.context(6, uri)))),
  );
  const info = der.sequence(
    der.integer(Uint8Array.of(0)),
    der.sequence(),
    der.raw(keyPair.publicKeyDer),
    der.context(0, [der.sequence(der.oid(oid.extensionRequest), der.set(der.sequence(alternativeName)))]),
  );
  const signature = sign('sha256', der.encode(info), keyPair.privateKey);
  return toPem(
    der.encode(der.sequence(info, der.sequence(der.oid(oid.ecdsaWithSha256)), der.bits(signature))),
    label,
  );
}

/** What a CA needs of a request. */
export interface SigningRequest {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Buffer;
  readonly publicKey: KeyObject;
  /** URI names that the request asks for, in their order; a CA decides by itself what to grant. */
  readonly uriSans: readonly string[];
}

/** The request is not a PKCS#10 request that its own key signed. */
export class CsrError extends Error {
  override readonly name = 'CsrError';
  readonly code = 'malformed-csr';
}

/**
 * Reads a request and checks that the holder of its key signed it, with ECDSA, RSA (PKCS#1 1.5) or Ed25519. Which keys
 * are good enough is up to the CA.
 *
 * @param pem exactly one CERTIFICATE REQUEST
 * @throws CsrError
 */
export function parseCsr(pem: string): SigningRequest {
  const [der, second] = pemBodies(pem, label);
  if (der === undefined || second !== undefined)
    throw new CsrError(`A request must hold exactly one ${label} block in PEM.`);
  try {
    return parseDer(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new CsrError(`The certificate request cannot be read: ${error.message}.`, { cause: error });
  }
}

function parseDer(der: Buffer): SigningRequest {
  const whole = new DerCursor(der);
  const request = whole.enter('request', derTag.sequence);
  whole.finish('request');
  const infoElement = request.next('request info', derTag.sequence);
  const algorithm = request.enter('signature algorithm', derTag.sequence);
  const algorithmId = algorithm.hex(algorithm.next('algorithm', derTag.oid));
  const signature = request.next('signature', derTag.bitString);
  request.finish('request');
  const info = request.inside(infoElement);
  info.integerHex('version');
  info.next('subject', derTag.sequence);
  const key = info.next('public key', derTag.sequence);
  if (der[signature.body] !== 0) throw new DerError('signature is not made of whole bytes');
  const publicKeyDer = der.subarray(key.start, key.end);
  const signatureKind = readSignatureAlgorithm(algorithmId);
  if (signatureKind === undefined)
    throw new CsrError(
      'The certificate request must be signed with ECDSA, RSA (PKCS#1 1.5) or Ed25519, and SHA-256 or longer.',
    );
  const publicKey = readPublicKey(publicKeyDer);
  if (publicKey.asymmetricKeyType !== signatureKind.keyType)
    throw new CsrError('The certificate request is signed with another kind of key than it is for.');
  if (!signedBy(publicKey, signatureKind.digest, der, infoElement, signature))
    throw new CsrError('The certificate request is not signed by its own key.');
  const uriSans: string[] = [];
  const attributes = info.optional('attributes', 0xa0);
  if (attributes !== undefined) readAttributes(info.inside(attributes), uriSans);
  return { publicKeyDer, publicKey, uriSans };
}

function readPublicKey(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (error) {
    throw new CsrError('The public key of the certificate request is not usable.', { cause: error });
  }
}

function signedBy(
  key: KeyObject,
  digest: string | null,
  der: Buffer,
  info: { start: number; end: number },
  signature: { body: number; end: number },
): boolean {
  try {
    return verify(
      digest,
      der.subarray(info.start, info.end),
      key,
      der.subarray(signature.body + 1, signature.end),
    );
  } catch (error) {
    throw new CsrError('The certificate request is signed with another kind of key than it is for.', {
      cause: error,
    });
  }
}

function readAttributes(attributes: DerCursor, uriSans: string[]): void {
  while (!attributes.done) {
    const attribute = attributes.enter('attribute', derTag.sequence);
    // 1.2.840.113549.1.9.14, extensionRequest of RFC 2985.
    if (attribute.hex(attribute.next('attribute id', derTag.oid)) !== '2a864886f70d01090e') continue;
    const values = attribute.enter('attribute values', derTag.set);
    readExtensions(values.enter('extensions', derTag.sequence), uriSans);
  }
}

function readExtensions(extensions: DerCursor, uriSans: string[]): void {
  while (!extensions.done) {
    const extension = extensions.enter('extension', derTag.sequence);
    const id = extension.hex(extension.next('extension id', derTag.oid));
    if (extension.peek() === derTag.boolean) extension.boolean('critical');
    const content = extension.enter('extension value', derTag.octetString);
    // 2.5.29.17, subjectAltName.
    if (id !== '551d11') continue;
    const names = content.enter('subjectAltName', derTag.sequence);
    while (!names.done) {
      const name = names.next('alternative name');
      // [6], uniformResourceIdentifier.
      if (name.tag === 0x86) uriSans.push(ascii(names.bytes, name.body, name.end));
    }
  }
}
