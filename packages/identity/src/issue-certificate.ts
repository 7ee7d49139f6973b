/** Signs certificates and revocation lists with an ECDSA or RSA key: the one place where we are a CA. */
import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { DerBuilder } from './der-builder.ts';
import type { Asn1Node } from './der-builder.ts';
import { clientAuth, serverAuth } from './peer-certificate.ts';
import { oid } from './x509-oid.ts';
import { signatureScheme } from './x509-signature.ts';
import type { SignatureScheme } from './x509-signature.ts';

/** A key that signs, and the name it signs under. */
export interface Signer {
  readonly commonName: string;
  /** ECDSA or RSA. */
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Uint8Array;
  /** The whole subject of a CA certificate that another tool made, DER; absent: `commonName` alone. */
  readonly nameDer?: Uint8Array | undefined;
  /** The subject key id of that certificate; absent: a hash of the key. */
  readonly keyId?: Uint8Array | undefined;
}

/** The key is of a kind that certificates are not signed with here. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
  readonly code = 'signing-key';
}

/** A certificate to be. Beside what the mesh issues, it can describe what the mesh must refuse. */
export interface CertificateSpec {
  readonly issuer: Signer;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Uint8Array;
  /** Absent: an empty subject, as workload certificates have it. */
  readonly commonName?: string | undefined;
  /** Big-endian, unsigned. */
  readonly serialNumber: Uint8Array;
  /** Unix milliseconds; certificates count in seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isCa: boolean;
  readonly uriSans: readonly string[];
  /** DNS names, for a server of the control plane. */
  readonly dnsSans?: readonly string[];
  /** Dotted OIDs; undefined leaves the extension out. */
  readonly extendedKeyUsages: readonly string[] | undefined;
}

/** Both usages of a workload, which is client and server with one certificate. */
export const workloadUsages: readonly string[] = [serverAuth, clientAuth];

/**
 * An X.509 v3 certificate in DER.
 *
 * @throws SigningKeyError
 */
export async function issueCertificate(spec: CertificateSpec): Promise<Buffer> {
  const der = await DerBuilder.load();
  const extension = (id: string, critical: boolean, value: Asn1Node): Asn1Node =>
    der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(der.encode(value)));

  const extensions = [
    // keyCertSign and cRLSign, or digitalSignature (RFC 5280 section 4.2.1.3).
    extension(
      oid.keyUsage,
      true,
      spec.isCa ? der.bits(Uint8Array.of(0x06), 1) : der.bits(Uint8Array.of(0x80), 7),
    ),
    extension(oid.basicConstraints, true, der.sequence(...(spec.isCa ? [der.boolean(true)] : []))),
    extension(oid.subjectKeyIdentifier, false, der.octets(keyId(spec.publicKeyDer))),
    extension(oid.authorityKeyIdentifier, false, der.sequence(der.context(0, issuerKeyId(spec.issuer)))),
  ];
  if (spec.extendedKeyUsages !== undefined)
    extensions.push(
      extension(
        oid.extendedKeyUsage,
        false,
        der.sequence(...spec.extendedKeyUsages.map((id) => der.oid(id))),
      ),
    );
  const scheme = schemeOf(spec.issuer);
  const names = [
    ...spec.uriSans.map((uri) => der.context(6, Buffer.from(uri, 'latin1'))),
    ...(spec.dnsSans ?? []).map((dns) => der.context(2, Buffer.from(dns, 'latin1'))),
  ];
  // Critical where the subject is empty (RFC 5280 section 4.2.1.6).
  if (names.length > 0)
    extensions.push(extension(oid.subjectAltName, spec.commonName === undefined, der.sequence(...names)));

  return signed(
    der,
    der.sequence(
      der.context(0, [der.integer(Uint8Array.of(2))]),
      der.integer(spec.serialNumber),
      algorithm(der, scheme),
      issuerName(der, spec.issuer),
      der.sequence(der.time(spec.notBeforeMs), der.time(spec.notAfterMs)),
      spec.commonName === undefined ? der.sequence() : name(der, spec.commonName),
      der.raw(spec.publicKeyDer),
      der.context(3, [der.sequence(...extensions)]),
    ),
    spec.issuer.privateKey,
    scheme,
  );
}

