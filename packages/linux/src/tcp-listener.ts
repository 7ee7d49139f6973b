import type { SocketAddress } from './address.ts';
import { formatAddress, sockaddr } from './address.ts';
import type { Descriptor, DescriptorQuota } from './descriptor.ts';
import { Descriptor as OwnedDescriptor, checked, setIntOption } from './descriptor.ts';
import { SystemError } from './errors.ts';
import * as libc from './libc.ts';
import type { NetworkNamespace } from './namespace.ts';
import { openSocket } from './open-socket.ts';
import type { Reactor, ReadinessHandler } from './reactor.ts';
import { steerReusePort, unsteerReusePort } from './reuseport.ts';
import type { TcpOptions } from './tcp-options.ts';
import { setTcpOptions } from './tcp-options.ts';
import { TcpSocket, setProvisionally, setTransparent } from './tcp.ts';
import { Timer } from './timers.ts';

const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_MARK = 36;
const IPV6_V6ONLY = 26;
/** Connections taken per turn, so that a storm on one port leaves the rest of the turn to others. */
const ACCEPTS_PER_TURN = 64;
const ACCEPT_PAUSE_MS = 200;
/** Connections taken at the end, more than any queue holds (net.core.somaxconn is 4096), so that a storm ends too. */
const MAX_DRAINED = 8192;

export interface ListenOptions {
  readonly backlog: number;
  /** Several workers, or an old and a new process, share the port. */
  readonly reusePort: boolean;
  readonly mark?: number | undefined;
  /** Accept connections to addresses that are not local (TPROXY). */
  readonly transparent?: boolean | undefined;
  /** Where the socket is to stand, instead of the thread's own namespace. */
  readonly namespace?: NetworkNamespace | undefined;
  /** What connections begin with: set once here instead of on each that is taken. */
  readonly connections?: TcpOptions | undefined;
  /** Congestion control that connections begin with, until `TcpSocket.restoreCongestionControl`. */
  readonly provisionalCongestionControl?: string | undefined;
  /** What the connections that are taken count under; not the listener itself. */
  readonly quota?: DescriptorQuota | undefined;
}

export interface AcceptHandler {
  onAccept(socket: TcpSocket, peer: SocketAddress): void;
  /** The quota says `error` against the connection, which is reset afterwards. */
  onRefused?(socket: TcpSocket, peer: SocketAddress, error: Error): void;
  /** The process or the machine is out of descriptors or memory; accepting pauses and is tried again. Told once. */
  onAcceptPaused(error: SystemError): void;
  onAcceptResumed(): void;
  /** `onAccept` threw: a defect; the connection is closed. */
  onFault(error: unknown): void;
}

