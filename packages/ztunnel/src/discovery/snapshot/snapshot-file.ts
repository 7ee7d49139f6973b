import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '@ambient/runtime';
import type { ZtunnelSettings } from '../../settings.ts';
import { SnapshotError } from './errors.ts';
import { loadSnapshotKey } from './key-file.ts';
import type { SnapshotRecord } from './records.ts';
import { readRecords } from './records.ts';
import type { SnapshotHeader } from './sealed-format.ts';
import { openSnapshot, readSnapshotHeader, SnapshotSealer } from './sealed-format.ts';

/** A mesh of 50,000 workloads takes 20 MB. */
const maxFileBytes = 512 * 1024 * 1024;
/** Records that are read or written between two turns of the event loop. */
const recordsAtOnce = 250;
/** What a process that was killed while it wrote has left is removed after this long. */
const leftoverMs = 3_600_000;
/** By how much the clock that a snapshot was written by may be ahead. */
const clockSkewMs = 300_000;

export interface SnapshotFileOptions {
  readonly path: string;
  readonly keyPath: string;
  readonly maxAgeMs: number;
  /** Whose snapshots are used. */
  readonly owner: Omit<SnapshotHeader, 'writtenAtMs'>;
  readonly nowMs: () => number;
}

/** The file that outlives the process: sealed, replaced in one step, and read only if it is this node's and recent. */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions;
  #key: Promise<Buffer> | undefined;

  constructor(options: SnapshotFileOptions) {
    this.#options = options;
  }

  /**
   * Reads the snapshot, if there is one. `take` is given its records in parts, none before all of the file is known to be
   * genuine.
   *
   * @returns undefined if there is none
   * @throws SnapshotError; what was taken until then must not be used
   */
  async read(take: (records: readonly SnapshotRecord[]) => void): Promise<SnapshotHeader | undefined> {
    const file = await this.#readFile();
    if (file === undefined) return undefined;
    this.#check(readSnapshotHeader(file).header);
    const { header, plain } = openSnapshot(await this.#loadKey(), file);
    let part: SnapshotRecord[] = [];
    for (const record of readRecords(plain)) {
      part.push(record);
      if (part.length < recordsAtOnce) continue;
      take(part);
      part = [];
      await nextTurn();
    }
    if (part.length > 0) take(part);
    return header;
  }

  /** Replaces the snapshot. @throws SnapshotError the old one is then still there */
  async write(records: Iterable<Buffer>): Promise<void> {
    const { path, owner, nowMs } = this.#options;
    const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
    try {
      const sealer = new SnapshotSealer(await this.#loadKey(), { ...owner, writtenAtMs: nowMs() });
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await this.#removeLeftovers();
      await writeSealed(temporary, sealer, records);
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (cause instanceof SnapshotError) throw cause;
      throw new SnapshotError('SNAPSHOT_UNWRITABLE', `the snapshot ${path} cannot be written`, { cause });
    }
  }

  #loadKey(): Promise<Buffer> {
    if (this.#key === undefined) {
      this.#key = loadSnapshotKey(this.#options.keyPath);
      // An operator may put it right while the process runs.
      this.#key.catch(() => (this.#key = undefined));
    }
    return this.#key;
  }

  async #readFile(): Promise<Buffer | undefined> {
    const { path } = this.#options;
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        if (size > maxFileBytes)
          throw new SnapshotError('SNAPSHOT_UNREADABLE', `the snapshot ${path} has ${size} bytes`);
        return await file.readFile();
      } finally {
        await file.close();
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (cause instanceof SnapshotError) throw cause;
      throw new SnapshotError('SNAPSHOT_UNREADABLE', `the snapshot ${path} cannot be read`, { cause });
    }
  }

  #check(header: SnapshotHeader): void {
    const { owner, maxAgeMs, nowMs } = this.#options;
    for (const field of ['nodeName', 'clusterId', 'network', 'trustDomain'] as const)
      if (header[field] !== owner[field])
        throw new SnapshotError(
          'SNAPSHOT_FOREIGN',
          `the snapshot is of ${field} ${JSON.stringify(header[field])}, not ${JSON.stringify(owner[field])}`,
        );
    const ageMs = nowMs() - header.writtenAtMs;
    if (!(ageMs <= maxAgeMs && ageMs >= -clockSkewMs))
      throw new SnapshotError('SNAPSHOT_OLD', `the snapshot is ${Math.round(ageMs / 1000)} s old`);
  }

  async #removeLeftovers(): Promise<void> {
    const { path, nowMs } = this.#options;
    const directory = dirname(path);
    for (const name of await readdir(directory)) {
      if (!name.startsWith(`${basename(path)}.`) || !name.endsWith('.tmp')) continue;
      const leftover = join(directory, name);
      const writtenAtMs = await modifiedAtMs(leftover);
      if (writtenAtMs !== undefined && nowMs() - writtenAtMs > leftoverMs)
        await rm(leftover, { force: true });
    }
  }
}

/** Undefined if there is no such file: another writer has just put it in place. */
async function modifiedAtMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The snapshot that the settings ask for, undefined if they do not. */
export function snapshotFileOf(
  { snapshot, place }: Pick<ZtunnelSettings, 'snapshot' | 'place'>,
  clock: Clock,
): SnapshotFile | undefined {
  if (snapshot === undefined) return undefined;
  const { nodeName, clusterId, network, trustDomain } = place;
  const owner = { nodeName, clusterId, network, trustDomain };
  return new SnapshotFile({ ...snapshot, owner, nowMs: () => clock.nowMs() });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Writes a new file, some records at a time, and has it on the disk. */
async function writeSealed(path: string, sealer: SnapshotSealer, records: Iterable<Buffer>): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  let part: Buffer[] = [sealer.head];
  for (const record of records) {
    part.push(sealer.update(record));
    if (part.length < recordsAtOnce) continue;
    await file.writeFile(Buffer.concat(part));
    part = [];
  }
  part.push(sealer.final());
  await file.writeFile(Buffer.concat(part));
  await file.sync();
}
