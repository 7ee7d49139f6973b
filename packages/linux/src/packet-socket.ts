import type { Descriptor } from './descriptor.ts';
import { FAILED, WOULD_BLOCK, checked, owned } from './descriptor.ts';
import { SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

/** sockaddr_ll of packet(7), zero but for its first three fields. */
const ADDRESS_BYTES = 20;
/** IF_NAMESIZE, its terminating zero included. */
const NAME_BYTES = 16;
const ALL_PROTOCOLS = 0x0003; // ETH_P_ALL

/**
 * The frames of one network interface, both ways, as a recorder sees them: packet(7). Needs CAP_NET_RAW in the user
 * namespace that owns the network namespace. Non-blocking.
 */
export class PacketSocket {
  readonly #descriptor: Descriptor;
  lastError: SystemError | undefined;

  /** @throws SystemError naming the interface, if there is none of that name here, or the privilege is missing */
  constructor(interfaceName: string) {
    const type = libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    // Protocol 0: nothing is received before the socket is bound, so no frame of another interface gets in.
    this.#descriptor = owned('socket', libc.socket(libc.AF_PACKET, type, 0), interfaceName);
    try {
      const address = new IoBuffer(ADDRESS_BYTES);
      address.bytes.writeUInt16LE(libc.AF_PACKET, 0);
      address.bytes.writeUInt16BE(ALL_PROTOCOLS, 2);
      address.bytes.writeUInt32LE(indexOf(interfaceName), 4);
      const pointer = address.addressOf(0, ADDRESS_BYTES);
      checked('bind', libc.bind(this.#descriptor.fd, pointer, ADDRESS_BYTES), interfaceName);
    } catch (error) {
      this.#descriptor.close();
      throw error;
    }
  }

  get fd(): number {
    return this.#descriptor.fd;
  }

  /** Takes one frame with its link header, cut to `length` bytes. @returns its bytes, WOULD_BLOCK or FAILED */
  recv(into: IoBuffer, offset: number, length: number): number {
    const n = libc.recv(this.fd, into.addressOf(offset, length), length, libc.MSG_DONTWAIT);
    if (n >= 0) return n;
    const errno = libc.errno();
    if (errno === libc.EAGAIN || errno === libc.EINTR) return WOULD_BLOCK;
    this.lastError = new SystemError('recv', errno);
    return FAILED;
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function indexOf(interfaceName: string): number {
  const name = new IoBuffer(NAME_BYTES);
  name.bytes.write(interfaceName, 0, NAME_BYTES - 1, 'latin1');
  const index = libc.ifNametoindex(name.addressOf(0, NAME_BYTES));
  if (index === 0) throw new SystemError('if_nametoindex', libc.errno(), interfaceName);
  return index;
}
