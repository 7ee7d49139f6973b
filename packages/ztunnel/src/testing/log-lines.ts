import { formatLine, Logger, LogLevels } from '@ambient/runtime';

/** A log that keeps its lines, without their time: `level TAB scope TAB message TAB fields`. */
export function recordingLog(scope = 'test'): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const log = new Logger(
    new LogLevels('debug'),
    {
      write: (level, name, message, fields, timeMs) => {
        const line = formatLine('plain', level, name, message, fields, timeMs).trimEnd();
        lines.push(line.slice(line.indexOf('\t') + 1));
      },
    },
    scope,
    undefined,
    () => 0,
  );
  return { log, lines };
}
