// The election's decisions, without I/O and without a clock (as client-go's leaderelection package takes them).
import type { KubeObject } from './objects.ts';
import { formatMicroTime } from './time.ts';

/** coordination.k8s.io/v1 LeaseSpec; times are RFC 3339 with microseconds. */
export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export type Lease = KubeObject<LeaseSpec>;

/** A lease as it was seen, and when by the local clock. The times within it come from another clock, and are not believed. */
export interface Observation {
  readonly lease: Lease;
  readonly sinceMs: number;
}

/** What is known after the lease was read again: an unchanged record has been observed since the first time. */
export function observe(before: Observation | undefined, lease: Lease, nowMs: number): Observation {
  const unchanged =
    before !== undefined &&
    JSON.stringify(before.lease.spec ?? {}) === JSON.stringify(lease.spec ?? {}) &&
    before.lease.metadata.uid === lease.metadata.uid;
  return { lease, sinceMs: unchanged ? before.sinceMs : nowMs };
}

/** Whether somebody else must be taken to lead. */
export function heldByOther({ lease, sinceMs }: Observation, identity: string, nowMs: number): boolean {
  const { holderIdentity = '', leaseDurationSeconds = 15 } = lease.spec ?? {};
  return (
    holderIdentity !== '' && holderIdentity !== identity && nowMs < sinceMs + leaseDurationSeconds * 1000
  );
}

/** The record with which this identity takes, or keeps, the lease. */
export function claimed(
  before: LeaseSpec | undefined,
  identity: string,
  durationMs: number,
  nowMs: number,
): LeaseSpec {
  const now = formatMicroTime(nowMs);
  const mine = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: mine ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (mine || before === undefined ? 0 : 1),
  };
}

/** The record that lets the next one lead at once. */
export function released(before: LeaseSpec | undefined, nowMs: number): LeaseSpec {
  const now = formatMicroTime(nowMs);
  return {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: before?.leaseTransitions ?? 0,
  };
}
