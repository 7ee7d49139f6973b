import { stripVTControlCharacters, styleText } from 'node:util';

export type Format = Parameters<typeof styleText>[0];

/** Columns that a text takes, colours not counted. */
export function columnsOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Colours where they are wanted, and layout for a width in columns. */
export class Style {
  readonly #colours: boolean;

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  paint(format: Format, text: string): string {
    return this.#colours ? styleText(format, text, { validateStream: false }) : text;
  }

  dim(text: string): string {
    return this.paint('dim', text);
  }

  bold(text: string): string {
    return this.paint('bold', text);
  }

  /** How identities are shown everywhere. */
  identity(text: string): string {
    return this.paint('cyan', text);
  }

  mark(holds: boolean): string {
    return holds ? this.paint('green', '✓') : this.paint('red', '✗');
  }
}

/** Words in lines of at most `width` columns; a longer word has a line of its own. */
export function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Cuts a plain text to `width` columns; what is cut shows as an ellipsis. */
export function fit(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 1 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}…`;
}

/** Fills a text, which may be coloured, with spaces up to `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columnsOf(text))) + text;
}

/** Rows in columns, each as wide as its widest cell. */
export function alignColumns(rows: readonly (readonly string[])[], gap = 2): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => columnsOf(row[column] ?? ''))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : padEnd(cell, widths[column]! + gap)))
      .join(''),
  );
}

/** Rows in columns as above; columns from the last one on are left out until the lines fit the width. */
export function alignWithin(rows: readonly (readonly string[])[], width: number): string[] {
  const lines = alignColumns(rows);
  if ((rows[0]?.length ?? 0) <= 1 || lines.every((line) => columnsOf(line) <= width)) return lines;
  return alignWithin(
    rows.map((row) => row.slice(0, -1)),
    width,
  );
}

/** A count of bytes for people: `812 B`, `4.2 kB`, `1.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]!}`;
}
