import { Logger, LogLevels, silentSink } from '@ambient/runtime';
import type { LogSink } from '@ambient/runtime';

/** A log that nobody reads, or the lines of one as `level message`. */
export function testLog(lines?: string[]): Logger {
  const sink: LogSink =
    lines === undefined
      ? silentSink
      : { write: (level, _scope, message) => void lines.push(`${level} ${message}`) };
  return new Logger(new LogLevels('debug'), sink, 'kube');
}

/** Lets everything that is ready run: promises, and what sockets have brought. */
export async function settled(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Waits for something that sockets bring about; the test's own timeout ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled(1);
}
