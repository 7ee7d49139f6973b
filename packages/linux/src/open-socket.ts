import type { Descriptor } from './descriptor.ts';
import { owned } from './descriptor.ts';
import * as libc from './libc.ts';
import type { NetworkNamespace } from './namespace.ts';

/**
 * A socket, non-blocking, in a network namespace. The thread is inside for the moment of socket(2) alone: what is done with
 * the socket afterwards happens where the socket stands.
 * @param namespace undefined: the thread's own
 * @throws SystemError naming `subject`
 */
export function openSocket(
  family: 4 | 6,
  kind: number,
  namespace: NetworkNamespace | undefined,
  subject: string,
): Descriptor {
  const domain = family === 6 ? libc.AF_INET6 : libc.AF_INET;
  const type = kind | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
  const open = (): Descriptor => owned('socket', libc.socket(domain, type, 0), subject);
  return namespace === undefined ? open() : namespace.enter(open);
}
