/**
 * IP addresses as text, bytes and 32-bit words.
 *
 * The canonical text is dotted IPv4 or RFC 5952 IPv6, and an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is always
 * the IPv4 address: with a dual-stack listener the kernel reports one peer in both ways, and policy must see one.
 */

/** Family of a parsed address; 0 says that the text is not an IP address. */
export type IpFamily = 4 | 6;

const COLON = 58;
const DOT = 46;
const ZERO = 48;

/**
 * Parses `text` into 32-bit words: `out[0]` for IPv4, `out[0..3]` in network order for IPv6 (the rest is zeroed). Accepts what
 * RFC 4291 section 2.2 allows, without a zone or a prefix length; leading zeros in an IPv4 octet are refused because
 * implementations disagree on their base. Returns 0, with `out` unspecified, for anything else.
 */
export function parseIp(text: string, out: Uint32Array): IpFamily | 0 {
  if (text.indexOf(':') < 0) {
    out[1] = out[2] = out[3] = 0;
    return parseIpv4(text, 0, out, 0) ? 4 : 0;
  }
  if (!parseIpv6(text, out)) return 0;
  if (out[0] === 0 && out[1] === 0 && out[2] === 0xffff) {
    out[0] = out[3]!;
    out[2] = out[3] = 0;
    return 4;
  }
  return 6;
}

function parseIpv4(text: string, start: number, out: Uint32Array, word: number): boolean {
  const end = text.length;
  let value = 0;
  let octet = 0;
  let digits = 0;
  let octets = 0;
  for (let i = start; i <= end; i++) {
    const code = i < end ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (digits === 0 || octet > 255 || octets === 4) return false;
      value = value * 256 + octet;
      octets++;
      octet = 0;
      digits = 0;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9) return false;
      if (digits > 0 && octet === 0) return false;
      octet = octet * 10 + digit;
      if (++digits > 3) return false;
    }
  }
  out[word] = value;
  return octets === 4;
}

const groups = new Uint16Array(8);
const tail = new Uint32Array(1);

function parseIpv6(text: string, out: Uint32Array): boolean {
  const end = text.length;
  let count = 0;
  let gap = -1;
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    i = 2;
  }
  while (i < end) {
    const start = i;
    let value = 0;
    let code = 0;
    while (i < end && (code = text.charCodeAt(i)) !== COLON && code !== DOT) {
      const digit = hexDigit(code);
      if (digit < 0 || i - start === 4) return false;
      value = value * 16 + digit;
      i++;
    }
    if (i < end && code === DOT) {
      if (count > 6 || !parseIpv4(text, start, tail, 0)) return false;
      groups[count++] = tail[0]! >>> 16;
      groups[count++] = tail[0]! & 0xffff;
      break;
    }
    if (i === start || count === 8) return false;
    groups[count++] = value;
    if (i === end) break;
    i++;
    if (i === end) return false;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      i++;
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  const missing = 8 - count;
  for (let word = 0; word < 4; word++) {
    out[word] = groupAt(word * 2, gap, missing) * 0x10000 + groupAt(word * 2 + 1, gap, missing);
  }
  return true;
}

function groupAt(index: number, gap: number, missing: number): number {
  if (gap < 0 || index < gap) return groups[index]!;
  return index < gap + missing ? 0 : groups[index - missing]!;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Canonical text of the words that {@link parseIp} wrote. */
export function formatIp(words: Uint32Array, family: IpFamily): string {
  if (family === 4) {
    const v4 = words[0]!;
    return `${v4 >>> 24}.${(v4 >>> 16) & 255}.${(v4 >>> 8) & 255}.${v4 & 255}`;
  }
  // RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equal ones.
  let bestStart = -1;
  let bestLength = 1;
  let runStart = 0;
  for (let i = 0; i <= 8; i++) {
    if (i < 8 && wordGroup(words, i) === 0) continue;
    if (i - runStart > bestLength) {
      bestStart = runStart;
      bestLength = i - runStart;
    }
    runStart = i + 1;
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === bestStart) {
      text += '::';
      i += bestLength - 1;
      continue;
    }
    if (i > 0 && i !== bestStart + bestLength) text += ':';
    text += wordGroup(words, i).toString(16);
  }
  return text;
}

