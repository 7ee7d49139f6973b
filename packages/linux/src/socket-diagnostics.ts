import type { SocketAddress } from './address.ts';
import { SystemError } from './errors.ts';
import * as libc from './libc.ts';
import { eachAttribute, netlinkFlags, NetlinkSocket } from './netlink.ts';
import { readIp } from './read-ip.ts';

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const INET_DIAG_MARK = 15;
const TCP_LISTEN = 10;
const ENOENT = 2;
const EOPNOTSUPP = 95;
/** struct inet_diag_sockid lies at 8 of the request and at 4 of the answer: sock_diag(7). */
const ID_BYTES = 48;
const REQUEST_BYTES = 8 + ID_BYTES;
const ANSWER_BYTES = 4 + ID_BYTES + 20;
/** All but those that only remember: TIME_WAIT, CLOSE. */
const LIVE_STATES = 0xfff & ~(1 << 6) & ~(1 << 7);

/** A TCP socket of a network namespace, whoever has it. */
export interface DiagnosedSocket {
  readonly local: SocketAddress;
  /** Port 0 for one that listens. */
  readonly remote: SocketAddress;
  readonly listening: boolean;
  /** SO_MARK; 0 where there is none, or may not be seen (CAP_NET_ADMIN). */
  readonly mark: number;
  /** By which the kernel knows it again. */
  readonly id: Buffer;
  readonly family: 4 | 6;
}

/** Tells of the sockets in the network namespace that the thread is in when it is made: sock_diag(7). */
export class SocketDiagnostics {
  readonly #netlink = new NetlinkSocket(NETLINK_SOCK_DIAG, 'sockets');

  /** All TCP sockets; of those that have ended, none. @throws SystemError */
  tcp(): DiagnosedSocket[] {
    const sockets: DiagnosedSocket[] = [];
    for (const family of [4, 6] as const) {
      const body = request(family);
      body.writeUInt32LE(LIVE_STATES, 4);
      try {
        this.#netlink.request(SOCK_DIAG_BY_FAMILY, netlinkFlags.dump, body, (message) => {
          if (message.type === SOCK_DIAG_BY_FAMILY && message.body.length >= ANSWER_BYTES)
            sockets.push(readSocket(message.body, family));
        });
      } catch (error) {
        // A kernel without IPv6.
        if (family === 4 || !(error instanceof SystemError)) throw error;
      }
    }
    return sockets;
  }

  /**
   * Ends a connection from outside, with a reset to the peer; its owner reads ECONNABORTED.
   * @returns false if it was gone, or the kernel cannot (CONFIG_INET_DIAG_DESTROY)
   * @throws SystemError EPERM without CAP_NET_ADMIN
   */
  destroy(socket: DiagnosedSocket): boolean {
    const body = request(socket.family);
    body.writeUInt32LE(0xffffffff, 4);
    socket.id.copy(body, 8);
    try {
      this.#netlink.request(SOCK_DESTROY, netlinkFlags.acknowledge, body);
      return true;
    } catch (error) {
      if (error instanceof SystemError && (error.errno === ENOENT || error.errno === EOPNOTSUPP))
        return false;
      throw error;
    }
  }

  close(): void {
    this.#netlink.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function request(family: 4 | 6): Buffer {
  const body = Buffer.alloc(REQUEST_BYTES);
  body[0] = family === 4 ? libc.AF_INET : libc.AF_INET6;
  body[1] = libc.IPPROTO_TCP;
  return body;
}

/** A socket as struct inet_diag_msg and its attributes tell of it. */
export function readSocket(body: Buffer, family: 4 | 6): DiagnosedSocket {
  let mark = 0;
  eachAttribute(body, ANSWER_BYTES, (type, value) => {
    if (type === INET_DIAG_MARK && value.length >= 4) mark = value.readUInt32LE(0);
  });
  return {
    local: { ip: readIp(body, 8, family), port: body.readUInt16BE(4) },
    remote: { ip: readIp(body, 24, family), port: body.readUInt16BE(6) },
    listening: body[1] === TCP_LISTEN,
    mark,
    id: Buffer.from(body.subarray(4, 4 + ID_BYTES)),
    family,
  };
}
