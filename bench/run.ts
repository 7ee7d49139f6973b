import type { Effort, Measure } from './measures/measure.ts';
import { judge } from './report/verdict.ts';
import type { ResultRow } from './report/verdict.ts';
import { startRig } from './rig/rig.ts';
import type { Column, Rig } from './rig/rig.ts';

/** A measure that could not be taken in a column; the others go on. */
export interface Failure {
  readonly column: string;
  readonly measure: string;
  readonly error: string;
}

export interface Results {
  readonly rows: readonly ResultRow[];
  readonly failures: readonly Failure[];
  /** Values besides the rows, as the soak's minutes, by measure and column. */
  readonly details: Readonly<
    Record<string, Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>>
  >;
}

/**
 * Takes the measures one after the other. In each, every column is warmed, then the columns take turns round by round, so
 * that whatever changes on the machine meanwhile changes for all.
 */
export async function runMeasures(
  columns: readonly Column[],
  measures: readonly Measure[],
  rounds: number,
  effort: Effort,
): Promise<Results> {
  const rows: ResultRow[] = [];
  const failures: Failure[] = [];
  const details: Record<string, Record<string, Readonly<Record<string, number>>[]>> = {};
  const rigs = new Map<string, Rig>();
  try {
    for (const measure of measures) {
      const taken: Record<string, Readonly<Record<string, number>>[]> = {};
      details[measure.name] = taken;
      const failed = new Set<string>();
      const attempt = async (column: Column, step: string, act: () => Promise<void>): Promise<void> => {
        if (failed.has(column.name)) return;
        effort.progress(`${measure.name}: ${column.name}, ${step}`);
        try {
          await act();
        } catch (error) {
          failed.add(column.name);
          const text = error instanceof Error ? error.message : String(error);
          failures.push({ column: column.name, measure: measure.name, error: text });
          effort.progress(`${measure.name}: ${column.name} FAILED: ${text}`);
        }
      };
      const fitting = columns.filter(({ name }) => name !== 'direct' || measure.needsHops !== true);
      if (measure.fresh === true) {
        for (const column of fitting)
          await attempt(column, 'fresh start', async () => {
            const rig = await startRig(column);
            try {
              await measure.warm(rig, effort);
              taken[column.name] = [await measure.run(rig, effort)];
            } finally {
              await rig.stop();
            }
          });
      } else {
        for (const column of fitting)
          await attempt(column, 'warm', async () => {
            await measure.warm(await rigOf(rigs, column), effort);
          });
        for (let round = 1; round <= rounds; round += 1)
          for (const column of fitting)
            await attempt(column, `round ${round} of ${rounds}`, async () => {
              (taken[column.name] ??= []).push(await measure.run(await rigOf(rigs, column), effort));
            });
      }
      rows.push(...measure.rows.map((row) => judge(measure.name, row, samplesOf(row.key, taken))));
    }
  } finally {
    for (const rig of rigs.values()) await rig.stop();
  }
  return { rows, failures, details };
}

/** A rig whose proxy has died is started anew: one failed measure does not empty the rest of the column. */
async function rigOf(rigs: Map<string, Rig>, column: Column): Promise<Rig> {
  const running = rigs.get(column.name);
  if (
    running !== undefined &&
    running.hops?.client.exit === undefined &&
    running.hops?.server.exit === undefined
  )
    return running;
  await running?.stop();
  rigs.delete(column.name);
  const rig = await startRig(column);
  rigs.set(column.name, rig);
  return rig;
}

function samplesOf(
  key: string,
  taken: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>,
): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(taken).map(([column, values]) => [
      column,
      values.map((value) => value[key]).filter((value) => value !== undefined),
    ]),
  );
}
