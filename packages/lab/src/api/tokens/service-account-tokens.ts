import { randomUUID } from 'node:crypto';

import type { Clock } from '@ambient/runtime';

import { encodePart, parseToken } from './jwt.ts';
import type { KubernetesClaims, ObjectRef, ParsedToken, TokenClaims } from './jwt.ts';
import type { PublicJwk, SigningKey } from './signing-key.ts';
import { TokenError } from './token-error.ts';

/** What a token may be bound to: it ends with the object. */
export type BoundKind = 'ServiceAccount' | 'Pod' | 'Secret' | 'Node';

/** The uid of a living object, or undefined; nodes have no namespace. */
export type UidLookup = (kind: BoundKind, namespace: string, name: string) => string | undefined;

export interface ServiceAccountTokensOptions {
  /** `iss` of every token, and the base of the OpenID documents; an https URL. */
  readonly issuer: string;
  /** Audiences of the API itself: those of tokens that name none, and of requests that ask for none. */
  readonly apiAudiences: readonly string[];
  readonly key: SigningKey;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly uidOf: UidLookup;
}

export interface TokenOrder {
  readonly namespace: string;
  /** The service account. */
  readonly name: string;
  readonly uid: string;
  /** Empty: the API's own. */
  readonly audiences?: readonly string[];
  /** Between 10 minutes and 48 hours; others are moved to the nearer end. Default: one hour. */
  readonly expirationSeconds?: number;
  readonly boundPod?: ObjectRef & { readonly node?: ObjectRef };
  readonly boundSecret?: ObjectRef;
  readonly boundNode?: ObjectRef;
}

export interface IssuedToken {
  readonly token: string;
  /** RFC 3339. */
  readonly expirationTimestamp: string;
}

/** Who a token speaks for, as `status.user` of a TokenReview. */
export interface TokenUser {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** `status` of a TokenReview. */
export type TokenReviewStatus =
  | { readonly authenticated: true; readonly user: TokenUser; readonly audiences: readonly string[] }
  | { readonly authenticated: false; readonly error: string };

const minExpirationSeconds = 600;
const maxExpirationSeconds = 48 * 3600;

/** Makes and checks the tokens of service accounts: RS256 JWTs, bound to objects that must still be there. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #apiAudiences: readonly string[];
  readonly #key: SigningKey;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #uidOf: UidLookup;

  constructor(options: ServiceAccountTokensOptions) {
    this.issuer = options.issuer;
    this.#apiAudiences = options.apiAudiences;
    this.#key = options.key;
    this.#clock = options.clock;
    this.#uidOf = options.uidOf;
  }

  issue(order: TokenOrder): IssuedToken {
    const seconds = Math.min(
      maxExpirationSeconds,
      Math.max(minExpirationSeconds, Math.floor(order.expirationSeconds ?? 3600)),
    );
    const now = Math.floor(this.#clock.nowMs() / 1000);
    const node = order.boundPod?.node ?? order.boundNode;
    const kubernetes: KubernetesClaims = {
      namespace: order.namespace,
      ...(node === undefined ? {} : { node: ref(node) }),
      ...(order.boundPod === undefined ? {} : { pod: ref(order.boundPod) }),
      ...(order.boundSecret === undefined ? {} : { secret: ref(order.boundSecret) }),
      serviceaccount: { name: order.name, uid: order.uid },
    };
    const claims: TokenClaims = {
      aud:
        order.audiences === undefined || order.audiences.length === 0 ? this.#apiAudiences : order.audiences,
      exp: now + seconds,
      iat: now,
      iss: this.issuer,
      jti: randomUUID(),
      'kubernetes.io': kubernetes,
      nbf: now,
      sub: username(order.namespace, order.name),
    };
    const signed = `${encodePart({ alg: 'RS256', kid: this.#key.id })}.${encodePart(claims)}`;
    return {
      token: `${signed}.${this.#key.sign(signed)}`,
      expirationTimestamp: new Date((now + seconds) * 1000).toISOString().replace('.000Z', 'Z'),
    };
  }

  /**
   * Whether a token is good for one of these audiences.
   * @param audiences empty: the API's own
   * @throws {TokenError} it is not
   */
  authenticate(token: string, audiences: readonly string[] = []): { user: TokenUser; audiences: string[] } {
    const parsed = parseToken(token);
    this.#verify(parsed);
    const { claims } = parsed;
    const wanted = audiences.length === 0 ? this.#apiAudiences : audiences;
    const shared = claims.aud.filter((audience) => wanted.includes(audience));
    if (shared.length === 0)
      throw new TokenError(
        'token-wrong-audience',
        `token audiences ${list(claims.aud)} is invalid for the target audiences ${list(wanted)}`,
      );
    this.#checkTimes(claims);
    this.#checkObjects(claims['kubernetes.io']);
    return { user: userOf(claims), audiences: shared };
  }