function wordGroup(words: Uint32Array, index: number): number {
  const word = words[index >> 1]!;
  return index % 2 === 0 ? word >>> 16 : word & 0xffff;
}

const scratch = new Uint32Array(4);

/** Canonical text of an address given in any accepted form, or undefined if it is none. */
export function canonicalIp(text: string): string | undefined {
  const family = parseIp(text, scratch);
  return family === 0 ? undefined : formatIp(scratch, family);
}

/** Canonical text of 4 or 16 bytes in network order, or undefined for any other length. */
export function ipFromBytes(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) {
    return `${bytes[0]!}.${bytes[1]!}.${bytes[2]!}.${bytes[3]!}`;
  }
  if (bytes.length !== 16) return undefined;
  for (let word = 0; word < 4; word++) {
    const at = word * 4;
    scratch[word] =
      bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  if (scratch[0] === 0 && scratch[1] === 0 && scratch[2] === 0xffff) {
    scratch[0] = scratch[3]!;
    return formatIp(scratch, 4);
  }
  return formatIp(scratch, 6);
}

/** The 4 or 16 bytes of an address in network order, or undefined if `text` is none. */
export function ipToBytes(text: string): Uint8Array | undefined {
  const family = parseIp(text, scratch);
  if (family === 0) return undefined;
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (scratch[i >> 2]! >>> (24 - 8 * (i & 3))) & 255;
  return bytes;
}

/** Whether canonical text is IPv6; says nothing about text that is no address. */
export function isIpv6(ip: string): boolean {
  return ip.indexOf(':') >= 0;
}

/** Whether canonical text is in 127.0.0.0/8 or is `::1`. */
export function isLoopback(ip: string): boolean {
  return ip === '::1' || (ip.startsWith('127.') && !isIpv6(ip));
}

/** `ip:port`, the IPv6 address in brackets, as an HTTP authority (RFC 3986 section 3.2) wants it. */
export function formatHostPort(ip: string, port: number): string {
  return isIpv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** A range of addresses; contains() works on parsed words, so that matching a connection makes no garbage. */
export class Cidr {
  readonly family: IpFamily;
  readonly length: number;
  readonly #net: Uint32Array;
  readonly #mask: Uint32Array;

  private constructor(family: IpFamily, length: number, net: Uint32Array) {
    const words = family === 4 ? 1 : 4;
    this.family = family;
    this.length = length;
    this.#net = new Uint32Array(words);
    this.#mask = new Uint32Array(words);
    for (let i = 0; i < words; i++) {
      const bits = Math.min(32, Math.max(0, length - 32 * i));
      this.#mask[i] = bits === 0 ? 0 : -1 << (32 - bits);
      this.#net[i] = net[i]! & this.#mask[i]!;
    }
  }

  /** Host bits below the prefix are ignored. Returns undefined for a text that is no address or a length out of range. */
  static from(ip: string, length: number): Cidr | undefined {
    const family = parseIp(ip, scratch);
    if (family === 0 || !Number.isInteger(length) || length < 0) return undefined;
    return length > (family === 4 ? 32 : 128) ? undefined : new Cidr(family, length, scratch);
  }

  /** `words` and `family` as {@link parseIp} gave them. An IPv4 range never contains an IPv6 address, nor the reverse. */
  contains(words: Uint32Array, family: IpFamily | 0): boolean {
    if (family !== this.family) return false;
    const net = this.#net;
    const mask = this.#mask;
    // The typed array holds unsigned words and `&` gives a signed one: compare after `>>> 0`.
    if ((words[0]! & mask[0]!) >>> 0 !== net[0]) return false;
    for (let i = 1; i < net.length; i++) {
      if ((words[i]! & mask[i]!) >>> 0 !== net[i]) return false;
    }
    return true;
  }

  /** contains() for text; false for text that is no address. */
  containsText(ip: string): boolean {
    return this.contains(scratch, parseIp(ip, scratch));
  }

  /** Canonical `network/length`. */
  toString(): string {
    const words = new Uint32Array(4);
    words.set(this.#net);
    return `${formatIp(words, this.family)}/${this.length}`;
  }
}
