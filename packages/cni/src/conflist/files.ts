import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Content of a file; undefined when there is none. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Puts a file in place of another at once: whoever reads it, or runs it, sees the old one or the new one, whole.
 * @param mode permissions, whatever the umask
 */
export function replaceFile(path: string, content: string | Uint8Array, mode: number): void {
  // A name that no container runtime takes for a configuration, and that the next attempt overwrites.
  const temporary = join(dirname(path), `.${basename(path)}.istio-cni-new`);
  const fd = openSync(temporary, 'w', mode);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd); // a node that loses power must not come back with an empty network configuration
  } catch (error) {
    closeSync(fd);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(fd);
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}
