import { owned } from './descriptor.ts';
import { SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';
import type { Reactor, ReadinessHandler } from './reactor.ts';

const scratch = new IoBuffer(8);
const pointer = scratch.addressOf(0, 8);

/** An eventfd by which any thread of the process wakes one reactor. Its number may be handed to the other threads. */
export class Wakeup {
  readonly #descriptor = owned('eventfd', libc.eventfd(0, libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC));

  /** For `notifyWakeup` in another thread. Valid while this object is open. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Wakes the reactor that listens to the eventfd `fd`. */
export function notifyWakeup(fd: number): void {
  scratch.bytes.writeUInt32LE(1, 0);
  scratch.bytes.writeUInt32LE(0, 4);
  if (libc.write(fd, pointer, 8) === 8) return;
  const errno = libc.errno();
  if (errno !== libc.EAGAIN) throw new SystemError('write', errno, 'eventfd'); // EAGAIN: it is awake already
}

/** Calls `onWake` in the reactor's turn for every burst of notifications. */
export function listenForWakeups(
  reactor: Reactor,
  fd: number,
  onWake: () => void,
  onFault: (error: unknown) => void,
): void {
  const handler: ReadinessHandler = {
    onReadiness() {
      libc.read(fd, pointer, 8);
      onWake();
    },
    onFault,
  };
  reactor.registerReadable(fd, handler);
}