/** A listening TCP socket on one reactor. An IPv6 wildcard takes IPv4 as well. */
export class TcpListener implements ReadinessHandler {
  readonly #reactor: Reactor;
  readonly #descriptor: Descriptor;
  readonly #handler: AcceptHandler;
  readonly #family: 4 | 6;
  readonly #quota: DescriptorQuota | undefined;
  /** Of connections, when they have a provisional one. */
  readonly #ownCongestionControl: string | undefined;
  readonly #retry = new Timer(() => {
    this.#resume();
  });
  #started = false;
  /** Out of descriptors or memory; until a connection could be taken again. */
  #paused = false;
  /** Until the owner has room again. */
  #held = false;
  #registered = false;

  /** @throws SystemError naming the address, for example EADDRINUSE */
  constructor(reactor: Reactor, at: SocketAddress, options: ListenOptions, handler: AcceptHandler) {
    this.#reactor = reactor;
    this.#handler = handler;
    this.#family = at.ip.includes(':') ? 6 : 4;
    this.#quota = options.quota;
    const { descriptor, ownCongestionControl } = listen(at, this.#family, options);
    this.#descriptor = descriptor;
    this.#ownCongestionControl = ownCongestionControl;
  }

  /** Starts to accept. Until then connections wait in the kernel's queue. */
  start(): void {
    if (this.#descriptor.closed) return;
    this.#started = true;
    this.#listen();
  }

  /** Leaves connections in the kernel's queue until `release`. */
  hold(): void {
    this.#held = true;
    this.#unlisten();
  }

  /** Goes on after `hold`. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#listen();
  }

  /**
   * New connections go to the listener of this index among those that share the port, if there is one: to another process
   * that has come after this one's `index` listeners. Handshakes that are under way still end here.
   */
  steerTo(index: number): boolean {
    return !this.#descriptor.closed && steerReusePort(this.#descriptor.fd, index);
  }

  #listen(): void {
    if (this.#registered || this.#held || this.#retry.armed) return;
    if (!this.#started || this.#descriptor.closed) return;
    this.#registered = true;
    this.#reactor.registerReadable(this.#descriptor.fd, this);
  }

  #unlisten(): void {
    if (!this.#registered) return;
    this.#registered = false;
    this.#reactor.unregister(this.#descriptor.fd);
  }

  /** The address bound: tells the port when 0 was asked for. */
  localAddress(): SocketAddress {
    sockaddr.offerRoom();
    checked('getsockname', libc.getsockname(this.#descriptor.fd, sockaddr.pointer, sockaddr.lengthPointer));
    return sockaddr.read()!;
  }

  onReadiness(): void {
    for (let i = 0; i < ACCEPTS_PER_TURN && !this.#held && !this.#descriptor.closed; i++)
      if (!this.#accept() || this.#reactor.shareUsed) return; // level-triggered: the next turn tells again
  }

  /** Takes one connection. @returns false if there is none, or accepting pauses */
  #accept(): boolean {
    sockaddr.offerRoom();
    const flags = libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    const fd = libc.accept4(this.#descriptor.fd, sockaddr.pointer, sockaddr.lengthPointer, flags);
    if (fd < 0) {
      const errno = libc.errno();
      if (errno === libc.EAGAIN) return false;
      if (errno === libc.EMFILE || errno === libc.ENFILE || errno === libc.ENOBUFS || errno === libc.ENOMEM) {
        this.#pause(new SystemError('accept', errno));
        return false;
      }
      return true; // the peer gave up before we took it (ECONNABORTED and the like): accept(2), error handling
    }
    const peer = sockaddr.read();
    const descriptor = new OwnedDescriptor(fd);
    const socket = new TcpSocket(descriptor, this.#family, this.#ownCongestionControl);
    if (this.#paused) this.#endPause();
    if (peer === undefined) {
      socket.close();
      return true;
    }
    try {
      descriptor.chargeTo(this.#quota);
    } catch (error) {
      this.#refuse(socket, peer, error as Error);
      return true;
    }
    try {
      this.#handler.onAccept(socket, peer);
    } catch (error) {
      socket.close();
      this.#handler.onFault(error);
    }
    return true;
  }

  #refuse(socket: TcpSocket, peer: SocketAddress, error: Error): void {
    try {
      this.#handler.onRefused?.(socket, peer, error);
    } catch (defect) {
      this.#handler.onFault(defect);
    } finally {
      socket.abort();
    }
  }

  onFault(error: unknown): void {
    this.#handler.onFault(error);
  }

  #pause(error: SystemError): void {
    if (!this.#paused) {
      this.#paused = true;
      this.#handler.onAcceptPaused(error);
    }
    this.#unlisten();
    this.#reactor.setTimer(this.#retry, ACCEPT_PAUSE_MS);
  }

  #resume(): void {
    this.#listen();
    if (this.#registered) this.onReadiness();
  }

  #endPause(): void {
    this.#paused = false;
    this.#handler.onAcceptResumed();
  }

  /**
   * Closes; a listener that was started first hands over what waits in the queue. By closing, the kernel resets connections
   * that it has told their clients are established. One whose handshake ends in between is still reset, unless new ones have
   * gone elsewhere for a while (`steerTo`), or the namespace has net.ipv4.tcp_migrate_req=1 and another listener of the port.
   */
  drain(): void {
    const taking = this.#started && !this.#paused;
    for (let i = 0; taking && i < MAX_DRAINED && !this.#descriptor.closed; i++) if (!this.#accept()) break;
    this.close();
  }

  close(): void {
    if (this.#descriptor.closed) return;
    this.#reactor.cancelTimer(this.#retry);
    this.#unlisten();
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

interface Listening {
  readonly descriptor: Descriptor;
  /** What connections have from before the provisional one. */
  readonly ownCongestionControl: string | undefined;
}

/** Everything that connections inherit is set before listen(2): one may come at once. */
function listen(at: SocketAddress, family: 4 | 6, options: ListenOptions): Listening {
  const subject = formatAddress(at);
  const descriptor = openSocket(family, libc.SOCK_STREAM, options.namespace, subject);
  try {
    const fd = descriptor.fd;
    setIntOption(fd, libc.SOL_SOCKET, SO_REUSEADDR, 1, 'SO_REUSEADDR');
    if (options.reusePort) setIntOption(fd, libc.SOL_SOCKET, SO_REUSEPORT, 1, 'SO_REUSEPORT');
    if (family === 6) setIntOption(fd, libc.IPPROTO_IPV6, IPV6_V6ONLY, 0, 'IPV6_V6ONLY');
    if (options.mark !== undefined) setIntOption(fd, libc.SOL_SOCKET, SO_MARK, options.mark, 'SO_MARK');
    if (options.transparent === true) setTransparent(fd, family);
    if (options.connections !== undefined) setTcpOptions(fd, options.connections);
    const ownCongestionControl = setProvisionally(fd, options.provisionalCongestionControl);
    const length = sockaddr.write(at, family);
    checked('bind', libc.bind(fd, sockaddr.pointer, length), subject);
    checked('listen', libc.listen(fd, options.backlog), subject);
    if (options.reusePort) unsteerReusePort(fd); // what a process before us has left
    return { descriptor, ownCongestionControl };
  } catch (error) {
    descriptor.close();
    throw error;
  }
}
