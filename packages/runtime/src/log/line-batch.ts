import type { LogFields, LogFormat } from './line-format.ts';
import { formatLine } from './line-format.ts';
import type { LogLevel } from './levels.ts';
import type { LogSink } from './logger.ts';

/**
 * The log of a data worker: formats lines and keeps them until `take`. Bounded, because a main thread that is busy
 * must not let a worker's memory grow; what did not fit is counted and reported in the next batch.
 */
export class LineBatch implements LogSink {
  readonly #format: LogFormat;
  readonly #maxChars: number;
  #lines = '';
  #dropped = 0;

  /** @param maxChars UTF-16 code units held at most between two calls of `take` */
  constructor(format: LogFormat, maxChars = 1024 * 1024) {
    this.#format = format;
    this.#maxChars = maxChars;
  }

  write(
    level: LogLevel,
    scope: string,
    message: string,
    fields: LogFields | undefined,
    timeMs: number,
  ): void {
    if (this.#lines.length >= this.#maxChars) {
      this.#dropped += 1;
      return;
    }
    this.#lines += formatLine(this.#format, level, scope, message, fields, timeMs);
  }

  get empty(): boolean {
    return this.#lines === '' && this.#dropped === 0;
  }

  /** The lines since the last call, for {@link LogOutput.writeFormatted}. @param timeMs for the note on dropped lines */
  take(timeMs: number): string {
    if (this.#dropped > 0) {
      const message = 'log lines dropped: the main thread was busy; log less or give the process more CPU';
      this.#lines += formatLine(this.#format, 'warn', 'log', message, { dropped: this.#dropped }, timeMs);
      this.#dropped = 0;
    }
    const lines = this.#lines;
    this.#lines = '';
    return lines;
  }
}