  /** The same as the status of a TokenReview. */
  review(token: string, audiences: readonly string[] = []): TokenReviewStatus {
    try {
      return { authenticated: true, ...this.authenticate(token, audiences) };
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return { authenticated: false, error: error.message };
    }
  }

  /** The document at `/openid/v1/jwks`. */
  jwks(): { keys: PublicJwk[] } {
    return { keys: [this.#key.toJwk()] };
  }

  /** The document at `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3). */
  openIdConfiguration(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      jwks_uri: `${this.issuer.replace(/\/$/, '')}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  #verify(parsed: ParsedToken): void {
    if (parsed.claims.iss !== this.issuer)
      throw new TokenError(
        'token-foreign-issuer',
        `token issuer ${JSON.stringify(parsed.claims.iss)} is invalid`,
      );
    const ours = parsed.keyId === undefined || parsed.keyId === this.#key.id;
    // The algorithm is ours to choose: a token that names another is refused before its signature is looked at.
    if (!ours || parsed.algorithm !== 'RS256' || !this.#key.verifies(parsed.signed, parsed.signature))
      throw new TokenError(
        'token-signature',
        'invalid signature: the token was not signed by this API server',
      );
  }

  #checkTimes({ exp, nbf, iat }: TokenClaims): void {
    const now = this.#clock.nowMs() / 1000;
    if (now > exp) throw new TokenError('token-expired', 'service account token has expired');
    if (now < Math.max(nbf, iat) - leewaySeconds)
      throw new TokenError('token-not-yet-valid', 'service account token is not valid yet');
  }

  #checkObjects({ namespace, serviceaccount, pod, secret, node }: KubernetesClaims): void {
    const uid = this.#uidOf('ServiceAccount', namespace, serviceaccount.name);
    if (uid === undefined)
      throw new TokenError('token-account-gone', `serviceaccounts "${serviceaccount.name}" not found`);
    if (uid !== serviceaccount.uid)
      throw new TokenError(
        'token-account-gone',
        `service account UID (${uid}) does not match claim (${serviceaccount.uid})`,
      );
    this.#checkBound('Secret', namespace, secret);
    this.#checkBound('Pod', namespace, pod);
    // The node of a pod's token is told, and not looked up: the pod is what the token ends with.
    if (pod === undefined) this.#checkBound('Node', '', node);
  }

  #checkBound(kind: BoundKind, namespace: string, claimed: ObjectRef | undefined): void {
    if (claimed === undefined) return;
    const uid = this.#uidOf(kind, namespace, claimed.name);
    if (uid === undefined)
      throw new TokenError('token-bound-object-gone', 'service account token has been invalidated');
    if (uid !== claimed.uid)
      throw new TokenError(
        'token-bound-object-gone',
        `${kind.toLowerCase()} UID (${uid}) does not match service account ${kind.toLowerCase()} ref claim (${claimed.uid})`,
      );
  }
}

/** Clocks of issuer and reader may differ by this much; API servers allow the same. */
const leewaySeconds = 60;

function username(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function userOf(claims: TokenClaims): TokenUser {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io'];
  const extra: Record<string, string[]> = {
    'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
  };
  if (pod !== undefined) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name];
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid];
  }
  if (node !== undefined) {
    extra['authentication.kubernetes.io/node-name'] = [node.name];
    extra['authentication.kubernetes.io/node-uid'] = [node.uid];
  }
  return {
    username: username(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra,
  };
}

function ref({ name, uid }: ObjectRef): ObjectRef {
  return { name, uid };
}

/** As Go prints a list of strings with %q. */
function list(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
