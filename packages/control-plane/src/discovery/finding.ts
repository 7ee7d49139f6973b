import type { StatusApply } from '../status/condition.ts';

/** What a derivation wants to be written about its object, or because of it. */
export type Finding =
  | { readonly kind: 'status'; readonly apply: StatusApply }
  /** A ServiceEntry came or changed: its addresses may be due. */
  | { readonly kind: 'addresses'; readonly resourceVersion: string }
  /** A namespace that is to hold the mesh's trust. */
  | { readonly kind: 'trust' };
