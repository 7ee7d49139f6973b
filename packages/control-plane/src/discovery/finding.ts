import type { StatusApply } from '../status/condition.ts';
import type { ParentsUpdate } from '../status/route-parents.ts';

/** What a derivation wants to be written about its object, or because of it. */
export type Finding =
  | { readonly kind: 'status'; readonly apply: StatusApply }
  /** A route: what is to be said of it at its parents. */
  | { readonly kind: 'parents'; readonly update: ParentsUpdate }
  /** A ServiceEntry came or changed: its addresses may be due. */
  | { readonly kind: 'addresses'; readonly resourceVersion: string }
  /** A namespace that is to hold the mesh's trust. */
  | { readonly kind: 'trust' };
