/** Linux system calls behind typed classes: epoll, sockets, namespaces. */
export { SystemError, MisuseError, systemErrors, type SystemErrorCode } from './errors.ts';
export { IoBuffer } from './io-buffer.ts';
export { BufferPool } from './buffer-pool.ts';
export { type SocketAddress, formatAddress } from './address.ts';
export {
  WOULD_BLOCK,
  FAILED,
  Descriptor,
  type DescriptorQuota,
  openDescriptors,
  closeAllDescriptors,
  closeLeftBehind,
  noteDescriptors,
} from './descriptor.ts';
export { DescriptorLedger } from './descriptor-ledger.ts';
export {
  Reactor,
  type ReadinessHandler,
  type TurnTask,
  READABLE,
  WRITABLE,
  ERROR,
  HANGUP,
  PEER_CLOSED,
} from './reactor.ts';
export { EventLoopReactor } from './event-loop-reactor.ts';
export { Timer, TimerWheel } from './timers.ts';
export { Wakeup, notifyWakeup, listenForWakeups } from './wakeup.ts';
export { TcpSocket, type DialOptions } from './tcp.ts';
export { machineId } from './machine-id.ts';
export type { KeepAlive, TcpOptions } from './tcp-options.ts';
export { TcpListener, type ListenOptions, type AcceptHandler } from './tcp-listener.ts';
export { UdpSocket, type UdpOptions } from './udp.ts';
export { PacketSocket } from './packet-socket.ts';
export { UnixSocket, UnixListener, type UnixSocketType } from './unix.ts';
export { NamespaceTrapError, NetworkNamespace } from './namespace.ts';
export { NftablesSocket } from './nftables-socket.ts';
export { SocketDiagnostics, type DiagnosedSocket } from './socket-diagnostics.ts';
export { interfaceAddresses } from './interface-addresses.ts';
export { RoutingChanges, RoutingSocket, type MarkRule } from './routing-socket.ts';
export { runTool, type ToolOptions, type ToolOutcome } from './tool.ts';
export { keepApart, requestTimeSlice } from './scheduling.ts';
export { trimHeaps } from './heap.ts';
export { SplicePipe } from './splice.ts';
