/**
 * Revoked certificates as plain data that crosses threads, and the question that a handshake asks of it.
 *
 * Safe on data workers: pure and synchronous.
 */
import type { PeerCertificate } from './peer-certificate.ts';

/** One revocation list, after its signature was looked at. */
export interface RevokedSerials {
  /** Key id of the CA that signed the list, lower-case hex; undefined if the list names none. */
  readonly authorityKeyId: string | undefined;
  /** Serial numbers as in {@link PeerCertificate.serialNumber}. */
  readonly serials: ReadonlySet<string>;
}

/** By issuer key, every list of that issuer. Survives a structured clone. */
export type RevocationSet = ReadonlyMap<string, readonly RevokedSerials[]>;

/** As it is without a revocation list. */
export const nothingRevoked: RevocationSet = new Map();

/**
 * The first revoked certificate of a chain, or undefined. An issuer without a list counts as having revoked nothing,
 * and the age of a list does not matter, as with Istio's ztunnel.
 *
 * CAs that share a name but not a key (a root before and after its rotation) are told apart by key id where both the
 * list and the certificate carry one; otherwise the name decides.
 *
 * @param chain the leaf first; the root may be there or not
 */
export function findRevoked(
  revocations: RevocationSet,
  chain: readonly PeerCertificate[],
): PeerCertificate | undefined {
  if (revocations.size === 0) return undefined;
  for (const certificate of chain)
    for (const list of revocations.get(certificate.issuerKey) ?? [])
      if (
        list.serials.has(certificate.serialNumber) &&
        sameKey(list.authorityKeyId, certificate.authorityKeyId)
      )
        return certificate;
  return undefined;
}

function sameKey(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}
