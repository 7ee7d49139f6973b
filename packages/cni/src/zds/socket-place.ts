import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { UnixListener } from '@ambient/linux';

/** Whose file is at a socket's path: this listener's, nobody's, another's. */
export type PlaceHolder = 'own' | 'nobody' | 'other';

const BACKLOG = 128;

/** A listening seqpacket socket, and the file by which it is found: whoever renames his own there has the place from then on. */
export class SocketPlace {
  readonly listener: UnixListener;
  readonly #path: string;
  /** Of the file: another agent may have put its own in its place since. Not given to another file while this one listens. */
  readonly #inode: bigint;

  /** Listens in place of whoever listened there before, who stays reachable at `pathOfBefore`. @throws SystemError */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    // Under another name first: who dials meets the agent before or this one, and never nobody.
    const temporary = `${path}.new`;
    rmSync(temporary, { force: true });
    this.listener = new UnixListener(temporary, 'seqpacket', BACKLOG);
    try {
      chmodSync(temporary, 0o600); // ztunnel is root; nobody else has a say in whose traffic is carried
      this.#inode = inodeOf(temporary)!;
      keepBefore(path);
      renameSync(temporary, path);
    } catch (error) {
      this.listener.close();
      throw error;
    }
  }

  get holder(): PlaceHolder {
    const inode = inodeOf(this.#path);
    if (inode === undefined) return 'nobody';
    return inode === this.#inode ? 'own' : 'other';
  }

  /** Whether who had the place before still listens. One who has ended, in whatever way, does not. */
  async beforeListens(): Promise<boolean> {
    const listens = await isListening(pathOfBefore(this.#path));
    if (!listens) rmSync(pathOfBefore(this.#path), { force: true });
    return listens;
  }

  /** Stops to listen, and removes the file if it is this one's. */
  close(): void {
    this.listener.close();
    if (this.holder === 'own') rmSync(this.#path, { force: true });
  }
}

/**
 * Whether a process has the seqpacket socket of this file open. It hears nothing of being asked: the kernel refuses a stream
 * to a socket of another kind (EPROTOTYPE), unless that is closed (ECONNREFUSED; unix(7)).
 */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

function pathOfBefore(path: string): string {
  return `${path}.before`;
}

function keepBefore(path: string): void {
  rmSync(pathOfBefore(path), { force: true });
  try {
    linkSync(path, pathOfBefore(path));
  } catch (error) {
    // Nobody was there; and where the file system has no second names, nobody is waited for.
    if (!['ENOENT', 'EPERM', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
