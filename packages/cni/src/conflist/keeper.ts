import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { Clock } from '@ambient/runtime';
import type { Repair } from './installer.ts';

export interface KeeperOptions {
  /** Makes everything as it should be; a failure is tried again. */
  readonly install: () => readonly Repair[];
  /** Directories whose changes are a reason to look. */
  readonly directories: readonly string[];
  readonly clock: Clock;
  /** Told after each look: what was repaired, or why it could not be. */
  readonly onLooked: (outcome: { readonly repairs: readonly Repair[]; readonly error: unknown }) => void;
}

/** Changes come in bursts; and whoever fights over the file with us is answered once a second, not at once. */
const SETTLE_MS = 100;
const REPAIR_INTERVAL_MS = 1000;
/** A watch may miss something (another file system, a directory that is replaced): so it looks by itself, too. */
const LOOK_INTERVAL_MS = 30_000;

/** Keeps the plugin installed: looks at once, after every change nearby, and from time to time. */
export class PluginKeeper {
  readonly #options: KeeperOptions;
  readonly #watchers: FSWatcher[] = [];
  #next: { readonly timer: Disposable; readonly atMs: number } | undefined;
  #notBeforeMs = 0;
  #stopped = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    for (const directory of options.directories) {
      const watcher = watch(directory, () => this.#lookIn(SETTLE_MS));
      watcher.on('error', () => this.#lookIn(SETTLE_MS));
      this.#watchers.push(watcher);
    }
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.timer[Symbol.dispose]();
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #lookIn(delayMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const atMs = Math.max(clock.nowMs() + delayMs, this.#notBeforeMs);
    if (this.#next !== undefined && this.#next.atMs <= atMs) return;
    this.#next?.timer[Symbol.dispose]();
    this.#next = { timer: clock.setTimer(atMs - clock.nowMs(), () => this.#look()), atMs };
  }

  #look(): void {
    const { clock, install, onLooked } = this.#options;
    this.#next = undefined;
    let repairs: readonly Repair[] = [];
    let error: unknown;
    try {
      repairs = install();
    } catch (caught) {
      error = caught;
    }
    if (repairs.length > 0 || error !== undefined) this.#notBeforeMs = clock.nowMs() + REPAIR_INTERVAL_MS;
    this.#lookIn(error === undefined ? LOOK_INTERVAL_MS : REPAIR_INTERVAL_MS);
    onLooked({ repairs, error });
  }
}
