import type { ServiceEntry } from '../kube/objects.ts';
import { fieldManagers, statusApply } from './condition.ts';
import type { StatusApply } from './condition.ts';

/** A virtual address given to one host of a ServiceEntry. */
export interface AllocatedAddress {
  readonly value: string;
  readonly host: string;
}

/** What is to be applied so that a ServiceEntry's status names these addresses, or undefined if it does already. */
export function addressesStatus(
  entry: ServiceEntry,
  addresses: readonly AllocatedAddress[],
): StatusApply | undefined {
  const current: unknown = entry.status?.addresses;
  const before = Array.isArray(current) ? (current as Partial<AllocatedAddress>[]) : [];
  const isCurrent =
    before.length === addresses.length &&
    addresses.every(({ value, host }, i) => before[i]?.value === value && before[i].host === host);
  return isCurrent ? undefined : statusApply(entry, fieldManagers.addresses, { addresses });
}
