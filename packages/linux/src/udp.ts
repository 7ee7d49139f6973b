import type { SocketAddress } from './address.ts';
import { formatAddress, sockaddr } from './address.ts';
import type { Descriptor, DescriptorQuota } from './descriptor.ts';
import { FAILED, WOULD_BLOCK, checked, setIntOption } from './descriptor.ts';
import { SystemError } from './errors.ts';
import type { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';
import type { NetworkNamespace } from './namespace.ts';
import { openSocket } from './open-socket.ts';
import { setHopLimit } from './tcp.ts';

const SO_REUSEPORT = 15;
const SO_MARK = 36;

export interface UdpOptions {
  readonly reusePort?: boolean;
  readonly mark?: number | undefined;
  /** Where the socket is to stand, instead of the thread's own namespace. */
  readonly namespace?: NetworkNamespace | undefined;
  /** What the socket counts under. */
  readonly quota?: DescriptorQuota | undefined;
  /** Routers that a packet may pass, and one more: 1 stays on the link. The kernel's default if absent. */
  readonly hopLimit?: number | undefined;
}

/** A UDP socket, non-blocking: bound, or connected to one peer. */
export class UdpSocket {
  /**
   * A socket that sends to `peer` and takes datagrams of it alone, from a port that the kernel draws at random. A refusal
   * (ICMP) shows as FAILED of the next call.
   * @throws SystemError naming the address, for example ENETUNREACH
   */
  static connected(peer: SocketAddress, options: Omit<UdpOptions, 'reusePort'> = {}): UdpSocket {
    const any = { ip: peer.ip.includes(':') ? '::' : '0.0.0.0', port: 0 };
    const socket = new UdpSocket(any, options);
    try {
      const length = sockaddr.write(peer, socket.family);
      checked('connect', libc.connect(socket.fd, sockaddr.pointer, length), formatAddress(peer));
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  readonly #descriptor: Descriptor;
  readonly family: 4 | 6;
  lastError: SystemError | undefined;
  /** Sender of the datagram that the last `recv` brought. */
  sender: SocketAddress | undefined;

  /** @throws SystemError naming the address, or what the quota says against it */
  constructor(at: SocketAddress, options: UdpOptions = {}) {
    this.family = at.ip.includes(':') ? 6 : 4;
    this.#descriptor = openSocket(this.family, libc.SOCK_DGRAM, options.namespace, formatAddress(at));
    try {
      this.#descriptor.chargeTo(options.quota);
      const fd = this.#descriptor.fd;
      if (options.reusePort === true) setIntOption(fd, libc.SOL_SOCKET, SO_REUSEPORT, 1, 'SO_REUSEPORT');
      if (options.mark !== undefined) setIntOption(fd, libc.SOL_SOCKET, SO_MARK, options.mark, 'SO_MARK');
      if (options.hopLimit !== undefined) setHopLimit(fd, this.family, options.hopLimit);
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

  get closed(): boolean {
    return this.#descriptor.closed;
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

  /** Takes one datagram of the peer that the socket is connected to. @returns its bytes, WOULD_BLOCK or FAILED */
  recvConnected(into: IoBuffer, offset: number, length: number): number {
    const n = libc.recv(this.fd, into.addressOf(offset, length), length, libc.MSG_DONTWAIT);
    return n < 0 ? this.#failed('recv') : n;
  }

  /** Sends one datagram to the peer that the socket is connected to. @returns its bytes, WOULD_BLOCK or FAILED */
  sendConnected(from: IoBuffer, offset: number, length: number): number {
    const flags = libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL;
    const n = libc.send(this.fd, from.addressOf(offset, length), length, flags);
    return n < 0 ? this.#failed('send') : n;
  }

  /**
   * Takes nothing more that comes from now on, by listening to itself alone; other sockets of the address (SO_REUSEPORT) get it.
   * What waits can still be taken, and `send` works as before.
   * @throws SystemError
   */
  deafen(): void {
    const self = this.localAddress();
    const length = sockaddr.write(self, this.family);
    checked('connect', libc.connect(this.fd, sockaddr.pointer, length), formatAddress(self));
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
