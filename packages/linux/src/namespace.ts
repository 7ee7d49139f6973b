import { closeSync, openSync, statSync } from 'node:fs';
import { checked } from './descriptor.ts';
import { MisuseError, SystemError } from './errors.ts';
import * as libc from './libc.ts';

const CLONE_NEWNET = 0x40000000;

/** The thread could not leave a namespace: what it opens from now on would stand in another pod's. It must end. */
export class NamespaceTrapError extends Error {
  readonly code = 'NAMESPACE_TRAP';
  constructor(cause: SystemError) {
    super(
      `a thread could not return to its own network namespace: ${cause.message}; it ends and is replaced. If this repeats, look at the container's memory limit and capabilities`,
      { cause },
    );
    this.name = 'NamespaceTrapError';
  }
}

/**
 * Where this thread belongs, opened at its first visit to another namespace and never closed: to open it anew each time
 * would cost several times what setns(2) does.
 */
let homeFd: number | undefined;
/** The namespace that this thread is visiting. */
let visitedFd: number | undefined;
/** Set when this thread is where it must not stay: its reactor ends with it. */
export let namespaceTrap: NamespaceTrapError | undefined;

/**
 * A network namespace, held open by a descriptor. Sockets made while a thread is inside belong to it for ever,
 * wherever the thread goes.
 */
export class NetworkNamespace {
  readonly #fd: number;
  readonly #owned: boolean;
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
   * A namespace whose descriptor belongs to another thread. `close` then forgets it: its owner may close the descriptor, and
   * its number may serve another pod's namespace.
   */
  static borrow(fd: number): NetworkNamespace {
    return new NetworkNamespace(fd, false);
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
  constructor(fd: number, owned = true) {
    this.#fd = fd;
    this.#owned = owned;
  }

  /** @throws MisuseError when closed */
  get fd(): number {
    if (this.#closed) throw new MisuseError('the network namespace is closed');
    return this.#fd;
  }

  /** `device:inode`, equal for two descriptors of one namespace. */
  identity(): string {
    const { dev, ino } = statSync(`/proc/self/fd/${this.fd}`, { bigint: true });
    return `${dev}:${ino}`;
  }

  /**
   * Runs `action` with the calling thread inside this namespace, and brings the thread back to where it was.
   * @throws SystemError EPERM without CAP_SYS_ADMIN
   * @throws NamespaceTrapError when there is no way back
   */
  enter<T>(action: () => T): T {
    const fd = this.fd;
    if (visitedFd === fd) return action();
    homeFd ??= openSync('/proc/thread-self/ns/net', 'r');
    const backTo = visitedFd;
    checked('setns', libc.setns(fd, CLONE_NEWNET));
    visitedFd = fd;
    try {
      return action();
    } finally {
      goBack(backTo);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#owned) closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function goBack(to: number | undefined): void {
  visitedFd = to;
  if (libc.setns(to ?? homeFd!, CLONE_NEWNET) === 0) return;
  namespaceTrap = new NamespaceTrapError(new SystemError('setns', libc.errno(), 'back to its own namespace'));
  throw namespaceTrap;
}
