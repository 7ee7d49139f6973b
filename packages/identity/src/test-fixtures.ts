/** Shared by the tests of this package. */
import { FakeCa } from './fake-ca.ts';
import type { Identity } from './spiffe.ts';
import { pemBodies } from './pem.ts';

export const cart: Identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' };
export const cartUri = 'spiffe://cluster.local/ns/shop/sa/cart';

/** A moment that today's certificates of the real clock do not cover. */
export const startMs = Date.UTC(2026, 5, 1);

export async function fakeCa(nowMs = startMs, lifetimeMs?: number): Promise<FakeCa> {
  return FakeCa.create({ now: () => nowMs, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) });
}

/** DER of a PEM certificate. */
export function derOf(pem: string): Buffer {
  return pemBodies(pem, 'CERTIFICATE')[0]!;
}
