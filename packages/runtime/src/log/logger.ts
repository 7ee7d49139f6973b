import type { LogLevel, LogLevels, ScopeThreshold } from './levels.ts';
import { levelRank } from './levels.ts';
import type { LogFields } from './line-format.ts';

/** Where lines go: the process's output on the main thread, a batch for the main thread in a worker, a list in a test. */
export interface LogSink {
  write(level: LogLevel, scope: string, message: string, fields: LogFields | undefined, timeMs: number): void;
}

/** Unix time in milliseconds, as fine as the machine gives it; follows steps of the wall clock. */
export function logTimeMs(): number {
  const coarse = Date.now();
  const fine = performance.timeOrigin + performance.now();
  // The monotonic clock is finer but does not follow when the wall clock is set.
  return Math.abs(fine - coarse) < 2 ? fine : coarse;
}

/** Writes the lines of one scope that its threshold lets through. */
export class Logger {
  readonly #levels: LogLevels;
  readonly #threshold: ScopeThreshold;
  readonly #sink: LogSink;
  readonly #fields: LogFields | undefined;
  readonly #timeMs: () => number;

  /** @param timeMs Unix time in milliseconds for each line */
  constructor(
    levels: LogLevels,
    sink: LogSink,
    scope: string,
    fields?: LogFields,
    timeMs: () => number = logTimeMs,
  ) {
    this.#levels = levels;
    this.#threshold = levels.scope(scope);
    this.#sink = sink;
    this.#fields = fields;
    this.#timeMs = timeMs;
  }

  /** The levels that this logger goes by: of the whole process. */
  get levels(): LogLevels {
    return this.#levels;
  }

  /** Whether a line of this level would be written: to be asked before fields are made that cost something. */
  enabled(level: LogLevel): boolean {
    return levelRank(level) >= this.#threshold.rank;
  }

  /** A logger of another scope with the same output and fields. */
  scope(name: string): Logger {
    return new Logger(this.#levels, this.#sink, name, this.#fields, this.#timeMs);
  }

  /** A logger that adds these fields to every line, before the line's own. */
  with(fields: LogFields): Logger {
    return new Logger(
      this.#levels,
      this.#sink,
      this.#threshold.scope,
      { ...this.#fields, ...fields },
      this.#timeMs,
    );
  }

  log(level: LogLevel, message: string, fields?: LogFields): void {
    if (levelRank(level) < this.#threshold.rank) return;
    const all =
      this.#fields === undefined
        ? fields
        : fields === undefined
          ? this.#fields
          : { ...this.#fields, ...fields };
    this.#sink.write(level, this.#threshold.scope, message, all, this.#timeMs());
  }

  trace(message: string, fields?: LogFields): void {
    this.log('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.log('error', message, fields);
  }
}

/** Drops every line; for parts that are used without a log. */
export const silentSink: LogSink = { write: () => {} };
