/**
 * How a mesh changes its CA without a failed connection. Pure: state and time in, state out.
 *
 * An authority (a root of our own, or an intermediate that is plugged in) goes through these stages:
 *
 *     offered ──> waiting ──────────> signing ──────────> retired ──────────> gone
 *
 * - waiting: its root is handed out beside the old one, and the old authority signs;
 * - signing: it signs every leaf;
 * - retired: its root is still handed out, since leaves that it signed are alive.
 *
 * Waiting and being retired each last the overlap, which must be longer than the longest life of a leaf. For a proxy
 * learns of roots only together with a certificate. Once the overlap has passed since a root was first handed out, every
 * leaf from before has expired, so every proxy that holds a valid leaf holds that root too: from then on the authority
 * under it may sign. Likewise, once the overlap has passed since an authority signed last, no leaf of it is valid any
 * more, so its root may go. At any time every valid leaf verifies at every proxy with a valid leaf.
 *
 * An authority under a root that has been handed out for long enough already (a new intermediate under the same root)
 * signs at once. If the signing authority is about to end, its successor signs without waiting longer: leaves that some
 * proxies refuse are better than none.
 */
import type { SigningAuthority } from './signing-authority.ts';
import { rootId } from './signing-authority.ts';

/** A root that proxies are told to trust. */
export interface TrustedRoot {
  readonly id: string;
  readonly pem: string;
  /** When it was first handed out, Unix milliseconds; 0: always. */
  readonly sinceMs: number;
}

/** An authority that signs no more. Its key is kept for revocation lists, as long as its leaves may be alive. */
export interface RetiredAuthority {
  readonly authority: SigningAuthority;
  /** When it stopped to sign, Unix milliseconds. */
  readonly sinceMs: number;
}

/** An authority that will sign. */
export interface WaitingAuthority {
  readonly authority: SigningAuthority;
  /** Made by us, or put into `cacerts` or `istio-ca-secret` by somebody. What is taken out again there waits no more. */
  readonly origin: 'generated' | 'offered';
}

export interface TrustState {
  readonly signing: SigningAuthority;
  readonly waiting: WaitingAuthority | undefined;
  readonly retired: readonly RetiredAuthority[];
  /** What replies and ConfigMaps hold; the root of the signing authority first. */
  readonly roots: readonly TrustedRoot[];
}

/** What changed in one step, for the log. */
export type RotationEvent =
  | { readonly kind: 'waiting'; readonly authority: SigningAuthority }
  | { readonly kind: 'withdrawn'; readonly authority: SigningAuthority }
  | { readonly kind: 'signing'; readonly authority: SigningAuthority; readonly early: boolean }
  | { readonly kind: 'retired-gone'; readonly authority: SigningAuthority };

export interface RotationStep {
  readonly state: TrustState;
  readonly events: readonly RotationEvent[];
}

/** When the signing authority has less left than this, or than a twentieth of its life, its successor signs at once. */
const lastMomentMs = 3600 * 1000;

/** The state of a mesh that has known one authority only. */
export function initialTrust(authority: SigningAuthority): TrustState {
  return {
    signing: authority,
    waiting: undefined,
    retired: [],
    roots: authority.rootsPem.map((pem) => ({ id: rootId(pem), pem, sinceMs: 0 })),
  };
}

/**
 * Takes note of the authority that stands in `cacerts` or `istio-ca-secret` now. With `origin` generated: of one that we
 * have made.
 */
export function offer(
  state: TrustState,
  authority: SigningAuthority,
  origin: WaitingAuthority['origin'],
  nowMs: number,
): RotationStep {
  const { signing, waiting } = state;
  if (authority.id === signing.id) {
    // Roots may have been added beside it or taken away. A successor that we made ourselves is not offered, and waits on.
    const keep = waiting?.origin === 'generated' ? waiting : undefined;
    const next = withRoots({ ...state, signing: authority, waiting: keep }, nowMs);
    const withdrawn = waiting !== undefined && keep === undefined;
    return { state: next, events: withdrawn ? [{ kind: 'withdrawn', authority: waiting.authority }] : [] };
  }
  const known = waiting?.authority.id === authority.id;
  const next = withRoots(
    { ...state, waiting: { authority, origin: known ? waiting.origin : origin } },
    nowMs,
  );
  const events: RotationEvent[] = [];
  if (!known && waiting !== undefined) events.push({ kind: 'withdrawn', authority: waiting.authority });
  if (!known) events.push({ kind: 'waiting', authority });
  return { state: next, events };
}

