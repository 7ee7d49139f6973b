import type { ResultRow } from './verdict.ts';
import { REFERENCE, targetText } from './verdict.ts';

const WIDTH = 960;
const LABEL_WIDTH = 330;
const BAR_WIDTH = 430;
const BAR_HEIGHT = 14;
const BAR_GAP = 3;
const ROW_GAP = 18;
/** What a value with its unit and mark takes at most. */
const TEXT_WIDTH = 110;
const HEAD_HEIGHT = 74;

const COLOURS: Readonly<Record<string, string>> = {
  direct: '#c8ccd4',
  [REFERENCE]: '#6b7a90',
  ours: '#0f8a6d',
};
const PEER_COLOURS = ['#c2703d', '#7a5ea8', '#3f7fbf'];

/**
 * The results as a picture: a group of bars a row, each row on its own scale, a dashed line where the target lies. Every
 * colour reads on white and on a dark page, as the picture brings its own ground.
 */
export function renderChart(
  rows: readonly ResultRow[],
  columns: readonly string[],
  subtitle: string,
  title = 'Pod to pod, two hops',
): string {
  const colours = new Map<string, string>();
  let peers = 0;
  for (const column of columns)
    colours.set(column, COLOURS[column] ?? PEER_COLOURS[peers++ % PEER_COLOURS.length]!);
  const parts: string[] = [];
  let y = HEAD_HEIGHT;
  for (const row of rows) {
    const shown = columns.filter((column) => Number.isFinite(row.cells[column]?.median));
    if (shown.length === 0) continue;
    parts.push(renderRow(row, shown, colours, y));
    y += shown.length * (BAR_HEIGHT + BAR_GAP) + ROW_GAP;
  }
  const legend = columns
    .map((column, index) => {
      const x = LABEL_WIDTH + index * 110;
      return `<rect x="${x}" y="44" width="12" height="12" fill="${colours.get(column)!}"/><text x="${x + 18}" y="54">${escape(column)}</text>`;
    })
    .join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="12" fill="#1c2430">
<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>
<text x="20" y="28" font-size="16" font-weight="600">${escape(title)}</text>
<text x="${LABEL_WIDTH}" y="28" fill="#5a6475">${escape(subtitle)}</text>
${legend}
${parts.join('\n')}
</svg>
`;
}

function renderRow(
  row: ResultRow,
  columns: readonly string[],
  colours: ReadonlyMap<string, string>,
  top: number,
): string {
  const line = targetValue(row);
  // The direct column may be ten times the rest; its bar is cut so that the others can be compared.
  const compared = columns.filter((column) => column !== 'direct' || columns.length === 1);
  const largest = Math.max(...compared.map((column) => row.cells[column]!.median), line ?? 0);
  const scale = (value: number): number =>
    largest <= 0 ? 0 : Math.min(1, Math.max(0, value) / largest) * BAR_WIDTH;
  const targetX = scale(line ?? 0);
  const height = columns.length * (BAR_HEIGHT + BAR_GAP) - BAR_GAP;
  const bars = columns.map((column, index) => {
    const cell = row.cells[column]!;
    const y = top + index * (BAR_HEIGHT + BAR_GAP);
    const length = Math.max(1, scale(cell.median));
    const mark = cell.passed === undefined ? '' : cell.passed ? ' ✓' : ' ✗';
    const cut = cell.median > largest;
    // Text stands behind its bar, or behind the target's line where the two would meet.
    const meets = line !== undefined && targetX > length - 4 && targetX < length + TEXT_WIDTH;
    const textX = (meets ? targetX : length) + 8;
    const fill = cell.passed === false ? '#b3261e' : '#1c2430';
    return (
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" fill="${colours.get(column)!}"/>` +
      (cut ? cutMark(LABEL_WIDTH + BAR_WIDTH - 24, y) : '') +
      `<text x="${(LABEL_WIDTH + textX).toFixed(1)}" y="${y + BAR_HEIGHT - 3}" fill="${fill}">${cell.median.toFixed(row.digits)} ${escape(row.unit)}${mark}</text>`
    );
  });
  const x = (LABEL_WIDTH + targetX).toFixed(1);
  const target =
    line === undefined
      ? ''
      : `<line x1="${x}" x2="${x}" y1="${top - 3}" y2="${top + height + 3}" stroke="#1c2430" stroke-dasharray="3 2"/>`;
  const middle = top + height / 2;
  return [
    `<text x="20" y="${middle + (line === undefined ? 4 : -2)}">${escape(row.label)}</text>`,
    line === undefined
      ? ''
      : `<text x="20" y="${middle + 13}" fill="#5a6475" font-size="11">target ${escape(targetText(row))}</text>`,
    ...bars,
    target,
  ].join('\n');
}

/** Two slanted white lines through a bar: it is longer than drawn. */
function cutMark(x: number, y: number): string {
  const line = (from: number): string => `M${from} ${y + BAR_HEIGHT + 1}l6 -${BAR_HEIGHT + 2}`;
  return `<path d="${line(x)}${line(x + 6)}" stroke="#ffffff" stroke-width="2"/>`;
}

/** Where the target lies on the row's scale. */
function targetValue({ target, cells }: ResultRow): number | undefined {
  if (target === undefined) return undefined;
  if (target.kind === 'value') return target.value;
  const reference = cells[REFERENCE]?.median;
  return reference === undefined ? undefined : reference * target.value;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
