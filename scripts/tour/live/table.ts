import { fit, formatBytes, padEnd, padStart } from '../style.ts';
import type { Style } from '../style.ts';
import type { LiveEvent, LivePod, LivePolicy, LiveRow, LiveState } from './state.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

interface Column<T> {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** Columns with the highest number go first where there is no room. */
  readonly rank: number;
  /** Columns that it takes at least, so that the table stands still while figures grow. */
  readonly least?: number;
  readonly paint?: (style: Style, cell: string) => string;
  cell(row: T): string;
}

const GAP = '  ';
const INDENT = '   ';
/** As the tour above it; with the identities in the rows it may be wider. */
const WIDEST = 130;
const MOST_EVENTS = 6;
/** Without events the heads alone are of no use. */
const FEWEST_EVENTS = 2;
/** Who applies more of them asks kubectl. */
const MOST_POLICIES = 6;

const identity = (style: Style, cell: string): string => style.identity(cell);

/** ALLOW stands out from what takes away. */
const verdict = (style: Style, cell: string): string =>
  style.paint(cell.startsWith('ALLOW') ? 'green' : 'yellow', cell);

const podColumns: readonly Column<LivePod>[] = [
  { head: 'pod', align: 'left', rank: 0, paint: (style, cell) => style.bold(cell), cell: ({ name }) => name },
  { head: 'node', align: 'left', rank: 3, cell: ({ node }) => node },
  { head: 'identity', align: 'left', rank: 4, paint: identity, cell: (pod) => pod.identity },
  { head: 'mesh', align: 'left', rank: 2, cell: ({ inMesh }) => (inMesh ? 'in' : 'out') },
  { head: 'in', align: 'right', rank: 1, cell: ({ inbound }) => String(inbound) },
  { head: 'out', align: 'right', rank: 1, cell: ({ outbound }) => String(outbound) },
];

const policyColumns: readonly Column<LivePolicy>[] = [
  {
    head: 'policy',
    align: 'left',
    rank: 0,
    paint: (style, cell) => style.bold(cell),
    cell: ({ name }) => name,
  },
  { head: 'kind', align: 'left', rank: 2, cell: ({ kind }) => kind },
  { head: 'says', align: 'left', rank: 1, paint: verdict, cell: ({ says }) => says },
  { head: 'age', align: 'right', rank: 3, least: 5, cell: ({ ageMs }) => formatAge(ageMs) },
];

const rowColumns: readonly Column<LiveRow>[] = [
  { head: 'from', align: 'left', rank: 0, cell: ({ from }) => from },
  { head: 'to', align: 'left', rank: 0, cell: ({ to }) => to },
  {
    head: 'over',
    align: 'left',
    rank: 2,
    paint: (style, cell) => style.paint('green', cell),
    cell: (row) => row.protocol,
  },
  {
    head: 'as',
    align: 'left',
    rank: 6,
    paint: identity,
    cell: (row) => row.identity.replace('spiffe://', ''),
  },
  { head: 'age', align: 'right', rank: 1, least: 5, cell: ({ ageMs }) => formatAge(ageMs) },
  { head: 'sent', least: 8, align: 'right', rank: 4, cell: ({ bytesSent }) => formatBytes(bytesSent) },
  { head: 'received', least: 8, align: 'right', rank: 5, cell: (row) => formatBytes(row.bytesReceived) },
  { head: 'rate', least: 10, align: 'right', rank: 3, cell: (row) => `${formatBytes(row.bytesPerSecond)}/s` },
];

const eventColumns: readonly Column<LiveEvent>[] = [
  { head: '', align: 'left', rank: 3, paint: (style, cell) => style.dim(cell), cell: ({ time }) => time },
  { head: '', align: 'left', rank: 0, cell: ({ from }) => from },
  { head: '', align: 'left', rank: 2, cell: ({ to }) => `→ ${to}` },
  {
    head: '',
    align: 'left',
    rank: 1,
    paint: (style, cell) => (cell.startsWith('ended') ? style.dim(cell) : style.paint('yellow', cell)),
    cell: ({ outcome, times }) => (times === 1 ? outcome : `${outcome} (${times} times)`),
  },
];

