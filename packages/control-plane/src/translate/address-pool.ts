// A range of addresses, counted from its beginning.
import { Cidr, formatIp, parseIp } from '@ambient/mesh';
import { parseIpBlock } from '../validation/field-values.ts';

export class AddressPoolError extends Error {
  readonly code = 'ADDRESS_POOL';
  constructor(text: string, why: string) {
    super(`address pool ${JSON.stringify(text)} ${why}: give a range such as 240.240.0.0/16 or 2001:2::/48`);
    this.name = 'AddressPoolError';
  }
}

/** Neither the first nor the last address is given out: in IPv4 they may mean the network and everyone in it. */
export class AddressPool {
  readonly family: 4 | 6;
  /** How many addresses can be given out; of a large range the first 2^31. */
  readonly size: number;
  readonly #range: Cidr;
  readonly #base = new Uint32Array(4);
  readonly #words = new Uint32Array(4);

  /** @throws AddressPoolError for a text that is no range, or one with fewer than two addresses to give */
  constructor(text: string) {
    const block = parseIpBlock(text);
    const range = block && Cidr.from(block.ip, block.length);
    if (range === undefined) throw new AddressPoolError(text, 'is no range of addresses');
    const bits = (range.family === 4 ? 32 : 128) - range.length;
    this.size = bits > 31 ? 2 ** 31 : 2 ** bits - 2;
    if (this.size < 2) throw new AddressPoolError(text, 'has too few addresses');
    this.family = range.family;
    this.#range = range;
    const [network = ''] = range.toString().split('/');
    parseIp(network, this.#base);
  }

  /** The address at a place, from 0 to `size - 1`. */
  at(index: number): string {
    this.#words.set(this.#base);
    const last = this.family === 4 ? 0 : 3;
    // The host bits of the base are zero, and a place has at most 31 bits.
    this.#words[last] = this.#base[last]! + index + 1;
    return formatIp(this.#words, this.family);
  }

  has(ip: string): boolean {
    return this.#range.containsText(ip);
  }
}
