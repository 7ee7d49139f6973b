import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import type { ApiObject } from '../object.ts';

/** One object of the store, under its resource and key. */
export interface StoredEntry {
  readonly resource: string;
  readonly key: string;
  readonly object: ApiObject;
}

/** One change on disk. Without an object, the key was deleted. */
export interface JournalEntry {
  readonly resource: string;
  readonly key: string;
  readonly resourceVersion: number;
  readonly object?: ApiObject;
}

/** A file of the journal that is damaged before its end, which no crash of its writer can have done. */
export class JournalDamagedError extends Error {
  readonly code = 'JOURNAL_DAMAGED';
  constructor(path: string, line: number, cause: unknown) {
    super(`${path} line ${line} is not JSON; restore the file, or remove the data directory to begin anew`, {
      cause,
    });
    this.name = 'JournalDamagedError';
  }
}

export interface JournalOptions {
  /** Changes after which the journal is replaced by a snapshot of what is live. */
  readonly snapshotAfter?: number;
}

/**
 * The store's changes on disk, as lines of JSON: a snapshot, and the changes since. A change is handed to the kernel
 * before its request is answered, so it survives the end of the process, kill -9 included (not that of the machine).
 * A last line that was cut short is a change that nobody was told of, and is ignored.
 */
export class Journal {
  readonly #snapshotPath: string;
  readonly #journalPath: string;
  readonly #snapshotAfter: number;
  readonly #fd: number;
  #entries = 0;
  /** What the files told when they were opened. */
  readonly recovered: readonly StoredEntry[];
  /** The last resourceVersion on disk, 0 for a new directory. */
  readonly recoveredRevision: number;

  /** @throws JournalDamagedError */
  constructor(directory: string, options: JournalOptions = {}) {
    this.#snapshotAfter = options.snapshotAfter ?? 100_000;
    this.#snapshotPath = join(directory, 'snapshot.jsonl');
    this.#journalPath = join(directory, 'journal.jsonl');
    mkdirSync(directory, { recursive: true, mode: 0o700 });

    const live = new Map<string, StoredEntry>();
    const snapshot = readLines<StoredEntry & { resourceVersion?: number }>(this.#snapshotPath);
    // The first line of a snapshot says which changes it holds.
    let revision = snapshot.lines[0]?.resourceVersion ?? 0;
    for (const entry of snapshot.lines.slice(1)) live.set(`${entry.resource} ${entry.key}`, entry);
    const snapshotRevision = revision;

    const changes = readLines<JournalEntry>(this.#journalPath);
    for (const { resource, key, resourceVersion, object } of changes.lines) {
      // A crash after a snapshot was put in place leaves changes that it holds already.
      if (resourceVersion <= snapshotRevision) continue;
      revision = resourceVersion;
      if (object === undefined) live.delete(`${resource} ${key}`);
      else live.set(`${resource} ${key}`, { resource, key, object });
      this.#entries++;
    }
    this.recovered = [...live.values()];
    this.recoveredRevision = revision;
    this.#fd = openSync(this.#journalPath, 'a', 0o600);
    // Else the next line would be appended to half a line.
    ftruncateSync(this.#fd, changes.wholeBytes);
  }

  get wantsSnapshot(): boolean {
    return this.#entries >= this.#snapshotAfter;
  }

  append(entry: JournalEntry): void {
    writeWhole(this.#fd, `${JSON.stringify(entry)}\n`);
    this.#entries++;
  }

  /**
   * Replaces what is on disk by what is live.
   *
   * @param revision the last change that `entries` holds
   */
  replaceBySnapshot(revision: number, entries: Iterable<StoredEntry>): void {
    const temporary = `${this.#snapshotPath}.new`;
    const fd = openSync(temporary, 'w', 0o600);
    try {
      let batch = `${JSON.stringify({ resourceVersion: revision })}\n`;
      for (const entry of entries) {
        batch += `${JSON.stringify(entry)}\n`;
        if (batch.length < batchCharacters) continue;
        writeWhole(fd, batch);
        batch = '';
      }
      writeWhole(fd, batch);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, this.#snapshotPath);
    ftruncateSync(this.#fd, 0);
    this.#entries = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const batchCharacters = 1 << 20;

function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
}

/** The lines of a file up to its last newline, and how many bytes those are. */
function readLines<T>(path: string): { readonly lines: readonly T[]; readonly wholeBytes: number } {
  if (!existsSync(path)) return { lines: [], wholeBytes: 0 };
  const bytes = readFileSync(path);
  const lines: T[] = [];
  let from = 0;
  for (let to = bytes.indexOf(0x0a); to >= 0; to = bytes.indexOf(0x0a, from)) {
    try {
      lines.push(JSON.parse(bytes.toString('utf8', from, to)) as T);
    } catch (error) {
      throw new JournalDamagedError(path, lines.length + 1, error);
    }
    from = to + 1;
  }
  return { lines, wholeBytes: from };
}
