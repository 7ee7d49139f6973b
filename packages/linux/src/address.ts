import { MisuseError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

/** An IP endpoint. `ip` is canonical text: dotted IPv4, RFC 5952 IPv6; an IPv4-mapped IPv6 address appears as IPv4. */
export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

const SOCKADDR_STORAGE_BYTES = 128;
const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
const TEXT_BYTES = 64;

/** Scratch for one `struct sockaddr` and its length; a thread has one, since calls never nest. */
export class SockaddrScratch {
  readonly #memory = new IoBuffer(SOCKADDR_STORAGE_BYTES + 8 + TEXT_BYTES);
  readonly pointer = this.#memory.addressOf(0, SOCKADDR_STORAGE_BYTES);
  readonly lengthPointer = this.#memory.addressOf(SOCKADDR_STORAGE_BYTES, 4);
  readonly #text = this.#memory.addressOf(SOCKADDR_STORAGE_BYTES + 8, TEXT_BYTES);

  /** Tells the kernel how much room there is, before a call that fills the address in. */
  offerRoom(): void {
    this.#memory.bytes.writeUInt32LE(SOCKADDR_STORAGE_BYTES, SOCKADDR_STORAGE_BYTES);
  }

  /**
   * Writes `address` and returns the length of the structure in bytes.
   * @param family 4 or 6 of the socket; an IPv4 address on an IPv6 socket is written as IPv4-mapped
   * @throws MisuseError when the text is no IP address of that family
   */
  write(address: SocketAddress, family: 4 | 6): number {
    const bytes = this.#memory.bytes;
    const isV4 = !address.ip.includes(':');
    if (family === 4 && !isV4) throw new MisuseError(`IPv6 address ${address.ip} on an IPv4 socket`);
    bytes.fill(0, 0, SOCKADDR_IN6_BYTES);
    bytes.writeUInt16LE(family === 4 ? libc.AF_INET : libc.AF_INET6, 0);
    bytes.writeUInt16BE(address.port, 2);
    if (family === 4) {
      this.#parse(libc.AF_INET, address.ip, 4);
      return SOCKADDR_IN_BYTES;
    }
    if (isV4) {
      bytes.writeUInt16BE(0xffff, 18);
      this.#parse(libc.AF_INET, address.ip, 20);
    } else {
      this.#parse(libc.AF_INET6, address.ip, 8);
    }
    return SOCKADDR_IN6_BYTES;
  }

  #parse(family: number, text: string, at: number): void {
    const bytes = this.#memory.bytes;
    const room = SOCKADDR_STORAGE_BYTES + 8;
    if (family === libc.AF_INET && parseIpv4(text, bytes, at)) return;
    if (text.length >= TEXT_BYTES) throw new MisuseError(`'${text.slice(0, 80)}' is no IP address`);
    bytes[room + bytes.write(text, room, 'latin1')] = 0;
    if (libc.inetPton(family, this.#text, this.pointer + at) !== 1)
      throw new MisuseError(`'${text}' is no IP address of family ${family === libc.AF_INET ? 4 : 6}`);
  }

  /** Reads the structure that a call left here; undefined for a family other than IPv4 and IPv6. */
  read(): SocketAddress | undefined {
    const b = this.#memory.bytes;
    const family = b.readUInt16LE(0);
    const port = b.readUInt16BE(2);
    if (family === libc.AF_INET) return { ip: ipv4Text(b, 4), port };
    if (family !== libc.AF_INET6) return undefined;
    if (this.#isV4Mapped()) return { ip: ipv4Text(b, 20), port };
    if (libc.inetNtop(libc.AF_INET6, this.pointer + 8, this.#text, TEXT_BYTES) === 0)
      throw new MisuseError('inet_ntop refused sixteen bytes');
    const start = SOCKADDR_STORAGE_BYTES + 8;
    return { ip: b.toString('latin1', start, b.indexOf(0, start)), port };
  }

  #isV4Mapped(): boolean {
    const b = this.#memory.bytes;
    return b.readUInt32LE(8) === 0 && b.readUInt32LE(12) === 0 && b.readUInt32BE(16) === 0xffff;
  }
}

/** A power of two: the index is taken from an address's bits. */
const REMEMBERED_TEXTS = 1024;
const rememberedAddresses = new Int32Array(REMEMBERED_TEXTS);
const rememberedTexts = new Array<string>(REMEMBERED_TEXTS).fill('0.0.0.0');

/**
 * Text of the IPv4 address at `bytes[at]`. An address that was seen lately has the same string again: whoever looks something
 * up by it need not have it hashed anew.
 */
function ipv4Text(bytes: Buffer, at: number): string {
  const address = bytes.readInt32BE(at);
  const index = (address ^ (address >>> 10)) & (REMEMBERED_TEXTS - 1);
  if (rememberedAddresses[index] !== address) {
    rememberedAddresses[index] = address;
    rememberedTexts[index] = `${bytes[at]!}.${bytes[at + 1]!}.${bytes[at + 2]!}.${bytes[at + 3]!}`;
  }
  return rememberedTexts[index]!;
}

const DOT = 0x2e;
const ZERO = 0x30;

/**
 * Writes a dotted address of four decimal parts without leading zeros, which every IPv4 address here is.
 * @returns false for anything else, with the bytes left in any state
 */
function parseIpv4(text: string, bytes: Buffer, at: number): boolean {
  let part = 0;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (value < 0 || part === 3) return false;
      bytes[at + part++] = value;
      value = -1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || value === 0) return false;
    value = value < 0 ? digit : value * 10 + digit;
    if (value > 255) return false;
  }
  if (value < 0 || part !== 3) return false;
  bytes[at + 3] = value;
  return true;
}

/** The scratch of this thread. */
export const sockaddr = new SockaddrScratch();

/** `ip:port`, with brackets around an IPv6 address. */
export function formatAddress(address: SocketAddress): string {
  return address.ip.includes(':') ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}
