// Addresses that a control plane has given to the hosts of a ServiceEntry, as its status records them.
import { isIp } from '../validation/field-values.ts';
import type { ServiceEntry } from '@ambient/kube';
import { readServiceEntry } from './read-service-entry.ts';

const AUTO_ALLOCATE_LABEL = 'networking.istio.io/enable-autoallocate-ip';

/**
 * The hosts of an entry that are due an address of their own: none where the entry has addresses, resolves to none,
 * or opts out by label; wildcards only under DYNAMIC_DNS, where a waypoint reads the name from the traffic.
 */
export function hostsDueAddresses(entry: ServiceEntry): readonly string[] {
  const { hosts, addresses, resolution } = readServiceEntry(entry);
  if (resolution === 'NONE' || addresses.length > 0) return [];
  if (entry.metadata.labels?.[AUTO_ALLOCATE_LABEL]?.toLowerCase() === 'false') return [];
  return resolution === 'DYNAMIC_DNS' ? hosts : hosts.filter((host) => !host.startsWith('*'));
}

/** Addresses in status for one host, if it is due any; what is no address is passed over. */
export function allocatedAddressesOf(entry: ServiceEntry, host: string): string[] {
  const allocated: unknown = entry.status?.addresses;
  if (!Array.isArray(allocated) || !hostsDueAddresses(entry).includes(host)) return [];
  return allocated.flatMap((each: { host?: unknown; value?: unknown } | null) =>
    each?.host === host && typeof each.value === 'string' && isIp(each.value) ? [each.value] : [],
  );
}
