/**
 * The rules of ambient mTLS about a peer's leaf certificate, on top of the chain check that OpenSSL does.
 *
 * Safe on data workers: pure and synchronous.
 */
import {
  clientAuth,
  MalformedCertificateError,
  parsePeerCertificate,
  serverAuth,
} from './peer-certificate.ts';
import type { PeerCertificate } from './peer-certificate.ts';
import { internIdentity, parseSpiffe } from './spiffe.ts';
import type { Identity } from './spiffe.ts';

/** Why a peer is refused, and what an operator most likely has to do. The names are stable; they are in logs. */
export const peerRefusals = {
  'malformed-certificate': {
    meaning: 'the certificate cannot be read',
    remedy: 'have the CA issue plain X.509 in DER; another tool may have damaged it',
  },
  'not-version-3': {
    meaning: 'the certificate is not of X.509 version 3',
    remedy: 'have the CA issue version 3',
  },
  'ca-certificate': {
    meaning: 'the peer presents a CA certificate as its own',
    remedy: 'have it issued as an end-entity certificate (CA:FALSE)',
  },
  'missing-server-auth': {
    meaning: "the extended key usage of the server's certificate lacks serverAuth",
    remedy: 'have the CA add serverAuth, or leave the extension out',
  },
  'missing-client-auth': {
    meaning: "the extended key usage of the client's certificate lacks clientAuth",
    remedy: 'have the CA add clientAuth, or leave the extension out',
  },
  'no-spiffe-id': {
    meaning: 'the certificate names no workload (spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT)',
    remedy: 'the peer likely is no member of the mesh, or another CA signed it',
  },
  'no-expected-identity': {
    meaning: 'no identity is known for the destination, so no server can be right',
    remedy:
      'check that the control plane sends the service account, or subject alternative names, of the service',
  },
  'unexpected-identity': {
    meaning: 'the server is somebody else than the destination',
    remedy:
      'the address was likely reused by another pod (it heals with the next update), or the traffic is redirected',
  },
  'foreign-trust-domain': {
    meaning: 'the client is of another trust domain',
    remedy: 'give both sides one trust domain; aliases do not count here',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** A key of {@link peerRefusals}. */
export type PeerRefusal = keyof typeof peerRefusals;

/** A peer whose certificate is none of the mesh, or not that of the one who was expected. */
export interface RefusedPeer {
  readonly ok: false;
  readonly reason: PeerRefusal;
  /** For the operator: what was seen, and what likely helps. */
  readonly message: string;
}

/** A client that has proven who it is. */
export interface AcceptedClient {
  readonly ok: true;
  /** The first SPIFFE name of the certificate, which authorization uses. */
  readonly identity: Identity;
  readonly certificate: PeerCertificate;
}

/** A server that has proven to be one of those that were expected. */
export interface AcceptedServer {
  readonly ok: true;
  /** The name that matched. */
  readonly san: string;
  /** The matched name as a workload identity; undefined if it is a URI of another shape. */
  readonly identity: Identity | undefined;
  readonly certificate: PeerCertificate;
}

/**
 * Judges the server that we dialled: v3, no CA certificate, serverAuth if it restricts usages, and one URI name equal
 * to one of `expectedIds`, byte for byte. An empty list accepts nobody.
 *
 * @param leaf the peer's certificate in DER, or as read by parsePeerCertificate
 */
export function verifyServerPeer(
  leaf: Uint8Array | PeerCertificate,
  expectedIds: readonly string[],
): AcceptedServer | RefusedPeer {
  const certificate = read(leaf);
  if ('ok' in certificate) return certificate;
  const refusal = refuseForm(certificate, serverAuth, 'missing-server-auth');
  if (refusal !== undefined) return refusal;
  if (expectedIds.length === 0) return refuse('no-expected-identity');
  for (const san of certificate.uriSans)
    if (expectedIds.includes(san)) return { ok: true, san, identity: internUri(san), certificate };
  if (certificate.uriSans.length === 0) return refuse('no-spiffe-id');
  const seen = listNames(certificate.uriSans);
  return refuse('unexpected-identity', `the server is ${seen}, expected ${listNames(expectedIds)}`);
}

/**
 * Judges a client of ours: v3, no CA certificate, clientAuth if it restricts usages, and some SPIFFE name in our own
 * trust domain (no aliases). The identity is the first SPIFFE name, even if a later one carried the trust domain:
 * Istio's ztunnel does the same, and a CA must issue exactly one.
 *
 * @param ownTrustDomain that of our own leaf certificate
 */
export function verifyClientPeer(
  leaf: Uint8Array | PeerCertificate,
  ownTrustDomain: string,
): AcceptedClient | RefusedPeer {
  const certificate = read(leaf);
  if ('ok' in certificate) return certificate;
  const refusal = refuseForm(certificate, clientAuth, 'missing-client-auth');
  if (refusal !== undefined) return refusal;
  let first: Identity | undefined;
  let own = false;
  for (const san of certificate.uriSans) {
    const identity = parseSpiffe(san);
    if (identity === undefined) continue;
    first ??= identity;
    own ||= identity.trustDomain === ownTrustDomain;
  }
  if (first === undefined) return refuse('no-spiffe-id');
  if (!own)
    return refuse(
      'foreign-trust-domain',
      `the client is ${listNames(certificate.uriSans)}, and this workload is of ${ownTrustDomain}`,
    );
  return { ok: true, identity: internIdentity(first), certificate };
}

function read(leaf: Uint8Array | PeerCertificate): PeerCertificate | RefusedPeer {
  if (!(leaf instanceof Uint8Array)) return leaf;
  try {
    return parsePeerCertificate(leaf);
  } catch (error) {
    if (error instanceof MalformedCertificateError) return refuse('malformed-certificate', error.message);
    throw error;
  }
}

function refuseForm(
  certificate: PeerCertificate,
  usage: string,
  usageRefusal: PeerRefusal,
): RefusedPeer | undefined {
  if (certificate.version !== 3)
    return refuse('not-version-3', `the certificate is of X.509 version ${certificate.version}`);
  if (certificate.isCa) return refuse('ca-certificate');
  if (certificate.extendedKeyUsages !== undefined && !certificate.extendedKeyUsages.includes(usage))
    return refuse(usageRefusal);
  return undefined;
}

/** @param seen what was met, where that says more than the meaning of the reason */
function refuse(reason: PeerRefusal, seen: string = peerRefusals[reason].meaning): RefusedPeer {
  return { ok: false, reason, message: `${seen}; ${peerRefusals[reason].remedy}` };
}

function internUri(uri: string): Identity | undefined {
  const identity = parseSpiffe(uri);
  return identity === undefined ? undefined : internIdentity(identity);
}

/** At most three names, each cut, so that a certificate full of names cannot flood the log. */
function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'nobody';
  const shown = names.slice(0, 3).map((name) => (name.length > 200 ? `${name.slice(0, 200)}…` : name));
  return names.length > 3 ? `${shown.join(', ')} and ${names.length - 3} more` : shown.join(' or ');
}