/** Does what time allows: lets the waiting authority sign, and lets retired ones go. */
export function advance(state: TrustState, nowMs: number, overlapMs: number): RotationStep {
  const events: RotationEvent[] = [];
  let { signing, waiting, retired } = state;
  const due = signingDueMs(state, overlapMs);
  if (waiting !== undefined && due !== undefined && nowMs >= due) {
    const ripe = ripeMs(state, waiting.authority, overlapMs);
    events.push({ kind: 'signing', authority: waiting.authority, early: nowMs < ripe });
    const successor = waiting.authority;
    retired = [
      ...retired.filter(({ authority }) => authority.id !== successor.id),
      { authority: signing, sinceMs: nowMs },
    ];
    signing = successor;
    waiting = undefined;
  }
  const gone = retired.filter(({ sinceMs }) => nowMs >= sinceMs + overlapMs);
  for (const { authority } of gone) events.push({ kind: 'retired-gone', authority });
  if (events.length === 0) return { state, events };
  retired = retired.filter((it) => !gone.includes(it));
  return { state: withRoots({ ...state, signing, waiting, retired }, nowMs), events };
}

/** When {@link advance} has something to do next, Unix milliseconds; undefined: never, as things stand. */
export function nextStepMs(state: TrustState, overlapMs: number): number | undefined {
  const times = state.retired.map(({ sinceMs }) => sinceMs + overlapMs);
  const due = signingDueMs(state, overlapMs);
  if (due !== undefined) times.push(due);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * When a root of our own needs a successor, Unix milliseconds: after four fifths of its life, and early enough for both
 * overlaps.
 */
export function successorDueMs(authority: SigningAuthority, overlapMs: number): number {
  const { notBeforeMs, notAfterMs } = authority;
  const lifeMs = notAfterMs - notBeforeMs;
  return Math.min(notBeforeMs + lifeMs * 0.8, Math.max(notBeforeMs + lifeMs / 2, notAfterMs - 2 * overlapMs));
}

function signingDueMs(state: TrustState, overlapMs: number): number | undefined {
  if (state.waiting === undefined) return undefined;
  const { notBeforeMs, notAfterMs } = state.signing;
  const lastMs = notAfterMs - Math.min(lastMomentMs, (notAfterMs - notBeforeMs) / 20);
  return Math.min(ripeMs(state, state.waiting.authority, overlapMs), lastMs);
}

/** When every proxy trusts the root of an authority. */
function ripeMs(state: TrustState, authority: SigningAuthority, overlapMs: number): number {
  const root = state.roots.find(({ id }) => id === authority.anchorId);
  if (root === undefined) return Infinity;
  return root.sinceMs === 0 ? 0 : root.sinceMs + overlapMs;
}

/** Recomputes what is handed out: the roots of whoever signs or will sign, and those that retired leaves hang from. */
function withRoots(state: TrustState, nowMs: number): TrustState {
  const wanted = new Map<string, string>();
  for (const pem of state.signing.rootsPem) wanted.set(rootId(pem), pem);
  for (const pem of state.waiting?.authority.rootsPem ?? []) wanted.set(rootId(pem), pem);
  for (const { authority } of state.retired) wanted.set(authority.anchorId, authority.rootsPem[0]!);
  const since = new Map(state.roots.map(({ id, sinceMs }) => [id, sinceMs]));
  return {
    ...state,
    roots: Array.from(wanted, ([id, pem]) => ({ id, pem, sinceMs: since.get(id) ?? nowMs })),
  };
}
