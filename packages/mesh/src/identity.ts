import type { Workload } from './types.ts';

/** The parts of a SPIFFE identity, `spiffe://trustDomain/ns/namespace/sa/serviceAccount`. */
export interface Principal {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** The SPIFFE id in the form that AuthorizationPolicy uses: without `spiffe://`. */
export function principalName(principal: Principal): string {
  return `${principal.trustDomain}/ns/${principal.namespace}/sa/${principal.serviceAccount}`;
}

/** Every connection asks, and looks things up by the answer: a string made anew is hashed and compared anew. */
const identities = new WeakMap<Workload, string>();

/** The SPIFFE id of a workload. */
export function workloadIdentity(workload: Workload): string {
  let identity = identities.get(workload);
  if (identity === undefined) {
    identity = `spiffe://${principalName(workload)}`;
    identities.set(workload, identity);
  }
  return identity;
}

/** Whether both are the same SPIFFE id. */
export function samePrincipal(a: Principal, b: Principal): boolean {
  return (
    a.serviceAccount === b.serviceAccount && a.namespace === b.namespace && a.trustDomain === b.trustDomain
  );
}
