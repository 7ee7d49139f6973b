import type { Descriptor } from './descriptor.ts';
import { checked, owned } from './descriptor.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
const NLM_F_REQUEST = 1;
const NFNL_SUBSYS_NFTABLES = 10 << 8;
const NFT_MSG_NEWGEN = 15;
const NFT_MSG_GETGEN = 16;
const NFTA_GEN_ID = 1;
const NLA_TYPE_MASK = 0x3fff;
/** struct nlmsghdr and struct nfgenmsg: netlink(7), linux/netfilter/nfnetlink.h. */
const HEADER_BYTES = 20;

const request = new IoBuffer(HEADER_BYTES);
request.bytes.writeUInt32LE(HEADER_BYTES, 0);
request.bytes.writeUInt16LE(NFNL_SUBSYS_NFTABLES | NFT_MSG_GETGEN, 4);
request.bytes.writeUInt16LE(NLM_F_REQUEST, 6);
const reply = new IoBuffer(4096);

/** A netlink socket to nftables of the network namespace that the thread is in when it is made, wherever it is used. */
export class NftablesSocket {
  readonly #descriptor: Descriptor;

  /** @throws SystemError */
  constructor() {
    const type = libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    this.#descriptor = owned('socket', libc.socket(AF_NETLINK, type, NETLINK_NETFILTER), 'nftables');
  }

  /**
   * A number that grows with each change of the namespace's rules, those that iptables-nft makes included. The kernel answers
   * within the call: two system calls.
   * @returns undefined on a kernel without nftables
   * @throws SystemError EPERM without CAP_NET_ADMIN in the namespace
   */
  generation(): number | undefined {
    const { fd } = this.#descriptor;
    checked('send', libc.send(fd, request.addressOf(0, HEADER_BYTES), HEADER_BYTES, 0), 'nftables');
    const length = libc.recv(fd, reply.addressOf(0, reply.length), reply.length, 0);
    checked('recv', length, 'nftables');
    return readGeneration(reply.bytes.subarray(0, length));
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
