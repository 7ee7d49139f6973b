// Arithmetic on addresses and prefixes of both families. Pure.
import { isIP } from 'node:net';

import { LabNetworkError } from './errors.ts';

export type Family = 'v4' | 'v6';

/** An address prefix; `base` has no bits beyond `length`. */
export interface Prefix {
  readonly family: Family;
  readonly base: bigint;
  /** Bits of the prefix, up to 32 or 128. */
  readonly length: number;
}

const bitsOf: Readonly<Record<Family, number>> = { v4: 32, v6: 128 };

export function familyOf(address: string): Family {
  return address.includes(':') ? 'v6' : 'v4';
}

/** The address as a number. @throws LabNetworkError LAB_NETWORK_ADDRESS */
export function parseAddress(address: string): bigint {
  switch (isIP(address)) {
    case 4:
      return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
    case 6:
      return parseV6(address);
    default:
      throw new LabNetworkError('LAB_NETWORK_ADDRESS', `${JSON.stringify(address)} is no IP address`);
  }
}

function parseV6(address: string): bigint {
  // The URL parser writes RFC 5952 text: no embedded IPv4, no zone.
  const text = new URL(`http://[${address.split('%')[0]!}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':');
  const left = groups(head);
  const right = groups(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** Text of an address; IPv6 as RFC 5952 has it. */
export function formatAddress(family: Family, address: bigint): string {
  if (family === 'v4')
    return [24n, 16n, 8n, 0n].map((shift) => ((address >> shift) & 255n).toString()).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** The one text that all spellings of an address share, as nft and DNS print it. */
export function canonicalAddress(address: string): string {
  return formatAddress(familyOf(address), parseAddress(address));
}

/** @param text such as `10.244.1.0/24` @throws LabNetworkError LAB_NETWORK_ADDRESS */
export function parsePrefix(text: string): Prefix {
  const [address = '', lengthText = '', more] = text.split('/');
  const family = familyOf(address);
  const length = Number(lengthText);
  if (more !== undefined || !/^\d+$/.test(lengthText) || length > bitsOf[family] || isIP(address) === 0)
    throw new LabNetworkError(
      'LAB_NETWORK_ADDRESS',
      `${JSON.stringify(text)} is no prefix such as 10.244.1.0/24 or fd44:0:0:1::/64`,
    );
  const host = BigInt(bitsOf[family] - length);
  return { family, base: (parseAddress(address) >> host) << host, length };
}

export function formatPrefix({ family, base, length }: Prefix): string {
  return `${formatAddress(family, base)}/${length}`;
}

/** How many addresses a prefix has. */
export function sizeOf({ family, length }: Prefix): bigint {
  return 1n << BigInt(bitsOf[family] - length);
}

/** The n-th address of a prefix, from 0. @throws LabNetworkError when it has fewer */
export function addressIn(prefix: Prefix, index: bigint): string {
  if (index < 0n || index >= sizeOf(prefix))
    throw new LabNetworkError(
      'LAB_NETWORK_ADDRESS',
      `${formatPrefix(prefix)} has no address number ${index}; choose a shorter prefix`,
    );
  return formatAddress(prefix.family, prefix.base + index);
}

/** The n-th part of a prefix, each `length` bits long. @throws LabNetworkError when it has fewer */
export function subnetOf(prefix: Prefix, length: number, index: bigint): Prefix {
  const bits = bitsOf[prefix.family];
  if (length < prefix.length || length > bits || index < 0n || index >= 1n << BigInt(length - prefix.length))
    throw new LabNetworkError(
      'LAB_NETWORK_ADDRESS',
      `${formatPrefix(prefix)} has no part number ${index} of /${length}; choose a shorter prefix`,
    );
  return { family: prefix.family, base: prefix.base + (index << BigInt(bits - length)), length };
}
