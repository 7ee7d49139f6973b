import { readFileSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import path from 'node:path';
import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { MeshUpdate } from '@ambient/mesh';

import { LocalSourceError } from '../errors.ts';
import type { RejectedResourceError } from '../errors.ts';
import { parseLocalConfig } from './local-config.ts';
import type { LocalConfig } from './local-config.ts';

/** LOCAL_XDS_PATH or LOCAL_XDS. */
export type LocalDocument = { readonly path: string } | { readonly yaml: string };

export interface LocalSourceOptions {
  readonly document: LocalDocument;
  /** Called with what the first load brings, then with what each change of the file changes. */
  readonly onUpdate: (updates: readonly MeshUpdate[]) => void;
  readonly onReject?: (rejected: readonly RejectedResourceError[]) => void;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** The local mesh as dumps show it. */
export interface LocalSourceStatus {
  readonly document: string;
  readonly entries: number;
  readonly loads: number;
  /** Entries rejected by the last load. */
  readonly rejected: readonly string[];
  /** Why the last load changed nothing, '' if it succeeded. */
  readonly lastError: string;
}

/** Editors and config maps replace a file in several steps; one load a burst is enough. */
const settleMs = 50;

/**
 * The mesh from a local document instead of a control plane. A file is watched: a change emits only differences, with
 * removals last; a file that cannot be read or parsed changes nothing; a bad entry keeps its last good state.
 */
export class LocalSource implements Disposable {
  readonly #options: LocalSourceOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  #source: string | undefined;
  /** What is in force, each with its text for comparison. */
  #held = new Map<string, { update: MeshUpdate; text: string }>();
  #watcher: FSWatcher | undefined;
  #timer: Disposable | undefined;
  #loads = 0;
  #rejected: readonly string[] = [];
  #lastError = '';

  constructor(options: LocalSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#log = options.log;
  }

  /** Loads the document, then watches it. @throws LocalSourceError if it cannot be used at all */
  start(): void {
    this.#load();
    if ('path' in this.#options.document) this.#watch(this.#options.document.path);
  }

  /** Loads the document anew if it has changed; an unusable one is logged and changes nothing. */
  reload(): void {
    try {
      this.#load();
    } catch (error) {
      if (!(error instanceof LocalSourceError)) throw error;
      this.#lastError = error.message;
      this.#log.error('local mesh document not applied, the last good state stays', {
        code: error.code,
        error: error.message,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  status(): LocalSourceStatus {
    const { document } = this.#options;
    return {
      document: 'path' in document ? document.path : 'LOCAL_XDS',
      entries: this.#held.size,
      loads: this.#loads,
      rejected: this.#rejected,
      lastError: this.#lastError,
    };
  }

  #load(): void {
    const source = this.#read();
    if (source === this.#source) {
      this.#lastError = '';
      return;
    }
    const config = parseLocalConfig(source);
    this.#source = source;
    this.#loads++;
    this.#lastError = '';
    this.#rejected = config.rejected.map((error) => error.message);
    const updates = this.#difference(config);
    if (updates.length > 0) this.#options.onUpdate(updates);
    for (const error of config.rejected)
      this.#log.warn('local mesh entry rejected, its previous version stays in force', {
        resource: error.resource,
        error: error.message,
      });
    if (config.rejected.length > 0) this.#options.onReject?.(config.rejected);
    this.#log.info('local mesh loaded', { entries: this.#held.size, changes: updates.length });
  }

  #read(): string {
    const { document } = this.#options;
    if ('yaml' in document) return document.yaml;
    try {
      return readFileSync(document.path, 'utf8');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new LocalSourceError(
        'LOCAL_XDS_UNREADABLE',
        `cannot read the local mesh file: ${reason}; check LOCAL_XDS_PATH and the file's permissions`,
        { cause: error },
      );
    }
  }

  #difference(config: LocalConfig): MeshUpdate[] {
    const updates: MeshUpdate[] = [];
    const held = new Map<string, { update: MeshUpdate; text: string }>();
    for (const [id, update] of config.updates) {
      const text = JSON.stringify(update);
      if (this.#held.get(id)?.text !== text) updates.push(update);
      held.set(id, { update, text });
    }
    const removals: MeshUpdate[] = [];
    for (const [id, entry] of this.#held) {
      if (held.has(id)) continue;
      if (config.rejectedIds.has(id)) held.set(id, entry);
      else removals.push(removalOf(id));
    }
    this.#held = held;
    // Backwards: a policy goes after the workloads that name it.
    return updates.concat(removals.reverse());
  }

  #watch(file: string): void {
    // The folder, not the file: a file that is replaced, or is a link that moves, would be lost from sight.
    const own = path.basename(file);
    this.#watcher = watch(path.dirname(path.resolve(file)), (_event, name) => {
      // A neighbour's change is nothing to us. Names with two dots are how a mounted ConfigMap is swapped.
      if (name !== null && name !== own && !name.startsWith('..')) return;
      this.#timer ??= this.#clock.setTimer(settleMs, () => {
        this.#timer = undefined;
        this.reload();
      });
    });
    this.#watcher.on('error', (error) => {
      this.#log.error('local mesh file is no longer watched; restart to see changes', {
        error: error.message,
      });
    });
  }
}

function removalOf(id: string): MeshUpdate {
  const space = id.indexOf(' ');
  const key = id.slice(space + 1);
  return id.startsWith('policy ') ? { kind: 'remove-policy', key } : { kind: 'remove-address', key };
}
