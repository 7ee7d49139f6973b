/** What the CA asks of a request before it signs: a key that peers accept, and a lifetime within bounds. Pure. */
import type { KeyObject } from 'node:crypto';

import { CsrError, parseCsr } from '@ambient/identity';
import type { SigningRequest } from '@ambient/identity';
import { formatDuration } from '@ambient/runtime';

import { CertificateError } from './certificate-error.ts';

/** A request of RSA 4096 is under 2 KB in PEM. */
const maxCsrLength = 16 * 1024;

/**
 * Reads a request. Whose names it asks for does not matter: the CA takes the name from who is calling.
 *
 * @throws CertificateError `malformed-csr` or `csr-key`
 */
export function checkCsr(pem: string): SigningRequest {
  if (pem.length > maxCsrLength)
    throw new CertificateError(
      'malformed-csr',
      `The certificate request is ${pem.length} characters long; at most ${maxCsrLength} are read. Send one request in PEM.`,
    );
  let request: SigningRequest;
  try {
    request = parseCsr(pem);
  } catch (error) {
    if (!(error instanceof CsrError)) throw error;
    throw new CertificateError('malformed-csr', error.message, { cause: error });
  }
  checkKey(request.publicKey);
  return request;
}

function checkKey(key: KeyObject): void {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      if (namedCurve === 'prime256v1' || namedCurve === 'secp384r1') return;
      throw refuseKey(`on curve ${namedCurve ?? 'unknown'}`);
    case 'rsa':
      // Verifying with a huge modulus is what makes RSA dear for every peer of this workload.
      if (modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 3n) return;
      throw refuseKey(`RSA of ${modulusLength} bits`);
    default:
      // Ed25519 too: Envoy and several TLS libraries refuse it in certificates unless told otherwise.
      throw refuseKey(`of type ${key.asymmetricKeyType ?? 'unknown'}`);
  }
}

function refuseKey(what: string): CertificateError {
  return new CertificateError(
    'csr-key',
    `The certificate request is for a key ${what}, which not every proxy of the mesh accepts. Use ECDSA P-256 (or P-384), or RSA of 2048 to 8192 bits.`,
  );
}

export interface LifetimeBounds {
  /** For callers that ask for none, milliseconds. */
  readonly defaultTtlMs: number;
  /** Longer ones are refused, milliseconds. */
  readonly maxTtlMs: number;
  /** End of the signing authority, Unix milliseconds. */
  readonly authorityNotAfterMs: number;
}

/** Peers whose clocks are behind shall accept the certificate too. */
const longestBackdateMs = 2 * 60 * 1000;
/** Proxies renew at half of a life, which must not have passed when a short-lived certificate is issued. */
const backdateShare = 1 / 4;

/**
 * The lifetime to grant: what was asked for, cut where the CA itself ends. 0 and less ask for the default, as in Istio.
 *
 * @throws CertificateError `ttl-too-long`, `malformed-request`, `ca-expired`
 */
export function grantLifetime(
  requestedSeconds: number,
  bounds: LifetimeBounds,
  nowMs: number,
): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  if (!Number.isFinite(requestedSeconds))
    throw new CertificateError(
      'malformed-request',
      'The wanted lifetime is no number of seconds. Check SECRET_TTL of the proxy.',
    );
  const ttlMs = requestedSeconds > 0 ? requestedSeconds * 1000 : bounds.defaultTtlMs;
  if (ttlMs > bounds.maxTtlMs)
    throw new CertificateError(
      'ttl-too-long',
      `A certificate for ${requestedSeconds} s was asked for, and the CA grants at most ${formatDuration(bounds.maxTtlMs)}. Lower SECRET_TTL of the proxy, or raise MAX_WORKLOAD_CERT_TTL of the control plane.`,
    );
  const notAfterMs = Math.min(nowMs + ttlMs, bounds.authorityNotAfterMs);
  if (notAfterMs <= nowMs)
    throw new CertificateError(
      'ca-expired',
      `The CA's own certificate ended at ${new Date(bounds.authorityNotAfterMs).toISOString()}. Replace cacerts, or check the clock of the control plane.`,
    );
  const backdateMs = Math.min(longestBackdateMs, ttlMs * backdateShare);
  return { notBeforeMs: wholeSeconds(nowMs - backdateMs), notAfterMs: wholeSeconds(notAfterMs) };
}

/** Certificates count in seconds. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
