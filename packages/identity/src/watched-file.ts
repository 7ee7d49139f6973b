import { statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

import type { Clock } from '@ambient/runtime';

export interface WatchedFileOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Calls come this long after the last sign of a change, milliseconds; writers take several steps. */
  readonly debounceMs: number;
  /** The file is also looked at this often, milliseconds: network file systems report nothing. */
  readonly pollMs: number;
  /** The file appeared, vanished or has other content; it says not which. */
  readonly onChange: () => void;
}

/**
 * Notices changes of a file, also of one that is not there yet, and of one that is swapped by a symbolic link somewhere
 * in its path, as Kubernetes does with mounted ConfigMaps: the directory is watched, and the file itself is compared.
 */
export class WatchedFile implements Disposable {
  readonly #options: WatchedFileOptions;
  #seen: string;
  #watcher: FSWatcher | undefined;
  #debounce: Disposable | undefined;
  #poll: Disposable | undefined;

  constructor(options: WatchedFileOptions) {
    this.#options = options;
    this.#seen = fingerprint(options.path);
    this.#watch();
    this.#pollLater();
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#debounce?.[Symbol.dispose]();
    this.#poll?.[Symbol.dispose]();
  }

  #watch(): void {
    try {
      this.#watcher = watch(dirname(this.#options.path), { persistent: false }, () => this.#look());
      // The directory went away, or the system has no more watches: polling goes on.
      this.#watcher.on('error', () => {
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch {
      this.#watcher = undefined;
    }
  }

  #pollLater(): void {
    this.#poll = this.#options.clock.setTimer(this.#options.pollMs, () => {
      if (this.#watcher === undefined) this.#watch();
      this.#look();
      this.#pollLater();
    });
  }

  #look(): void {
    const found = fingerprint(this.#options.path);
    if (found === this.#seen) return;
    this.#seen = found;
    this.#debounce?.[Symbol.dispose]();
    this.#debounce = this.#options.clock.setTimer(this.#options.debounceMs, () => {
      this.#debounce = undefined;
      this.#options.onChange();
    });
  }
}

/** Equal while the file is the same; '' if it is not there or cannot be looked at. */
function fingerprint(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch {
    return '';
  }
}
