import type { Logger } from '@ambient/runtime';

import type { Report } from '../cluster/engine.ts';
import type { ObjectStore } from '../cluster/object-store.ts';
import type { Finding } from '../discovery/finding.ts';
import type { ApplyQueue, ApplyRequest, ServiceEntry } from '@ambient/kube';
import { isRecord, statusRequest } from '@ambient/kube';
import { fieldManagers } from '../status/condition.ts';
import { AddressAllocator } from '../translate/allocate-address.ts';
import type { AllocatedAddress, EntryName } from '../translate/allocate-address.ts';
import { isOfRevision } from '../translate/scope.ts';

export interface AddressWriterOptions {
  readonly store: ObjectStore;
  readonly queue: ApplyQueue;
  readonly log: Logger;
  /** Pools of addresses in CIDR notation, at most one of each family. */
  readonly ranges: readonly string[];
  /** Of this control plane: entries of others are theirs. */
  readonly revision: string;
}

/** A merge patch of an entry's status, good for one version of it. */
type AddressesBody = ApplyRequest['body'] & {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion: string };
  readonly status: { readonly addresses: readonly AllocatedAddress[] };
};

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

  #write(name: EntryName): void {
    if (!this.#leading) return;
    const { store, queue } = this.#options;
    const entry = store.get('ServiceEntry', name.namespace, name.name);
    if (entry === undefined) return;
    const body = this.#bodyFor(entry);
    const request = statusRequest(fieldManagers.addresses, body ?? bodyOf(entry, []));
    if (body === undefined) queue.withdraw(request);
    else queue.submit({ ...request, revise: this.#reviser(name, entry.metadata.resourceVersion) });
  }

  /** @returns what is to be written so that the entry has its addresses; undefined if it has them */
  #bodyFor(entry: ServiceEntry): AddressesBody | undefined {
    const { addresses, changed, problems } = this.#allocator.plan(entry);
    for (const { message } of problems) {
      const object = `${entry.metadata.namespace ?? ''}/${entry.metadata.name}`;
      this.#options.log.error('no address for a ServiceEntry', { object, problem: message });
    }
    return changed ? bodyOf(entry, addresses) : undefined;
  }

  /**
   * Decides anew after a conflict: whoever has written addresses meanwhile keeps them.
   *
   * @param version of the entry that the first body was made for
   */
  #reviser({ namespace, name }: EntryName, version: string | undefined): NonNullable<ApplyRequest['revise']> {
    const outdated = new Set([version]);
    return (current) => {
      const { store, revision } = this.#options;
      const known = store.get('ServiceEntry', namespace, name);
      if (!this.#leading || known === undefined || !isServiceEntry(current)) return undefined;
      // The watch may have told of a newer version than the answer holds, unless that one has lost already.
      const entry = outdated.has(known.metadata.resourceVersion) ? current : known;
      outdated.add(entry.metadata.resourceVersion);
      return isOfRevision('ServiceEntry', entry, revision) ? this.#bodyFor(entry) : undefined;
    };
  }
}

/** Only onto the entry as it is known here. */
function bodyOf(
  { apiVersion, kind, metadata }: ServiceEntry,
  addresses: readonly AllocatedAddress[],
): AddressesBody {
  const { namespace = '', name, resourceVersion = '' } = metadata;
  return { apiVersion, kind, metadata: { namespace, name, resourceVersion }, status: { addresses } };
}

function isServiceEntry(object: unknown): object is ServiceEntry {
  return isRecord(object) && isRecord(object['metadata']) && object['kind'] === 'ServiceEntry';
}

function nameOf(key: string): EntryName {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}