/** One certificate on a revocation list. */
export interface RevocationEntry {
  /** Hex. */
  readonly serialNumber: string;
  /** Unix milliseconds. */
  readonly revokedMs: number;
  /** CRLReason of RFC 5280 section 5.3.1; absent or 0 leaves the extension out. */
  readonly reason?: number | undefined;
}

/** A revocation list to be. */
export interface RevocationListSpec {
  readonly issuer: Signer;
  readonly entries: readonly RevocationEntry[];
  /** Unix milliseconds. */
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Grows from list to list; RFC 5280 section 5.2.3. */
  readonly number: number;
}

/**
 * A v2 revocation list (RFC 5280 section 5) in DER.
 *
 * @throws SigningKeyError
 */
export async function issueRevocationList(spec: RevocationListSpec): Promise<Buffer> {
  const der = await DerBuilder.load();
  const { issuer } = spec;
  const scheme = schemeOf(issuer);
  const extension = (id: string, value: Asn1Node): Asn1Node =>
    der.sequence(der.oid(id), der.octets(der.encode(value)));
  const entries = spec.entries.map(({ serialNumber, revokedMs, reason = 0 }) =>
    der.sequence(
      der.integer(hexBytes(serialNumber)),
      der.time(revokedMs),
      // "Unspecified" must be told by leaving the extension out.
      ...(reason === 0 ? [] : [der.sequence(extension(oid.reasonCode, der.enumerated(reason)))]),
    ),
  );
  return signed(
    der,
    der.sequence(
      der.integer(Uint8Array.of(1)),
      algorithm(der, scheme),
      issuerName(der, issuer),
      der.time(spec.thisUpdateMs),
      der.time(spec.nextUpdateMs),
      // revokedCertificates must be absent when there are none.
      ...(entries.length > 0 ? [der.sequence(...entries)] : []),
      der.context(0, [
        der.sequence(
          extension(oid.authorityKeyIdentifier, der.sequence(der.context(0, issuerKeyId(issuer)))),
          extension(oid.crlNumber, der.integer(hexBytes(spec.number.toString(16)))),
        ),
      ]),
    ),
    issuer.privateKey,
    scheme,
  );
}

/** 160 bits of a hash of the key (RFC 7093 section 2, method 4). */
function keyId(publicKeyDer: Uint8Array): Buffer {
  return createHash('sha256').update(publicKeyDer).digest().subarray(0, 20);
}

function issuerKeyId(issuer: Signer): Uint8Array {
  return issuer.keyId ?? keyId(issuer.publicKeyDer);
}

function issuerName(der: DerBuilder, issuer: Signer): Asn1Node {
  return issuer.nameDer === undefined ? name(der, issuer.commonName) : der.raw(issuer.nameDer);
}

function name(der: DerBuilder, commonName: string): Asn1Node {
  return der.sequence(der.set(der.sequence(der.oid(oid.commonName), der.utf8(commonName))));
}

function hexBytes(hex: string): Buffer {
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

function schemeOf(issuer: Signer): SignatureScheme {
  const scheme = signatureScheme(issuer.privateKey);
  if (scheme === undefined)
    throw new SigningKeyError(
      `Certificates cannot be signed with a key of type ${issuer.privateKey.asymmetricKeyType ?? 'unknown'}. Give the CA an ECDSA (P-256, P-384) or RSA key.`,
    );
  return scheme;
}

function algorithm(der: DerBuilder, scheme: SignatureScheme): Asn1Node {
  return der.sequence(der.oid(scheme.oid), ...(scheme.nullParameters ? [der.null()] : []));
}

function signed(der: DerBuilder, content: Asn1Node, key: KeyObject, scheme: SignatureScheme): Buffer {
  const signature = sign(scheme.digest, der.encode(content), key);
  return der.encode(der.sequence(content, algorithm(der, scheme), der.bits(signature)));
}
