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

/** Stable names of the reasons for which a peer is refused; they appear in logs. */
export type PeerRefusal =
  | 'malformed-certificate'
  | 'not-version-3'
  | 'ca-certificate'
  | 'missing-server-auth'
  | 'missing-client-auth'
  | 'no-spiffe-id'
  | 'no-expected-identity'
  | 'unexpected-identity'
  | 'foreign-trust-domain';

export interface RefusedPeer {
  readonly ok: false;
  readonly reason: PeerRefusal;
  /** One sentence for the operator: what was seen, and what likely helps. */
  readonly message: string;
}

export interface AcceptedClient {
  readonly ok: true;
  /** The first SPIFFE name of the certificate, which authorization uses. */
  readonly identity: Identity;
  readonly certificate: PeerCertificate;
}

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
  const refusal = refuseForm(certificate, serverAuth, 'missing-server-auth', 'serverAuth');
  if (refusal !== undefined) return refusal;
  if (expectedIds.length === 0)
    return refuse(
      'no-expected-identity',
      'No identity is known for this destination, so no server can be right. Check that the control plane sends the service account, or subject alternative names, of the service.',
    );
  for (const san of certificate.uriSans)
    if (expectedIds.includes(san)) return { ok: true, san, identity: internUri(san), certificate };
  if (certificate.uriSans.length === 0) return refuse('no-spiffe-id', noSpiffeId);
  return refuse(
    'unexpected-identity',
    `The server is ${listNames(certificate.uriSans)}, expected ${listNames(expectedIds)}. The address was likely reused by another pod (it heals with the next update), or the traffic is redirected.`,
  );
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
  const refusal = refuseForm(certificate, clientAuth, 'missing-client-auth', 'clientAuth');
  if (refusal !== undefined) return refusal;
  let first: Identity | undefined;
  let own = false;
  for (const san of certificate.uriSans) {
    const identity = parseSpiffe(san);
    if (identity === undefined) continue;
    first ??= identity;
    own ||= identity.trustDomain === ownTrustDomain;
  }
  if (first === undefined) return refuse('no-spiffe-id', noSpiffeId);
  if (!own)
    return refuse(
      'foreign-trust-domain',
      `The client is ${listNames(certificate.uriSans)}, and this mesh is ${ownTrustDomain}. Both sides must have one trust domain; aliases do not count here.`,
    );
  return { ok: true, identity: internIdentity(first), certificate };
}

const noSpiffeId =
  'The certificate names no workload (spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT). The peer likely is no member of the mesh, or another CA signed it.';

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
  usageName: string,
): RefusedPeer | undefined {
  if (certificate.version !== 3)
    return refuse(
      'not-version-3',
      `The certificate is X.509 v${certificate.version}; have the CA issue version 3.`,
    );
  if (certificate.isCa)
    return refuse(
      'ca-certificate',
      'The peer presents a CA certificate as its own; have it issued as an end-entity certificate (CA:FALSE).',
    );
  if (certificate.extendedKeyUsages !== undefined && !certificate.extendedKeyUsages.includes(usage))
    return refuse(
      usageRefusal,
      `The certificate's extended key usage lacks ${usageName}; have the CA add it, or leave the extension out.`,
    );
  return undefined;
}

function refuse(reason: PeerRefusal, message: string): RefusedPeer {
  return { ok: false, reason, message };
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
