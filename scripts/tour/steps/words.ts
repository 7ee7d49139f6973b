import type { LogEntry } from '../../../test/netns/harness/index.ts';
import type { Style } from '../style.ts';
import type { HexLine } from '../wire/hex-dump.ts';

/** Milliseconds for people: `0.4 s`, `12 ms`. */
export function seconds(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** What of an access log line says who called whom and what became of it, as it is set in lines. */
const shownFields = [
  ['src.workload', 'src.identity'],
  ['dst.workload', 'dst.identity', 'dst.hbone_addr'],
  ['direction', 'bytes_sent', 'bytes_recv', 'duration'],
  ['reason', 'error'],
];

/** The telling fields of an access log line as `key=value` in groups, identities and reasons set off. */
export function logWords(entry: LogEntry, style: Style): string[][] {
  return shownFields.map((keys) => fieldWords(entry, keys, style)).filter((words) => words.length > 0);
}

function fieldWords(entry: LogEntry, keys: readonly string[], style: Style): string[] {
  return keys.flatMap((key) => {
    const value = entry[key];
    if (typeof value !== 'string' && typeof value !== 'number') return [];
    const text = key === 'error' ? `"${value}"` : String(value);
    const paint = (word: string): string => {
      if (key.endsWith('identity')) return style.identity(word);
      return key === 'error' || key === 'reason' ? style.paint('yellow', word) : word;
    };
    const [first = '', ...rest] = text.split(' ');
    return [`${style.dim(`${key}=`)}${paint(first)}`, ...rest.map(paint)];
  });
}

/** Lines of a dump; what `highlight` finds in a line's text stands out. */
export function dumpLines(
  lines: readonly HexLine[],
  style: Style,
  highlight: (line: HexLine) => boolean,
): string[] {
  return lines.map((line) => {
    const told = highlight(line);
    const text = told ? style.paint(['yellow', 'bold'], line.text) : line.text;
    return `${style.dim(line.offset)}  ${told ? line.hex : style.dim(line.hex)}  ${text}`;
  });
}

/** Bytes in a line of a dump that fits the width. */
export function bytesPerLine(width: number): number {
  return width >= 4 + 2 + 16 * 3 + 1 + 16 ? 16 : 8;
}
