/** Signs certificates and revocation lists with an ECDSA key: the one place where we are a CA. */
import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { DerBuilder } from './der-builder.ts';
import type { Asn1Node } from './der-builder.ts';
import { clientAuth, serverAuth } from './peer-certificate.ts';
import { oid } from './x509-oid.ts';

/** A key that signs, and the name it signs under. */
export interface Signer {
  readonly commonName: string;
  /** ECDSA. */
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeyDer: Uint8Array;
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

/** An X.509 v3 certificate in DER, signed with ECDSA-SHA256. */
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
    extension(
      oid.authorityKeyIdentifier,
      false,
      der.sequence(der.context(0, keyId(spec.issuer.publicKeyDer))),
    ),
  ];
  if (spec.extendedKeyUsages !== undefined)
    extensions.push(
      extension(
        oid.extendedKeyUsage,
        false,
        der.sequence(...spec.extendedKeyUsages.map((id) => der.oid(id))),
      ),
    );
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
      algorithm(der),
      name(der, spec.issuer.commonName),
      der.sequence(der.time(spec.notBeforeMs), der.time(spec.notAfterMs)),
      spec.commonName === undefined ? der.sequence() : name(der, spec.commonName),
      der.raw(spec.publicKeyDer),
      der.context(3, [der.sequence(...extensions)]),
    ),
    spec.issuer.privateKey,
  );
}

/** A v2 revocation list (RFC 5280 section 5) in DER. Serial numbers are hex. */
export async function issueRevocationList(
  issuer: Signer,
  serialNumbers: readonly string[],
  thisUpdateMs: number,
  nextUpdateMs: number,
): Promise<Buffer> {
  const der = await DerBuilder.load();
  const entries = serialNumbers.map((serial) =>
    der.sequence(
      der.integer(Buffer.from(serial.padStart(serial.length + (serial.length % 2), '0'), 'hex')),
      der.time(thisUpdateMs),
    ),
  );
  const extension = (id: string, value: Asn1Node): Asn1Node =>
    der.sequence(der.oid(id), der.octets(der.encode(value)));
  return signed(
    der,
    der.sequence(
      der.integer(Uint8Array.of(1)),
      algorithm(der),
      name(der, issuer.commonName),
      der.time(thisUpdateMs),
      der.time(nextUpdateMs),
      // revokedCertificates must be absent when there are none.
      ...(entries.length > 0 ? [der.sequence(...entries)] : []),
      der.context(0, [
        der.sequence(
          extension(oid.authorityKeyIdentifier, der.sequence(der.context(0, keyId(issuer.publicKeyDer)))),
          extension(oid.crlNumber, der.integer(Uint8Array.of(1))),
        ),
      ]),
    ),
    issuer.privateKey,
  );
}

/** 160 bits of a hash of the key (RFC 7093 section 2, method 4). */
function keyId(publicKeyDer: Uint8Array): Buffer {
  return createHash('sha256').update(publicKeyDer).digest().subarray(0, 20);
}

function name(der: DerBuilder, commonName: string): Asn1Node {
  return der.sequence(der.set(der.sequence(der.oid(oid.commonName), der.utf8(commonName))));
}

function algorithm(der: DerBuilder): Asn1Node {
  return der.sequence(der.oid(oid.ecdsaWithSha256));
}

function signed(der: DerBuilder, content: Asn1Node, key: KeyObject): Buffer {
  const signature = sign('sha256', der.encode(content), key);
  return der.encode(der.sequence(content, algorithm(der), der.bits(signature)));
}
