import type { ResultRow } from './verdict.ts';
import { isJudged, REFERENCE, targetText } from './verdict.ts';

/**
 * The results as text for a terminal: a line a row, a column a way, then the target and who reached it. Ratios only if there
 * is something to compare with.
 */
export function renderTable(rows: readonly ResultRow[], columns: readonly string[]): string {
  const judged = columns.filter(isJudged);
  const compared = columns.includes(REFERENCE) ? judged : [];
  const header = ['', ...columns, ...compared.map((column) => `${column}/haproxy`), 'target', ...judged];
  const body = rows.map((row) => [
    row.unit === '' ? row.label : `${row.label} [${row.unit}]`,
    ...columns.map((column) => number(row.cells[column]?.median, row.digits)),
    ...compared.map((column) => number(row.cells[column]?.ratio, 2)),
    targetText(row),
    ...judged.map((column) => verdict(row.cells[column]?.passed)),
  ]);
  const widths = header.map((title, index) =>
    Math.max(title.length, ...body.map((cells) => cells[index]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(header), rule, ...body.map(line)].join('\n');
}

function number(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(digits);
}

function verdict(passed: boolean | undefined): string {
  if (passed === undefined) return '-';
  return passed ? 'pass' : 'FAIL';
}
