import { closeSync, openSync, statSync } from 'node:fs';
import { checked } from './descriptor.ts';
import * as libc from './libc.ts';

const CLONE_NEWNET = 0x40000000;

/**
 * A network namespace, held open by a descriptor. Sockets made while a thread is inside belong to it for ever,
 * wherever the thread goes.
 */
export class NetworkNamespace {
  readonly fd: number;
  #closed = false;

  /** @param path such as `/run/netns/NAME` or `/proc/PID/ns/net` */
  static open(path: string): NetworkNamespace {
    return new NetworkNamespace(openSync(path, 'r'));
  }

  /** The namespace that the calling thread is in. */
  static current(): NetworkNamespace {
    return NetworkNamespace.open('/proc/thread-self/ns/net');
  }

  /**
   * A new, empty namespace (its loopback is down) that lasts as long as this descriptor, or a process or socket inside.
   * @throws SystemError EPERM without CAP_SYS_ADMIN
   */
  static create(): NetworkNamespace {
    using home = NetworkNamespace.current();
    checked('unshare', libc.unshare(CLONE_NEWNET));
    try {
      return NetworkNamespace.current();
    } finally {
      checked('setns', libc.setns(home.fd, CLONE_NEWNET), 'back to its own namespace');
    }
  }

  /** @param fd an open namespace, such as one received from a node agent; owned from now on */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** `device:inode`, equal for two descriptors of one namespace. */
  identity(): string {
    const { dev, ino } = statSync(`/proc/self/fd/${this.fd}`, { bigint: true });
    return `${dev}:${ino}`;
  }

  /**
   * Runs `action` with the calling thread inside this namespace, and brings the thread back.
   * @throws SystemError EPERM without CAP_SYS_ADMIN
   */
  enter<T>(action: () => T): T {
    using home = NetworkNamespace.current();
    checked('setns', libc.setns(this.fd, CLONE_NEWNET));
    try {
      return action();
    } finally {
      checked('setns', libc.setns(home.fd, CLONE_NEWNET), 'back to its own namespace');
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
