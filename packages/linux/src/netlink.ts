import type { Descriptor } from './descriptor.ts';
import { checked, owned } from './descriptor.ts';
import { SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const AF_NETLINK = 16;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
/** struct nlmsghdr: length, type, flags, sequence, port; netlink(7). */
const NETLINK_HEADER_BYTES = 16;
const NLA_TYPE_MASK = 0x3fff;
const MULTICAST_GROUPS_AT = 8;
const ADDRESS_BYTES = 12;

export const netlinkFlags = {
  request: 0x001,
  acknowledge: 0x004,
  dump: 0x300,
  exclusive: 0x200,
  create: 0x400,
} as const;

const scratch = new IoBuffer(4096);
const received = new IoBuffer(64 * 1024);

/** One message of the kernel, whose bytes are good until the next call. */
export interface NetlinkMessage {
  readonly type: number;
  /** Behind the header. */
  readonly body: Buffer;
}

/**
 * A netlink socket of the network namespace that the thread is in when it is made, wherever it is used. The kernel answers
 * within the calls: nothing waits.
 */
export class NetlinkSocket {
  readonly #descriptor: Descriptor;
  readonly #subject: string;

  /**
   * @param protocol such as NETLINK_ROUTE
   * @param groups multicast groups to hear of, as a set of bits (struct sockaddr_nl)
   * @throws SystemError
   */
  constructor(protocol: number, subject: string, groups = 0) {
    this.#subject = subject;
    const type = libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    this.#descriptor = owned('socket', libc.socket(AF_NETLINK, type, protocol), subject);
    if (groups === 0) return;
    scratch.bytes.fill(0, 0, ADDRESS_BYTES);
    scratch.bytes.writeUInt16LE(AF_NETLINK, 0);
    scratch.bytes.writeUInt32LE(groups >>> 0, MULTICAST_GROUPS_AT);
    try {
      checked(
        'bind',
        libc.bind(this.#descriptor.fd, scratch.addressOf(0, ADDRESS_BYTES), ADDRESS_BYTES),
        subject,
      );
    } catch (error) {
      this.#descriptor.close();
      throw error;
    }
  }

  /** To wait for what the kernel tells on its own account. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /**
   * Sends a request and hands every message of the answer to `take`, up to its end.
   * @param body behind the header
   * @throws SystemError of the kernel's refusal
   */
  request(
    type: number,
    flags: number,
    body: Uint8Array,
    take: (message: NetlinkMessage) => void = () => undefined,
  ): void {
    const length = NETLINK_HEADER_BYTES + body.length;
    scratch.bytes.fill(0, 0, NETLINK_HEADER_BYTES);
    scratch.bytes.writeUInt32LE(length, 0);
    scratch.bytes.writeUInt16LE(type, 4);
    scratch.bytes.writeUInt16LE(flags | netlinkFlags.request, 6);
    scratch.bytes.set(body, NETLINK_HEADER_BYTES);
    const { fd } = this.#descriptor;
    checked('send', libc.send(fd, scratch.addressOf(0, length), length, 0), this.#subject);
    while (this.#receive(take) !== 'end') continue;
  }

  /** Takes what the kernel has told on its own account. @returns false if some of it was lost */
  drain(take: (message: NetlinkMessage) => void): boolean {
    for (;;) {
      const length = libc.recv(
        this.#descriptor.fd,
        received.addressOf(0, received.length),
        received.length,
        0,
      );
      if (length < 0) {
        const errno = libc.errno();
        if (errno === libc.EAGAIN) return true;
        if (errno === libc.ENOBUFS) return false;
        throw new SystemError('recv', errno, this.#subject);
      }
      eachMessage(received.bytes.subarray(0, length), this.#subject, take);
    }
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive(take: (message: NetlinkMessage) => void): 'more' | 'end' {
    const length = libc.recv(this.#descriptor.fd, received.addressOf(0, received.length), received.length, 0);
    checked('recv', length, this.#subject);
    return eachMessage(received.bytes.subarray(0, length), this.#subject, take);
  }
}

/**
 * Hands each message of what was received to `take`, up to the end of the answer.
 * @returns `more`: no end has come yet
 * @throws SystemError of the kernel's refusal
 */
export function eachMessage(
  bytes: Buffer,
  subject: string,
  take: (message: NetlinkMessage) => void,
): 'more' | 'end' {
  for (let at = 0; at + NETLINK_HEADER_BYTES <= bytes.length;) {
    const size = bytes.readUInt32LE(at);
    if (size < NETLINK_HEADER_BYTES || at + size > bytes.length) return 'end';
    const type = bytes.readUInt16LE(at + 4);
    const body = bytes.subarray(at + NETLINK_HEADER_BYTES, at + size);
    if (type === NLMSG_DONE) return 'end';
    if (type === NLMSG_ERROR) {
      const errno = -body.readInt32LE(0);
      if (errno !== 0) throw new SystemError('netlink', errno, subject);
      return 'end';
    }
    take({ type, body });
    at += (size + 3) & ~3;
  }
  return 'more';
}

/** Calls `take` with each attribute (struct nlattr, struct rtattr) of a message's body behind its fixed part. */
export function eachAttribute(
  body: Buffer,
  offset: number,
  take: (type: number, value: Buffer) => void,
): void {
  for (let at = offset; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at);
    if (length < 4 || at + length > body.length) return;
    take(body.readUInt16LE(at + 2) & NLA_TYPE_MASK, body.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
}

/** An attribute of 32 bits, in the machine's order. */
export function attribute32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(8, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
