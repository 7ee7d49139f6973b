import type { LabProcess } from '@ambient/testkit/lab';

/** One line of a proxy's JSON log, keys as written: `level`, `scope`, `message`, `src.addr` and so on. */
export type LogEntry = Readonly<Record<string, unknown>>;

/** What a line must have: text or a number is compared as text, a pattern is matched, undefined means absent. */
export type LogMatch = Readonly<Record<string, string | number | RegExp | undefined>>;

/** Every line that is a JSON object; a proxy's plain lines, as a crash's stack, are not. */
export function logEntries(proxy: Pick<LabProcess, 'lines'>): LogEntry[] {
  return proxy.lines.map(parseLine).filter((entry) => entry !== undefined);
}

/** Resolves with the first line, past or to come, of scope `access` that matches; rejects with the log at the deadline. */
export async function waitForAccess(
  proxy: LabProcess,
  match: LogMatch,
  deadlineMs = 5000,
): Promise<LogEntry> {
  const wanted = { scope: 'access', ...match };
  return proxy.waitFor(
    () => logEntries(proxy).find((entry) => matches(entry, wanted)),
    `access log line with ${describeMatch(wanted)}`,
    deadlineMs,
  );
}

export function matches(entry: LogEntry, match: LogMatch): boolean {
  return Object.entries(match).every(([key, wanted]) => {
    const found = entry[key];
    if (wanted === undefined) return found === undefined;
    if (typeof found !== 'string' && typeof found !== 'number') return false;
    return wanted instanceof RegExp ? wanted.test(String(found)) : String(found) === String(wanted);
  });
}

function parseLine(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogEntry;
  } catch {
    return undefined; // cut by the end of the process
  }
}

function describeMatch(match: LogMatch): string {
  return Object.entries(match)
    .map(([key, wanted]) => `${key}=${String(wanted)}`)
    .join(' ');
}
