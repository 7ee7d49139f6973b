import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';
import { Reactor } from './reactor.ts';
import type { ReadinessHandler } from './reactor.ts';
import { listenForWakeups, notifyWakeup, Wakeup } from './wakeup.ts';

const POLLIN = 1;

/**
 * Readiness of descriptors told in Node's own event loop, for a thread that lives with promises and has a few sockets that
 * Node cannot open itself (seqpacket, descriptor passing). It waits in one thread of Node's pool; nothing is polled in
 * vain. Handlers are told again and again until they have drained what they were told of. For timers such a thread has
 * the event loop's.
 */
export class EventLoopReactor {
  readonly #reactor: Reactor;
  readonly #wakeup = new Wakeup();
  readonly #pollfd = new IoBuffer(8);
  readonly #ended = Promise.withResolvers<void>();
  #closing = false;

  /** @param onFault told of a defect that no descriptor can be blamed for */
  constructor(onFault: (error: unknown) => void) {
    this.#reactor = new Reactor(onFault);
    listenForWakeups(this.#reactor, this.#wakeup.fd, () => undefined, onFault);
    this.#wait(onFault);
  }

  /** Starts telling `handler` while `fd` is readable, or its peer has gone. */
  registerReadable(fd: number, handler: ReadinessHandler): void {
    this.#reactor.registerReadable(fd, handler);
  }

  /** Stops telling; call before closing the descriptor. */
  unregister(fd: number): void {
    this.#reactor.unregister(fd);
  }

  /** Stops telling of anything; resolves when the waiting thread is back. The descriptors belong to their owners. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      notifyWakeup(this.#wakeup.fd);
    }
    await this.#ended.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #wait(onFault: (error: unknown) => void): void {
    const { bytes } = this.#pollfd;
    bytes.writeInt32LE(this.#reactor.fd, 0);
    bytes.writeInt16LE(POLLIN, 4);
    // poll(2) looks at the epoll descriptor and takes no event from it; the turn below does, in this thread.
    libc.pollInPool(this.#pollfd.addressOf(0, 8), 1, -1, () => {
      if (!this.#closing) {
        try {
          this.#reactor.turn(0);
        } catch (error) {
          onFault(error);
        }
      }
      if (!this.#closing) return this.#wait(onFault);
      this.#wakeup.close();
      this.#reactor.close();
      this.#ended.resolve();
    });
  }
}
