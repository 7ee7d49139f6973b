/** Service-account tokens, checked by the API server (TokenReview of authentication.k8s.io/v1) and remembered for a while. */
import { createHash } from 'node:crypto';

import type { Clock } from '@ambient/runtime';

import { AuthError } from './auth-error.ts';
import type { BoundPod } from './caller.ts';
import { readTokenClaims } from './token-claims.ts';
import { WorkQueue } from './work-queue.ts';

/** `status` of a TokenReview, as the API sends it. */
export interface TokenReviewStatus {
  readonly authenticated?: boolean | undefined;
  readonly error?: string | undefined;
  readonly audiences?: readonly string[] | undefined;
  readonly user?:
    | {
        readonly username?: string | undefined;
        readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
      }
    | undefined;
}

/** Asks the API server. Rejects only if no answer could be had. */
export type ReviewToken = (token: string, audiences: readonly string[]) => Promise<TokenReviewStatus>;

/** The account behind a token. */
export interface ReviewedToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly pod: BoundPod | undefined;
  readonly nodeName: string | undefined;
}

export interface TokenReviewerOptions {
  readonly review: ReviewToken;
  readonly clock: Clock;
  /** What tokens must be made for; `istio-ca` if absent. */
  readonly audience?: string;
  /** Longest time that an accepted token is believed without asking again, milliseconds. */
  readonly positiveTtlMs?: number;
  /** Shorter, so that an account that was just created is not kept waiting. */
  readonly negativeTtlMs?: number;
  /** Tokens remembered; the oldest is forgotten first. */
  readonly maxEntries?: number;
  /** Questions to the API server at a time. */
  readonly maxConcurrent?: number;
  /** Questions that wait for their turn; more are refused as unavailable. */
  readonly maxWaiting?: number;
}

interface CacheEntry {
  readonly untilMs: number;
  readonly outcome: ReviewedToken | AuthError;
}

const maxTokenLength = 16 * 1024;

/** Checks tokens. Tokens themselves are kept nowhere: the cache knows their SHA-256. */
export class TokenReviewer {
  readonly #options: Required<TokenReviewerOptions>;
  readonly #queue: WorkQueue;
  /** By hash of the token, the one first that was asked first. */
  readonly #cache = new Map<string, CacheEntry>();
  readonly #asking = new Map<string, Promise<ReviewedToken>>();

  constructor(options: TokenReviewerOptions) {
    this.#options = {
      audience: 'istio-ca',
      positiveTtlMs: 60_000,
      negativeTtlMs: 3_000,
      maxEntries: 50_000,
      maxConcurrent: 16,
      maxWaiting: 5_000,
      ...options,
    };
    this.#queue = new WorkQueue(this.#options.maxConcurrent, this.#options.maxWaiting);
  }

  get cached(): number {
    return this.#cache.size;
  }

  /** @throws AuthError */
  async check(token: string): Promise<ReviewedToken> {
    if (token.length > maxTokenLength || !/^[\x21-\x7e]+$/.test(token))
      throw new AuthError(
        'token-malformed',
        'The token is empty, too long, or not one line of text. Check the projected service-account volume (audience istio-ca).',
      );
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#cache.get(key);
    if (known !== undefined && known.untilMs > this.#options.clock.nowMs()) return settle(known.outcome);
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    const asked = this.#ask(token, key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #ask(token: string, key: string): Promise<ReviewedToken> {
    const { audience, clock, review } = this.#options;
    const claims = readTokenClaims(token);
    if (claims.audiences !== undefined && !claims.audiences.includes(audience)) throw wrongAudience(audience);
    let status: TokenReviewStatus;
    try {
      status = await this.#queue.run(() => review(token, [audience]));
    } catch (cause) {
      throw new AuthError(
        'token-review-unavailable',
        'The API server could not be asked about the token; the call may be repeated. Check that the control plane reaches the API server and may create tokenreviews (ClusterRole).',
        { cause },
      );
    }
    const outcome = judge(status, audience);
    const nowMs = clock.nowMs();
    const refused = outcome instanceof AuthError;
    const { positiveTtlMs, negativeTtlMs } = this.#options;
    this.#remember(key, {
      outcome,
      untilMs: refused
        ? nowMs + negativeTtlMs
        : Math.min(nowMs + positiveTtlMs, claims.expiresMs ?? Number.POSITIVE_INFINITY),
    });
    return settle(outcome);
  }

  #remember(key: string, entry: CacheEntry): void {
    this.#cache.delete(key);
    this.#cache.set(key, entry);
    if (this.#cache.size <= this.#options.maxEntries) return;
    const oldest = this.#cache.keys().next();
    if (oldest.done !== true) this.#cache.delete(oldest.value);
  }
}

function settle(outcome: ReviewedToken | AuthError): ReviewedToken {
  if (outcome instanceof AuthError) throw outcome;
  return outcome;
}

function judge(status: TokenReviewStatus, audience: string): ReviewedToken | AuthError {
  if (status.authenticated !== true)
    return new AuthError(
      'token-rejected',
      `The API server does not accept the token (${oneLine(status.error ?? 'no reason given')}). Check that it has not expired, that its pod still exists, that its audience is ${audience}, and that header clusterid names the cluster that issued it.`,
    );
  // An API server that does not know audiences accepts tokens of any; such an answer proves nothing.
  if (status.audiences?.includes(audience) !== true) return wrongAudience(audience);
  const { username = '', extra = {} } = status.user ?? {};
  const account = parseServiceAccount(username);
  if (account === undefined)
    return new AuthError(
      'not-a-service-account',
      `The token belongs to ${JSON.stringify(username.slice(0, 100))}, which is no service account. Use the token of the pod's service account.`,
    );
  const podName = extra['authentication.kubernetes.io/pod-name']?.[0];
  const podUid = extra['authentication.kubernetes.io/pod-uid']?.[0];
  return {
    ...account,
    pod: podName && podUid ? { name: podName, uid: podUid } : undefined,
    nodeName: extra['authentication.kubernetes.io/node-name']?.[0],
  };
}

function wrongAudience(audience: string): AuthError {
  return new AuthError(
    'token-audience',
    `The token is not made for audience ${audience}. Mount a projected serviceAccountToken with that audience.`,
  );
}

const accountShape =
  /^system:serviceaccount:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?):([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)$/;

/** `system:serviceaccount:NAMESPACE:NAME`, with names as Kubernetes allows them (RFC 1123); else undefined. */
export function parseServiceAccount(
  username: string,
): { readonly namespace: string; readonly serviceAccount: string } | undefined {
  const match = accountShape.exec(username);
  return match === null ? undefined : { namespace: match[1]!, serviceAccount: match[2]! };
}

/** A text from outside on one line of bounded length, for logs and replies. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}