/**
 * The live table as lines, none wider and not more than the screen holds: who the pods are, what the policies say, what is
 * open, and what has happened of late.
 */
export function renderLive(state: LiveState, style: Style, screen: ScreenSize): string[] {
  const columns = Math.min(WIDEST, screen.columns);
  const section = (name: string): string => rule(name, columns, style);
  const head = [
    section(`live, ${formatAge(state.upMs)}`),
    ...renderTable(podColumns, state.pods, style, columns),
    '',
    section(count(state.policies.length, 'policy', 'policies')),
    ...renderTable(policyColumns, state.policies.slice(0, MOST_POLICIES), style, columns),
    '',
  ];
  const foot = ['', fit(`${INDENT}Ctrl-C ends the tour and removes everything.`, columns)];
  const room = screen.rows - head.length - foot.length - 2; // the heads of the connections
  const events = Math.max(FEWEST_EVENTS, Math.min(MOST_EVENTS, room - state.rows.length - 2));
  const rowRoom = Math.max(1, room - events - 2);
  const shown = state.rows.length <= rowRoom ? state.rows : state.rows.slice(0, rowRoom - 1);
  const hidden = state.rows.length - shown.length;
  const lines = [
    ...head,
    section(count(state.rows.length, 'connection', 'connections')),
    ...renderTable(rowColumns, shown, style, columns),
    ...(hidden > 0 ? [style.dim(fit(`${INDENT}… and ${hidden} more`, columns))] : []),
    '',
    section('lately'),
    ...renderTable(eventColumns, state.events.slice(-events), style, columns),
    ...foot,
  ];
  return lines.length <= screen.rows ? lines : lines.slice(0, Math.max(0, screen.rows));
}

function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  style: Style,
  available: number,
): string[] {
  let kept = columns.map((column) => ({
    column,
    width: Math.max(column.least ?? 0, column.head.length, ...rows.map((row) => column.cell(row).length)),
  }));
  const total = (): number =>
    INDENT.length + kept.reduce((sum, { width }) => sum + width, 0) + GAP.length * (kept.length - 1);
  while (kept.length > 1 && total() > available) {
    const last = Math.max(...kept.map(({ column }) => column.rank));
    kept = kept.filter(
      ({ column }, index) =>
        column.rank !== last || kept.findIndex((other) => other.column.rank === last) !== index,
    );
  }
  const line = (cells: readonly string[], paint: (column: Column<T>, cell: string) => string): string => {
    let left = available - INDENT.length;
    const parts = kept.map(({ column, width }, index) => {
      const text = fit(cells[index]!, Math.max(0, left));
      left -= width + GAP.length;
      const painted = paint(column, text);
      if (column.align === 'right') return padStart(painted, width);
      return index === kept.length - 1 ? painted : padEnd(painted, width);
    });
    return `${INDENT}${parts.join(GAP)}`.trimEnd();
  };
  const heads = kept.map(({ column }) => column.head);
  return [
    ...(heads.every((text) => text === '') ? [] : [line(heads, (_, text) => style.dim(text))]),
    ...rows.map((row) =>
      line(
        kept.map(({ column }) => column.cell(row)),
        (column, cell) => column.paint?.(style, cell) ?? cell,
      ),
    ),
  ];
}

function rule(name: string, columns: number, style: Style): string {
  const text = fit(name, Math.max(0, columns - 4));
  return `${style.dim('━━')} ${style.bold(text)} ${style.dim('━'.repeat(Math.max(0, columns - text.length - 4)))}`;
}

function count(number: number, one: string, more: string): string {
  return `${number} ${number === 1 ? one : more}`;
}

/** `0:07`, `12:40`, `3:05:00`. */
export function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
