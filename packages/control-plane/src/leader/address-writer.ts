import type { Logger } from '@ambient/runtime';

import type { Report } from '../cluster/engine.ts';
import type { ObjectStore } from '../cluster/object-store.ts';
import type { Finding } from '../discovery/finding.ts';
import type { ApplyQueue } from '@ambient/kube';
import { statusRequest } from '@ambient/kube';
import { fieldManagers } from '../status/condition.ts';
import { AddressAllocator } from '../translate/allocate-address.ts';
import type { EntryName } from '../translate/allocate-address.ts';

export interface AddressWriterOptions {
  readonly store: ObjectStore;
  readonly queue: ApplyQueue;
  readonly log: Logger;
  /** Pools of addresses in CIDR notation, at most one of each family. */
  readonly ranges: readonly string[];
}

/**
 * Gives addresses to the hosts of ServiceEntries that have none. Every replica knows who has which, so that whoever comes to
 * lead goes on with it; the leader writes.
 */
export class AddressWriter {
  readonly #options: AddressWriterOptions;
  readonly #allocator: AddressAllocator;
  #leading = false;

  /** @throws AddressPoolError */
  constructor(options: AddressWriterOptions) {
    this.#options = options;
    this.#allocator = new AddressAllocator(options.ranges);
  }

  take({ kind, key, conditions }: Report<Finding>): void {
    if (kind !== 'ServiceEntry') return;
    const name = nameOf(key);
    if (!conditions.some((finding) => finding.kind === 'addresses')) {
      this.#allocator.forget(name.namespace, name.name);
      return;
    }
    const entry = this.#options.store.get('ServiceEntry', name.namespace, name.name);
    if (entry === undefined) return;
    for (const loser of this.#allocator.observe(entry)) this.#write(loser);
    this.#write(name);
  }

  /** From now on this replica writes. All entries must have been taken in by now. */
  lead(): void {
    this.#leading = true;
    for (const { metadata } of this.#options.store.table('ServiceEntry').values())
      this.#write({ namespace: metadata.namespace ?? '', name: metadata.name });
  }

  stopLeading(): void {
    this.#leading = false;
  }

  #write({ namespace, name }: EntryName): void {
    if (!this.#leading) return;
    const { store, queue, log } = this.#options;
    const entry = store.get('ServiceEntry', namespace, name);
    if (entry === undefined) return;
    const { addresses, changed, problems } = this.#allocator.plan(entry);
    for (const { message } of problems)
      log.error('no address for a ServiceEntry', { object: `${namespace}/${name}`, problem: message });
    const { apiVersion, kind, metadata } = entry;
    // Only onto the entry as it is known here: whoever has written addresses meanwhile keeps them.
    const known = { namespace, name, resourceVersion: metadata.resourceVersion ?? '' };
    const body = { apiVersion, kind, metadata: known, status: { addresses } };
    const request = statusRequest(fieldManagers.addresses, body, entry);
    if (changed) queue.submit(request);
    else queue.withdraw(request);
  }
}

function nameOf(key: string): EntryName {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}
