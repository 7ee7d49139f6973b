import type { Descriptor } from './descriptor.ts';
import { checked, owned } from './descriptor.ts';
import { SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES, 7, as a bit of struct sockaddr_nl: a message for each change of the namespace's rules. */
const CHANGES_GROUP = 1 << 6;
const NLM_F_REQUEST = 1;
const NFNL_SUBSYS_NFTABLES = 10 << 8;
const NFT_MSG_NEWGEN = 15;
const NFT_MSG_GETGEN = 16;
const NFTA_GEN_ID = 1;
const NLA_TYPE_MASK = 0x3fff;
/** struct nlmsghdr and struct nfgenmsg: netlink(7), linux/netfilter/nfnetlink.h. */
const HEADER_BYTES = 20;
/** struct sockaddr_nl: family, padding, port, groups. */
const ADDRESS_BYTES = 12;

const request = new IoBuffer(HEADER_BYTES);
request.bytes.writeUInt32LE(HEADER_BYTES, 0);
request.bytes.writeUInt16LE(NFNL_SUBSYS_NFTABLES | NFT_MSG_GETGEN, 4);
request.bytes.writeUInt16LE(NLM_F_REQUEST, 6);
const reply = new IoBuffer(4096);

/**
 * A netlink socket to nftables of the network namespace that the thread is in when it is made, wherever it is used. It becomes
 * readable when the namespace's rules change, those that iptables-nft makes included.
 */
export class NftablesSocket {
  readonly #descriptor: Descriptor;

  /** @throws SystemError EPERM without CAP_NET_ADMIN in the namespace */
  constructor() {
    const type = libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    this.#descriptor = owned('socket', libc.socket(AF_NETLINK, type, NETLINK_NETFILTER), 'nftables');
    reply.bytes.fill(0, 0, ADDRESS_BYTES);
    reply.bytes.writeUInt16LE(AF_NETLINK, 0);
    reply.bytes.writeUInt32LE(CHANGES_GROUP, 8);
    const address = reply.addressOf(0, ADDRESS_BYTES);
    try {
      checked('bind', libc.bind(this.#descriptor.fd, address, ADDRESS_BYTES), 'nftables');
    } catch (error) {
      this.#descriptor.close();
      throw error;
    }
  }

  /** To wait for changes with. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /**
   * A number that grows with each change of the namespace's rules; the socket is not readable afterwards until the next. The
   * kernel answers within the call: four system calls, where nothing has changed.
   * @returns undefined on a kernel without nftables
   * @throws SystemError EPERM without CAP_NET_ADMIN in the namespace
   */
  generation(): number | undefined {
    this.#drain(); // what was told of changes must leave room for the answer
    checked('send', libc.send(this.fd, request.addressOf(0, HEADER_BYTES), HEADER_BYTES, 0), 'nftables');
    return this.#drain();
  }

  /** Takes all that has come. @returns the generation that the last message with one has told */
  #drain(): number | undefined {
    let generation: number | undefined;
    for (;;) {
      const length = libc.recv(this.fd, reply.addressOf(0, reply.length), reply.length, 0);
      if (length >= 0) {
        generation = readGeneration(reply.bytes.subarray(0, length)) ?? generation;
        continue;
      }
      const errno = libc.errno();
      if (errno === libc.EAGAIN) return generation;
      // More has changed than the kernel keeps messages for: what counts is the answer.
      if (errno !== libc.ENOBUFS) throw new SystemError('recv', errno, 'nftables');
    }
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Of NFT_MSG_NEWGEN; undefined for an error, which a kernel without nftables answers. */
function readGeneration(message: Buffer): number | undefined {
  if (message.length < HEADER_BYTES || message.readUInt16LE(4) !== (NFNL_SUBSYS_NFTABLES | NFT_MSG_NEWGEN))
    return undefined;
  for (let at = HEADER_BYTES; at + 8 <= message.length;) {
    const length = message.readUInt16LE(at);
    if (length < 4) return undefined;
    if ((message.readUInt16LE(at + 2) & NLA_TYPE_MASK) === NFTA_GEN_ID) return message.readUInt32BE(at + 4);
    at += (length + 3) & ~3;
  }
  return undefined;
}
