import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SnapshotError } from './errors.ts';

/** AES-256. */
const keyBytes = 32;

/**
 * The key in the file `path`, which is made with a random one if there is none.
 *
 * @throws SnapshotError SNAPSHOT_KEY, also for a key that others than the file's owner could have read; SNAPSHOT_UNWRITABLE
 *   where there is none and none can be made
 */
export async function loadSnapshotKey(path: string): Promise<Buffer> {
  try {
    const key = await readKey(path);
    if (key !== undefined) return key;
  } catch (cause) {
    if (cause instanceof SnapshotError) throw cause;
    throw new SnapshotError('SNAPSHOT_KEY', `the key ${path} cannot be used`, { cause });
  }
  try {
    return await makeKey(path);
  } catch (cause) {
    if (cause instanceof SnapshotError) throw cause;
    throw new SnapshotError('SNAPSHOT_UNWRITABLE', `the key ${path} cannot be made`, { cause });
  }
}

async function readKey(path: string): Promise<Buffer | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size, mode, uid } = await file.stat();
    if ((mode & 0o077) !== 0)
      throw new SnapshotError('SNAPSHOT_KEY', `the key ${path} can be read by others than its owner`);
    if (uid !== process.getuid!())
      throw new SnapshotError('SNAPSHOT_KEY', `the key ${path} belongs to user ${uid}`);
    if (size !== keyBytes) throw new SnapshotError('SNAPSHOT_KEY', `the key ${path} has ${size} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Appears whole or not at all: a second process, during an upgrade, may look for it at the same time. */
async function makeKey(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(keyBytes));
    await file.sync();
    await link(temporary, path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
  const key = await readKey(path);
  if (key === undefined) throw new SnapshotError('SNAPSHOT_KEY', `the key ${path} vanished`);
  return key;
}
