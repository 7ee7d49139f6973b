/**
 * SPIFFE names of workloads, in the one shape that Istio uses: `spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT`.
 *
 * Safe on data workers: pure, synchronous, no imports.
 */

/** Who a workload is. No field is ever empty. */
export interface Identity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

const scheme = 'spiffe://';

// SPIFFE-ID section 2: letters, digits, dot, dash, underscore; `.` and `..` are no path segments. Capitals in the
// trust domain are not SPIFFE, but meshes that have them work under Istio's ztunnel, which compares byte by byte.
const shape =
  /^spiffe:\/\/([A-Za-z0-9._-]{1,255})\/ns\/([A-Za-z0-9._-]{1,253})\/sa\/([A-Za-z0-9._-]{1,253})$/;

/**
 * Reads `spiffe://TD/ns/NS/sa/SA`; anything else, even another valid SPIFFE id, gives undefined. Nothing is decoded or
 * folded: percent signs, ports, queries and fragments are refused, and case counts.
 */
export function parseSpiffe(uri: string): Identity | undefined {
  const known = internedByUri.get(uri);
  if (known !== undefined) return known;
  const match = shape.exec(uri);
  if (match === null) return undefined;
  const [, trustDomain, namespace, serviceAccount] = match as unknown as [string, string, string, string];
  if (isDots(namespace) || isDots(serviceAccount) || isDots(trustDomain)) return undefined;
  return { trustDomain, namespace, serviceAccount };
}

/** The URI of an identity; it is also its key in maps, since two identities are the same when these are equal. */
export function formatSpiffe(identity: Identity): string {
  return (
    uriByInterned.get(identity) ??
    `${scheme}${identity.trustDomain}/ns/${identity.namespace}/sa/${identity.serviceAccount}`
  );
}

/** The principal of authorization policies: the SPIFFE URI without its scheme, `TD/ns/NS/sa/SA`. */
export function principalOf(identity: Identity): string {
  return formatSpiffe(identity).slice(scheme.length);
}

/**
 * One shared, frozen object per identity, so that a worker holds each name once however many connections carry it.
 * The number kept is bounded ({@link maxInterned}): beyond it the argument comes back as it is, so compare names,
 * not objects.
 */
export function internIdentity(identity: Identity): Identity {
  const uri = formatSpiffe(identity);
  const known = internedByUri.get(uri);
  if (known !== undefined) return known;
  const { trustDomain, namespace, serviceAccount } = identity;
  const interned = Object.freeze({ trustDomain, namespace, serviceAccount });
  if (internedByUri.size >= maxInterned) return interned;
  internedByUri.set(uri, interned);
  uriByInterned.set(interned, uri);
  return interned;
}

/** Most identities that {@link internIdentity} keeps in one thread. */
const maxInterned = 16_384;

const internedByUri = new Map<string, Identity>();
const uriByInterned = new WeakMap<Identity, string>();

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}
