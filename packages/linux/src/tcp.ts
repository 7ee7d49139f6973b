import type { SocketAddress } from './address.ts';
import { formatAddress, sockaddr } from './address.ts';
import type { Descriptor, DescriptorQuota } from './descriptor.ts';
import {
  FAILED,
  WOULD_BLOCK,
  checked,
  getIntOption,
  setAbortiveClose,
  setIntOption,
  trySetIntOption,
} from './descriptor.ts';
import { SystemError } from './errors.ts';
import type { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';
import type { NetworkNamespace } from './namespace.ts';
import { openSocket } from './open-socket.ts';
import type { KeepAlive } from './tcp-options.ts';
import { congestionControlOf, setTcpOptions } from './tcp-options.ts';

const SO_ERROR = 4;
const SO_MARK = 36;
const TCP_NOTSENT_LOWAT = 25;
const IP_FREEBIND = 15;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IP_TRANSPARENT = 19;
const IPV6_TRANSPARENT = 75;
const IP_TTL = 2;
const IPV6_UNICAST_HOPS = 16;
const SO_ORIGINAL_DST = 80;
const SHUT_WR = 1;

export interface DialOptions {
  /** SO_MARK, so that redirection rules know the proxy's own traffic. Needs CAP_NET_ADMIN. */
  readonly mark?: number | undefined;
  /** Local address; port 0 lets the kernel choose. */
  readonly bind?: SocketAddress | undefined;
  /** With `bind`: the address need not belong to this host (IP_TRANSPARENT and IP_FREEBIND). */
  readonly transparent?: boolean | undefined;
  /** Where the socket is to stand, instead of the thread's own namespace. */
  readonly namespace?: NetworkNamespace | undefined;
  /** What the socket counts under. */
  readonly quota?: DescriptorQuota | undefined;
  /** Congestion control by name; the namespace's own if absent, or if the kernel refuses this one. */
  readonly congestionControl?: string | undefined;
  /** The same until `restoreCongestionControl`. What BBR has begun paces for ever: it must not be the first. */
  readonly provisionalCongestionControl?: string | undefined;
  /** Routers that a packet may pass, and one more: 1 stays on the link. The kernel's default if absent. */
  readonly hopLimit?: number | undefined;
}

/** A TCP connection, non-blocking. It owns its descriptor. */
export class TcpSocket {
  readonly #descriptor: Descriptor;
  readonly family: 4 | 6;
  /** What it had before a provisional one. */
  readonly #ownCongestionControl: string | undefined;
  /** Why the last call answered FAILED. */
  lastError: SystemError | undefined;

  /** @param ownCongestionControl what `restoreCongestionControl` gives it back */
  constructor(descriptor: Descriptor, family: 4 | 6, ownCongestionControl?: string) {
    this.#descriptor = descriptor;
    this.family = family;
    this.#ownCongestionControl = ownCongestionControl;
  }

  /**
   * Starts to connect. Readiness to write tells the end; ask `connectResult` then.
   * @throws SystemError when it fails at once, or what the quota says against it
   */
  static dial(to: SocketAddress, options: DialOptions = {}): TcpSocket {
    const family = to.ip.includes(':') ? 6 : 4;
    const subject = formatAddress(to);
    const descriptor = openSocket(family, libc.SOCK_STREAM, options.namespace, subject);
    try {
      descriptor.chargeTo(options.quota);
      const fd = descriptor.fd;
      if (options.mark !== undefined) setIntOption(fd, libc.SOL_SOCKET, SO_MARK, options.mark, 'SO_MARK');
      if (options.transparent === true) setTransparent(fd, family);
      if (options.congestionControl !== undefined)
        setTcpOptions(fd, { congestionControl: options.congestionControl });
      const own = setProvisionally(fd, options.provisionalCongestionControl);
      if (options.hopLimit !== undefined) setHopLimit(fd, family, options.hopLimit);
      if (options.bind !== undefined) {
        if (options.bind.port === 0) leavePortToConnect(fd);
        const length = sockaddr.write(options.bind, family);
        checked('bind', libc.bind(fd, sockaddr.pointer, length), formatAddress(options.bind));
      }
      const length = sockaddr.write(to, family);
      if (libc.connect(fd, sockaddr.pointer, length) < 0) {
        const errno = libc.errno();
        if (errno !== libc.EINPROGRESS) throw new SystemError('connect', errno, subject);
      }
      return new TcpSocket(descriptor, family, own);
    } catch (error) {
      descriptor.close();
      throw error;
    }
  }

  /** The descriptor's number, to register with a reactor or to hand to OpenSSL. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  get closed(): boolean {
    return this.#descriptor.closed;
  }

  /** What the socket counts under, and what else is opened for its sake. */
  get quota(): DescriptorQuota | undefined {
    return this.#descriptor.quota;
  }

  /** After readiness to write following `dial`: undefined when connected, else the reason. */
  connectResult(subject: string): SystemError | undefined {
    const errno = getIntOption(this.fd, libc.SOL_SOCKET, SO_ERROR, 'SO_ERROR');
    return errno === 0 ? undefined : new SystemError('connect', errno, subject);
  }

  /** Why the connection broke, where no read will tell because the stream had ended; undefined when it did not. Once. */
  takeError(): SystemError | undefined {
    const errno = getIntOption(this.fd, libc.SOL_SOCKET, SO_ERROR, 'SO_ERROR');
    return errno === 0 ? undefined : new SystemError('recv', errno);
  }

  /** @returns bytes read, 0 at the end of the stream, WOULD_BLOCK or FAILED */
  recv(into: IoBuffer, offset: number, length: number): number {
    const n = libc.recv(this.#descriptor.fd, into.addressOf(offset, length), length, libc.MSG_DONTWAIT);
    return n >= 0 ? n : this.#failed('recv');
  }

  /**
   * As `recv`, into memory that is no IoBuffer.
   * @param address of at least `length` writable bytes; only `@ambient/tls` has such a thing
   */
  recvTo(address: number, length: number): number {
    const n = libc.recv(this.#descriptor.fd, address, length, libc.MSG_DONTWAIT);
    return n >= 0 ? n : this.#failed('recv');
  }

  /** @returns bytes taken (may be fewer than `length`), WOULD_BLOCK or FAILED */
  send(from: IoBuffer, offset: number, length: number): number {
    const n = libc.send(
      this.#descriptor.fd,
      from.addressOf(offset, length),
      length,
      libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL,
    );
    return n >= 0 ? n : this.#failed('send');
  }

  /**
   * As `send`, from memory that is no IoBuffer.
   * @param address of at least `length` readable bytes; only `@ambient/tls` has such a thing
   */
  sendFrom(address: number, length: number): number {
    const n = libc.send(this.#descriptor.fd, address, length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL);
    return n >= 0 ? n : this.#failed('send');
  }

  #failed(syscall: string): number {
    const errno = libc.errno();
    if (errno === libc.EAGAIN || errno === libc.EINTR) return WOULD_BLOCK;
    this.lastError = new SystemError(syscall, errno);
    return FAILED;
  }

  /** Ends our writing half; reading goes on. */
  shutdownWrite(): void {
    libc.shutdown(this.#descriptor.fd, SHUT_WR); // fails only if the peer has reset: the next read tells
  }

  setNoDelay(): void {
    setTcpOptions(this.fd, { noDelay: true });
  }

  setKeepAlive(keepAlive: KeepAlive): void {
    setTcpOptions(this.fd, { keepAlive });
  }

  /** Gives it the congestion control that it would have without a provisional one. */
  restoreCongestionControl(): void {
    if (this.#ownCongestionControl !== undefined)
      setTcpOptions(this.fd, { congestionControl: this.#ownCongestionControl });
  }

  /** By name. @throws SystemError when the connection is gone */
  get congestionControl(): string {
    return congestionControlOf(this.fd);
  }

  /** Unsent bytes in the kernel above which the socket does not count as writable: bounds queueing before the wire. */
  setUnsentLowWater(bytes: number): void {
    trySetIntOption(this.fd, libc.IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
  }

  /** Our end, or undefined when the connection is gone. */
  localAddress(): SocketAddress | undefined {
    sockaddr.offerRoom();
    return libc.getsockname(this.fd, sockaddr.pointer, sockaddr.lengthPointer) < 0
      ? undefined
      : sockaddr.read();
  }

  /** The peer's end, or undefined when the connection is gone. */
  peerAddress(): SocketAddress | undefined {
    sockaddr.offerRoom();
    return libc.getpeername(this.fd, sockaddr.pointer, sockaddr.lengthPointer) < 0
      ? undefined
      : sockaddr.read();
  }

  /** Where a redirected connection was going (SO_ORIGINAL_DST); undefined when it was not redirected. */
  originalDestination(): SocketAddress | undefined {
    const fd = this.fd;
    sockaddr.offerRoom();
    if (libc.getsockopt(fd, libc.IPPROTO_IP, SO_ORIGINAL_DST, sockaddr.pointer, sockaddr.lengthPointer) === 0)
      return sockaddr.read();
    sockaddr.offerRoom();
    if (
      libc.getsockopt(fd, libc.IPPROTO_IPV6, SO_ORIGINAL_DST, sockaddr.pointer, sockaddr.lengthPointer) === 0
    )
      return sockaddr.read();
    return undefined;
  }

  /** Closes with a reset instead of an orderly end. */
  abort(): void {
    if (this.#descriptor.closed) return;
    setAbortiveClose(this.#descriptor.fd);
    this.#descriptor.close();
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Gives a socket another congestion control for a while. @returns the one that it had, if that is another one */
export function setProvisionally(fd: number, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const own = congestionControlOf(fd);
  if (own === name) return undefined;
  setTcpOptions(fd, { congestionControl: name });
  return own;
}

/** Lets a socket bind addresses of others (spoofing the client's address towards the application). */
export function setTransparent(fd: number, family: 4 | 6): void {
  if (family === 6) {
    setIntOption(fd, libc.IPPROTO_IPV6, IPV6_TRANSPARENT, 1, 'IPV6_TRANSPARENT');
    trySetIntOption(fd, libc.IPPROTO_IP, IP_FREEBIND, 1);
    return;
  }
  setIntOption(fd, libc.IPPROTO_IP, IP_TRANSPARENT, 1, 'IP_TRANSPARENT');
  setIntOption(fd, libc.IPPROTO_IP, IP_FREEBIND, 1, 'IP_FREEBIND');
}

/**
 * The kernel chooses the port when the destination is known, not in bind(2) (ip(7), IP_BIND_ADDRESS_NO_PORT). Otherwise no two
 * connections of an address may share a port, those in TIME_WAIT included: after 28,000 in a minute there was none left, and
 * before that each took longer to find.
 */
function leavePortToConnect(fd: number): void {
  trySetIntOption(fd, libc.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
}

/** Limits how many routers the packets of a socket may pass (IP_TTL, IPV6_UNICAST_HOPS). */
export function setHopLimit(fd: number, family: 4 | 6, limit: number): void {
  if (family === 6) setIntOption(fd, libc.IPPROTO_IPV6, IPV6_UNICAST_HOPS, limit, 'IPV6_UNICAST_HOPS');
  else setIntOption(fd, libc.IPPROTO_IP, IP_TTL, limit, 'IP_TTL');
}
