import { formatLine } from './line-format.ts';
import type { LogFields, LogFormat } from './line-format.ts';
import type { LogLevel } from './levels.ts';
import type { LogSink } from './logger.ts';

/** Takes finished lines. pino's destination is one; so is an array in a test. */
export interface LineDestination {
  write(lines: string): unknown;
  flushSync(): void;
  end(): void;
}

/**
 * The log of a process, owned by the main thread. Lines of the main thread are formatted here; data workers format
 * their own and post them, so that every line is made by the same function and the main thread only writes.
 */
export class LogOutput implements LogSink, Disposable {
  readonly format: LogFormat;
  readonly #destination: LineDestination;
  #ended = false;

  constructor(format: LogFormat, destination: LineDestination) {
    this.format = format;
    this.#destination = destination;
  }

  write(
    level: LogLevel,
    scope: string,
    message: string,
    fields: LogFields | undefined,
    timeMs: number,
  ): void {
    this.writeFormatted(formatLine(this.format, level, scope, message, fields, timeMs));
  }

  /** Writes one or more complete lines as they are. */
  writeFormatted(lines: string): void {
    if (lines !== '' && !this.#ended) this.#destination.write(lines);
  }

  /** Blocks until everything has been handed to the system; for the last moments of a process. */
  flush(): void {
    if (this.#ended) return;
    try {
      this.#destination.flushSync();
    } catch {
      // The descriptor may not have been opened yet or be gone: there is nowhere left to say so.
    }
  }

  /** Flushes and ends; later lines are dropped. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.flush();
    this.#ended = true;
    this.#destination.end();
  }
}

/** A reader of the log that stands still must not fill the memory of the proxy. */
const maxBufferedBytes = 16 * 1024 * 1024;

/**
 * Opens the log on a file descriptor, asynchronous so that a slow reader of the log does not hold up the main thread.
 * What is still buffered is flushed when the process exits. If the reader
 * stands still, lines beyond a limit are dropped, and said to be.
 *
 * @param fd 1 for standard output
 */
export async function openLogOutput(format: LogFormat, fd = 1): Promise<LogOutput> {
  // pino brings some megabytes; a data worker that imports this package never loads it.
  const { destination } = await import('pino');
  const stream = destination({ fd, sync: false, minLength: 0, maxLength: maxBufferedBytes });
  // Without a listener a closed pipe (the reader of the log went away) would end the process.
  stream.on('error', () => {});
  const output = new LogOutput(format, stream);
  let dropped = 0;
  stream.on('drop', () => (dropped += 1));
  stream.on('drain', () => {
    if (dropped === 0) return;
    const batches = dropped;
    dropped = 0;
    output.write(
      'warn',
      'log',
      'log lines dropped: whoever reads the log is too slow',
      { batches },
      Date.now(),
    );
  });
  process.once('exit', () => output.flush());
  return output;
}
