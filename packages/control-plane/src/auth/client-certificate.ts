/** Callers that prove themselves by a certificate of the mesh, in mutual TLS on the secure port. */
import {
  clientAuth,
  formatSpiffe,
  MalformedCertificateError,
  parsePeerCertificate,
  parseSpiffe,
} from '@ambient/identity';
import type { PeerCertificate } from '@ambient/identity';

import { AuthError } from './auth-error.ts';
import type { Caller } from './caller.ts';

/** The certificate of the other side, whose chain TLS has verified against the mesh's roots. */
export interface ClientCertificateOptions {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly trustDomain: string;
  /** Header `clusterid`. */
  readonly clusterId: string;
  /** Whether the certificate is on a revocation list. */
  readonly revoked: (certificate: PeerCertificate) => boolean;
}

/**
 * The caller that a verified client certificate names. Such a caller may have its own certificate renewed; it never acts
 * for somebody else.
 *
 * @throws AuthError `certificate-unusable` unless it is an end-entity certificate for clients with exactly one name,
 *   a SPIFFE id of the mesh's own trust domain, and not revoked
 */
export function callerOfCertificate(options: ClientCertificateOptions): Caller {
  const certificate = read(options.certificate);
  if (certificate.version !== 3 || certificate.isCa)
    throw unusable('is no end-entity certificate of version 3');
  if (certificate.extendedKeyUsages !== undefined && !certificate.extendedKeyUsages.includes(clientAuth))
    throw unusable('is not meant for clients (extended key usage clientAuth)');
  if (certificate.uriSans.length !== 1)
    throw unusable(`has ${certificate.uriSans.length} URI names instead of one`);
  const identity = parseSpiffe(certificate.uriSans[0]!);
  if (identity === undefined)
    throw unusable('names no workload (spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT)');
  if (identity.trustDomain !== options.trustDomain)
    throw unusable(`is of trust domain ${identity.trustDomain}, and this mesh is ${options.trustDomain}`);
  if (options.revoked(certificate)) throw unusable(`of ${formatSpiffe(identity)} is revoked`);
  return { identity, proof: 'certificate', clusterId: options.clusterId };
}

function read(der: Uint8Array): PeerCertificate {
  try {
    return parsePeerCertificate(der);
  } catch (error) {
    if (!(error instanceof MalformedCertificateError)) throw error;
    throw unusable('cannot be read', error);
  }
}

function unusable(why: string, cause?: unknown): AuthError {
  return new AuthError(
    'certificate-unusable',
    `The client certificate ${why}. Send the certificate that this mesh's CA issued for the workload, or a service-account token instead.`,
    { cause },
  );
}
