import { getTextOption, trySetIntOption, trySetTextOption } from './descriptor.ts';
import * as libc from './libc.ts';

const SO_KEEPALIVE = 9;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_CONGESTION = 13;
const TCP_USER_TIMEOUT = 18;

export interface KeepAlive {
  /** Idle time before the first probe. */
  readonly idleSeconds: number;
  readonly intervalSeconds: number;
  /** Unanswered probes until the connection is dead. */
  readonly probes: number;
  /** How long sent data may stay unacknowledged (TCP_USER_TIMEOUT), in milliseconds; the kernel's own limit if absent. */
  readonly userTimeoutMs?: number | undefined;
}

/** How a connection sends and is kept. What the kernel refuses stays as it is: none of this is worth a connection. */
export interface TcpOptions {
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: KeepAlive | undefined;
  /** Congestion control (TCP_CONGESTION) by name, `reno` for example; the namespace's own if absent. */
  readonly congestionControl?: string | undefined;
}

/** Sets them on a connection, or on a listening socket, whose connections begin with them (tcp(7)). */
export function setTcpOptions(fd: number, { noDelay, keepAlive, congestionControl }: TcpOptions): void {
  if (noDelay === true) trySetIntOption(fd, libc.IPPROTO_TCP, TCP_NODELAY, 1);
  if (congestionControl !== undefined)
    trySetTextOption(fd, libc.IPPROTO_TCP, TCP_CONGESTION, congestionControl);
  if (keepAlive === undefined) return;
  trySetIntOption(fd, libc.SOL_SOCKET, SO_KEEPALIVE, 1);
  trySetIntOption(fd, libc.IPPROTO_TCP, TCP_KEEPIDLE, keepAlive.idleSeconds);
  trySetIntOption(fd, libc.IPPROTO_TCP, TCP_KEEPINTVL, keepAlive.intervalSeconds);
  trySetIntOption(fd, libc.IPPROTO_TCP, TCP_KEEPCNT, keepAlive.probes);
  if (keepAlive.userTimeoutMs !== undefined)
    trySetIntOption(fd, libc.IPPROTO_TCP, TCP_USER_TIMEOUT, keepAlive.userTimeoutMs);
}

/** @throws SystemError when the connection is gone */
export function congestionControlOf(fd: number): string {
  return getTextOption(fd, libc.IPPROTO_TCP, TCP_CONGESTION, 'TCP_CONGESTION');
}
