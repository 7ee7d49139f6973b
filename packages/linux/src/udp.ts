import type { SocketAddress } from './address.ts';
import { formatAddress, sockaddr } from './address.ts';
import type { Descriptor } from './descriptor.ts';
import { FAILED, WOULD_BLOCK, checked, owned, setIntOption } from './descriptor.ts';
import { SystemError } from './errors.ts';
import type { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const SO_REUSEPORT = 15;
const SO_MARK = 36;

export interface UdpOptions {
  readonly reusePort?: boolean;
  readonly mark?: number | undefined;
}

/** A bound UDP socket, non-blocking. */
export class UdpSocket {
  readonly #descriptor: Descriptor;
  readonly family: 4 | 6;
  lastError: SystemError | undefined;
  /** Sender of the datagram that the last `recv` brought. */
  sender: SocketAddress | undefined;

  /** @throws SystemError naming the address */
  constructor(at: SocketAddress, options: UdpOptions = {}) {
    this.family = at.ip.includes(':') ? 6 : 4;
    const domain = this.family === 6 ? libc.AF_INET6 : libc.AF_INET;
    const type = libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    this.#descriptor = owned('socket', libc.socket(domain, type, 0));
    try {
      const fd = this.#descriptor.fd;
      if (options.reusePort === true) setIntOption(fd, libc.SOL_SOCKET, SO_REUSEPORT, 1, 'SO_REUSEPORT');
      if (options.mark !== undefined) setIntOption(fd, libc.SOL_SOCKET, SO_MARK, options.mark, 'SO_MARK');
      const length = sockaddr.write(at, this.family);
      checked('bind', libc.bind(fd, sockaddr.pointer, length), formatAddress(at));
    } catch (error) {
      this.#descriptor.close();
      throw error;
    }
  }

  get fd(): number {
    return this.#descriptor.fd;
  }

  localAddress(): SocketAddress {
    sockaddr.offerRoom();
    checked('getsockname', libc.getsockname(this.fd, sockaddr.pointer, sockaddr.lengthPointer));
    return sockaddr.read()!;
  }

  /** Takes one datagram, cut to `length` bytes. @returns its bytes, WOULD_BLOCK or FAILED; sets `sender` */
  recv(into: IoBuffer, offset: number, length: number): number {
    sockaddr.offerRoom();
    const at = into.addressOf(offset, length);
    const n = libc.recvfrom(this.fd, at, length, libc.MSG_DONTWAIT, sockaddr.pointer, sockaddr.lengthPointer);
    if (n < 0) return this.#failed('recvfrom');
    this.sender = sockaddr.read();
    return n;
  }

  /** Sends one datagram. @returns its bytes, WOULD_BLOCK or FAILED */
  send(from: IoBuffer, offset: number, length: number, to: SocketAddress): number {
    const addressLength = sockaddr.write(to, this.family);
    const flags = libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL;
    const n = libc.sendto(
      this.fd,
      from.addressOf(offset, length),
      length,
      flags,
      sockaddr.pointer,
      addressLength,
    );
    return n < 0 ? this.#failed('sendto') : n;
  }

  #failed(syscall: string): number {
    const errno = libc.errno();
    if (errno === libc.EAGAIN || errno === libc.EINTR) return WOULD_BLOCK;
    this.lastError = new SystemError(syscall, errno);
    return FAILED;
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
