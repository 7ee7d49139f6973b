import { readFileSync } from 'node:fs';
import { checkServerIdentity, createSecureContext, getCACertificates } from 'node:tls';
import type { PeerCertificate, SecureContext } from 'node:tls';

/** How the control plane is recognized. */
export interface ServerTrust {
  /** A file of PEM certificates, the PEM text itself, or `SYSTEM` for the machine's roots. Read for every connection. */
  readonly rootCa: string;
  /** Another name that the server's certificate may carry instead of the host dialled (ALT_XDS_HOSTNAME). */
  readonly altHostname?: string | undefined;
  /** TLS12_ENABLED: TLS 1.2 with ECDHE-GCM besides TLS 1.3. */
  readonly tls12?: boolean;
  /** COMPLIANCE_POLICY=pqc: keys are agreed on by the hybrid post-quantum group X25519MLKEM768 alone. */
  readonly postQuantumOnly?: boolean;
}

const hybridGroup = 'X25519MLKEM768';
const suites13 = 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256';
const suites12 =
  'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256';

/** A TLS context for one connection to the control plane. @throws if the roots cannot be read or hold no certificate */
export function serverTrustContext(trust: ServerTrust): SecureContext {
  return createSecureContext({
    ca: rootCertificates(trust.rootCa),
    minVersion: trust.tls12 === true ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: trust.tls12 === true ? `${suites13}:${suites12}` : suites13,
    ecdhCurve: trust.postQuantumOnly === true ? hybridGroup : `${hybridGroup}:X25519:P-256:P-384`,
  });
}

function rootCertificates(rootCa: string): string | string[] {
  if (rootCa === 'SYSTEM') return getCACertificates('system');
  if (rootCa.includes('-----BEGIN CERTIFICATE-----')) return rootCa;
  const pem = readFileSync(rootCa, 'utf8');
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${rootCa} holds no PEM certificate`);
  return pem;
}

/**
 * Checks the names of the server's certificate: the host dialled must be one of its subject alternative names, else the
 * alternative host name must be. The subject's common name does not count (RFC 9110 section 4.3.4).
 */
export function serverNameCheck(
  altHostname: string | undefined,
): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) => {
    if (!certificate.subjectaltname)
      return new Error(`the certificate of ${host} has no subject alternative name`);
    const mismatch = checkServerIdentity(host, certificate);
    if (mismatch === undefined || altHostname === undefined) return mismatch;
    return checkServerIdentity(altHostname, certificate);
  };
}
