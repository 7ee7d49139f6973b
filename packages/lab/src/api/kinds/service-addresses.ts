import { isIP } from 'node:net';

export type Family = 'IPv4' | 'IPv6';

export function familyOf(address: string): Family | undefined {
  const version = isIP(address);
  return version === 4 ? 'IPv4' : version === 6 ? 'IPv6' : undefined;
}

const firstHost = 256;
const lastHost = 65_534;

/**
 * The addresses of Services: 10.96.0.0/16 and fd96::/112. The first 256 of each go only to those who ask for one by name, such as
 * the cluster's DNS.
 */
export class ServiceAddresses {
  readonly #taken = new Map<string, string>();
  readonly #next: Record<Family, number> = { IPv4: firstHost, IPv6: firstHost };

  /** Who has an address: `namespace/name`, or undefined. */
  ownerOf(address: string): string | undefined {
    return this.#taken.get(canonical(address));
  }

  take(address: string, owner: string): void {
    this.#taken.set(canonical(address), owner);
  }

  release(address: string, owner: string): void {
    if (this.ownerOf(address) === owner) this.#taken.delete(canonical(address));
  }

  /** A free address, now taken; undefined if there is none left. */
  allocate(family: Family, owner: string): string | undefined {
    for (let tried = 0; tried < lastHost; tried++) {
      const host = this.#next[family];
      this.#next[family] = host >= lastHost ? firstHost : host + 1;
      const address = family === 'IPv4' ? `10.96.${host >> 8}.${host & 255}` : `fd96::${host.toString(16)}`;
      if (this.ownerOf(address) !== undefined) continue;
      this.take(address, owner);
      return address;
    }
    return undefined;
  }
}

function canonical(address: string): string {
  if (isIP(address) !== 6) return address;
  return new URL(`http://[${address}]`).hostname;
}
