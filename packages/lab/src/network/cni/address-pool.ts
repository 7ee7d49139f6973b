import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { addressIn, familyOf, formatPrefix, parseAddress, sizeOf } from '../addresses.ts';
import type { Prefix } from '../addresses.ts';
import { CniError, cniCodes } from './errors.ts';

/** Who has an address: `CONTAINER/INTERFACE`. */
export type Owner = string;

/**
 * The addresses of a node's pods, kept in a directory: one symbolic link for each that is taken, named by the address, which
 * points to its owner. Making a link is one step for the kernel, which refuses the second one: so any number of plugins may
 * run at once, and one that is killed leaves nothing half done.
 *
 * The next address is the one after the last, so that an address rests before another pod gets it.
 */
export class AddressPool {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Of its own node in a range: the first address, which no pod gets. */
  static gatewayOf(range: Prefix): string {
    return addressIn(range, 1n);
  }

  /** @throws CniError addressesExhausted */
  take(range: Prefix, owner: Owner): string {
    mkdirSync(this.#directory, { recursive: true });
    const taken = new Set(readdirSync(this.#directory));
    // A range of IPv6 is larger than what a node can ever hold.
    const last = sizeOf(range) - 1n;
    const usable = range.family === 'v4' ? last - 1n : last;
    const first = 2n;
    const span = usable - first + 1n;
    const start = this.#afterLast(range, first, usable);
    for (let tried = 0n; tried < span; tried++) {
      const address = addressIn(range, first + ((start - first + tried) % span));
      if (taken.has(address)) continue;
      try {
        symlinkSync(owner, join(this.#directory, address));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      writeFileSync(join(this.#directory, lastFile(range)), address);
      return address;
    }
    throw new CniError(
      cniCodes.addressesExhausted,
      `no address is left in ${formatPrefix(range)}`,
      'delete some pods of this node, or give nodes larger ranges',
    );
  }

  /** Gives back all that an owner has; nothing happens if that is nothing. */
  release(owner: Owner): void {
    for (const { address, owner: holder } of this.#entries())
      if (holder === owner) rmSync(join(this.#directory, address), { force: true });
  }

  /** Gives back whatever belongs to nobody who is named. */
  keepOnly(owners: ReadonlySet<Owner>): void {
    for (const { address, owner } of this.#entries())
      if (!owners.has(owner)) rmSync(join(this.#directory, address), { force: true });
  }

  /** Addresses of an owner. */
  of(owner: Owner): string[] {
    return this.#entries()
      .filter((entry) => entry.owner === owner)
      .map(({ address }) => address);
  }

  #entries(): { readonly address: string; readonly owner: Owner }[] {
    let names: string[];
    try {
      names = readdirSync(this.#directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return names.flatMap((address) => {
      try {
        return [{ address, owner: readlinkSync(join(this.#directory, address)) }];
      } catch {
        return []; // the file of the last address, or a link that somebody has just removed
      }
    });
  }

  #afterLast(range: Prefix, first: bigint, usable: bigint): bigint {
    let last: string;
    try {
      last = readFileSync(join(this.#directory, lastFile(range)), 'utf8');
    } catch {
      return first;
    }
    // Of another range, or cut short by a full disk: it is only where the search begins.
    if (last === '' || familyOf(last) !== range.family) return first;
    try {
      const next = parseAddress(last) - range.base + 1n;
      return next < first || next > usable ? first : next;
    } catch {
      return first;
    }
  }
}

function lastFile({ family }: Prefix): string {
  return `last-${family}`;
}
