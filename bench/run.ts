import type { Effort, Measure, Values } from './measures/measure.ts';
import { isJudged, judge } from './report/verdict.ts';
import type { ResultRow } from './report/verdict.ts';
import { startRig } from './rig/rig.ts';
import type { Column, Rig } from './rig/rig.ts';

/** A measure that could not be taken in a column; the others go on. */
export interface Failure {
  readonly column: string;
  readonly measure: string;
  readonly error: string;
}

/** What each column's rounds of one measure gave, by column. */
type Taken = Readonly<Record<string, readonly Values[]>>;

export interface Results {
  readonly rows: readonly ResultRow[];
  readonly failures: readonly Failure[];
  /** All values, those besides the rows too, as the soak's minutes: by measure and column. */
  readonly details: Readonly<Record<string, Taken>>;
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
  const details: Record<string, Taken> = {};
  const rigs = new Rigs();
  try {
    for (const measure of measures) {
      const attempts = new Attempts(measure.name, effort, failures);
      const fitting = columnsFor(measure, columns);
      const taken =
        measure.fresh === true
          ? await takeFresh(measure, fitting, effort, attempts)
          : await takeRounds(measure, fitting, rounds, effort, attempts, rigs);
      details[measure.name] = taken;
      rows.push(...measure.rows.map((row) => judge(measure.name, row, samplesOf(row.key, taken))));
    }
  } finally {
    await rigs.stop();
  }
  return { rows, failures, details };
}

function columnsFor(measure: Measure, columns: readonly Column[]): Column[] {
  const judged = columns.some(({ name }) => isJudged(name));
  return columns.filter(
    ({ name }) =>
      !(name === 'direct' && measure.needsHops === true) &&
      (isJudged(name) || !judged || measure.judgedOnly !== true),
  );
}

/** Once in each column, on proxies that have carried nothing yet. */
async function takeFresh(
  measure: Measure,
  columns: readonly Column[],
  effort: Effort,
  attempts: Attempts,
): Promise<Taken> {
  const taken: Record<string, Values[]> = {};
  for (const column of columns)
    await attempts.make(column, 'fresh start', async () => {
      const rig = await startRig(column);
      try {
        await measure.warm(rig, effort);
        taken[column.name] = [await measure.run(rig, effort)];
      } finally {
        await rig.stop();
      }
    });
  return taken;
}

async function takeRounds(
  measure: Measure,
  columns: readonly Column[],
  rounds: number,
  effort: Effort,
  attempts: Attempts,
  rigs: Rigs,
): Promise<Taken> {
  const taken: Record<string, Values[]> = {};
  for (const column of columns)
    await attempts.make(column, 'warm', async () => measure.warm(await rigs.of(column), effort));
  for (let round = 1; round <= rounds; round += 1)
    for (const column of columns)
      await attempts.make(column, `round ${round} of ${rounds}`, async () => {
        (taken[column.name] ??= []).push(await measure.run(await rigs.of(column), effort));
      });
  return taken;
}

/** Steps of one measure: what fails in a column is noted, and that column left out of the rest of the measure. */
class Attempts {
  readonly #measure: string;
  readonly #effort: Effort;
  readonly #failures: Failure[];
  readonly #failed = new Set<string>();

  constructor(measure: string, effort: Effort, failures: Failure[]) {
    this.#measure = measure;
    this.#effort = effort;
    this.#failures = failures;
  }

  async make({ name }: Column, step: string, act: () => Promise<void>): Promise<void> {
    if (this.#failed.has(name)) return;
    this.#effort.progress(`${this.#measure}: ${name}, ${step}`);
    try {
      await act();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#failed.add(name);
      this.#failures.push({ column: name, measure: this.#measure, error: text });
      this.#effort.progress(`${this.#measure}: ${name} FAILED: ${text}`);
    }
  }
}

/** The columns that are up; they stay up from measure to measure. */
class Rigs {
  readonly #running = new Map<string, Rig>();

  /** A rig whose proxy has died is started anew: one failed measure does not empty the rest of the column. */
  async of(column: Column): Promise<Rig> {
    const running = this.#running.get(column.name);
    if (running !== undefined) {
      if (running.hops?.client.exit === undefined && running.hops?.server.exit === undefined) return running;
      await running.stop();
      this.#running.delete(column.name);
    }
    const rig = await startRig(column);
    this.#running.set(column.name, rig);
    return rig;
  }

  async stop(): Promise<void> {
    for (const rig of this.#running.values()) await rig.stop();
  }
}

function samplesOf(key: string, taken: Taken): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(taken).map(([column, values]) => [
      column,
      values.map((value) => value[key]).filter((value) => value !== undefined),
    ]),
  );
}
