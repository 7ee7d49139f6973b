import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ReplaceFileError } from './errors.ts';

/** Content of a file; undefined when there is none. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of an executable of 150 MB, so much is in memory at a time: to start a tool from a large process takes long. */
const PIECE_BYTES = 1 << 20;

/** Changes with each change of a file's content, its owner or its permissions; undefined when there is none. */
export function fileVersion(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && [stat.dev, stat.ino, stat.size, stat.ctimeNs].join(' ');
}

/** Compares two files that are there, byte by byte. */
export function sameContent(first: string, second: string): boolean {
  using unwind = new DisposableStack();
  const left = unwind.adopt(openSync(first, 'r'), closeSync);
  const right = unwind.adopt(openSync(second, 'r'), closeSync);
  if (fstatSync(left).size !== fstatSync(right).size) return false;
  const [piece, other] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
  for (;;) {
    const length = readWhole(left, piece);
    if (readWhole(right, other) !== length) return false;
    if (length === 0) return true;
    if (piece.compare(other, 0, length, 0, length) !== 0) return false;
  }
}

/** Reads until the buffer is full, or the file's end. */
function readWhole(fd: number, buffer: Buffer): number {
  let filled = 0;
  while (filled < buffer.length) {
    const length = readSync(fd, buffer, filled, buffer.length - filled, null);
    if (length === 0) break;
    filled += length;
  }
  return filled;
}

/**
 * Puts a file in place of another at once: whoever reads it, or runs it, sees the old one or the new one, whole.
 * @param mode permissions, whatever the umask
 * @throws ReplaceFileError
 */
export function replaceFile(path: string, content: string | Uint8Array, mode: number): void {
  replaceBy(path, mode, (fd) => writeWhole(fd, typeof content === 'string' ? Buffer.from(content) : content));
}

/** The same with a copy of a file. @throws ReplaceFileError, or what opening the source throws */
export function replaceByCopy(path: string, source: string, mode: number): void {
  using unwind = new DisposableStack();
  const from = unwind.adopt(openSync(source, 'r'), closeSync);
  replaceBy(path, mode, (fd) => {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    for (let length = readWhole(from, piece); length > 0; length = readWhole(from, piece))
      writeWhole(fd, piece.subarray(0, length));
  });
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function replaceBy(path: string, mode: number, write: (fd: number) => void): void {
  // A name that no container runtime takes for a configuration, and that the next attempt overwrites.
  const temporary = join(dirname(path), `.${basename(path)}.istio-cni-new`);
  try {
    using unwind = new DisposableStack();
    const fd = unwind.adopt(openSync(temporary, 'w', mode), closeSync);
    write(fd);
    fsyncSync(fd); // a node that loses power must not come back with an empty network configuration
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw new ReplaceFileError(path, error);
  }
}

/** That it cannot be removed is no worse than why it is there. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // as on a disk that has become read-only
  }
}
