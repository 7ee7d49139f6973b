import type { MetricDefinition, SeriesDelta } from './definition.ts';
import { MetricUsageError, seriesKey } from './definition.ts';

/**
 * One series of a data worker. Resolved once per connection; after that, counting is an addition to a field. A handle
 * stays good for as long as its holder likes.
 */
export interface SeriesHandle {
  /** Counts up, or a gauge down with a negative number. */
  add(n: number): void;
  /** Records one value of a histogram, in the unit of its buckets. */
  observe(value: number): void;
}

class Series implements SeriesHandle {
  readonly metric: string;
  readonly labels: readonly string[];
  readonly #changed: Series[];
  #listed = false;
  #pending = 0;
  #observations: number[] | undefined;
  lastUsedMs = 0;

  constructor(metric: string, labels: readonly string[], changed: Series[]) {
    this.metric = metric;
    this.labels = labels;
    this.#changed = changed;
  }

  add(n: number): void {
    this.#pending += n;
    if (!this.#listed) this.#list();
  }

  observe(value: number): void {
    (this.#observations ??= []).push(value);
    if (!this.#listed) this.#list();
  }

  take(into: SeriesDelta[]): void {
    this.#listed = false;
    if (this.#observations !== undefined)
      into.push({ metric: this.metric, labels: this.labels, observations: this.#observations });
    if (this.#pending !== 0) into.push({ metric: this.metric, labels: this.labels, delta: this.#pending });
    this.#pending = 0;
    this.#observations = undefined;
  }

  #list(): void {
    this.#listed = true;
    this.#changed.push(this);
  }
}

/**
 * Counts of a data worker, in plain memory. The main thread asks for the differences and merges them into its registry
 * ({@link MetricsRegistry.absorb}). Draining costs as much as there are series that changed, not as there are series.
 */
export class CounterTable {
  readonly #byMetric = new Map<string, Map<string, Series>>();
  readonly #labelCounts = new Map<string, number>();
  /** Series that changed since the last drain. The same array for good: every series holds it. */
  readonly #changed: Series[] = [];

  constructor(definitions: readonly MetricDefinition[]) {
    for (const { name, labels } of definitions) {
      this.#byMetric.set(name, new Map());
      this.#labelCounts.set(name, labels.length);
    }
  }

  /**
   * The series of these label values, in the order of the definition.
   *
   * @throws MetricUsageError for a metric that is not in the table or a wrong number of values
   */
  handle(metric: string, labels: readonly string[]): SeriesHandle {
    const series = this.#byMetric.get(metric);
    if (series === undefined || this.#labelCounts.get(metric) !== labels.length)
      throw new MetricUsageError(`no metric ${metric} with ${labels.length} labels in the table`);
    const key = seriesKey(labels);
    let found = series.get(key);
    if (found === undefined) {
      found = new Series(metric, [...labels], this.#changed);
      series.set(key, found);
    }
    return found;
  }

  /** Differences since the last call, and nothing for series that stand still. @param nowMs Unix time, for `forgetIdle` */
  drainDeltas(nowMs: number): SeriesDelta[] {
    const deltas: SeriesDelta[] = [];
    for (const series of this.#changed) {
      series.lastUsedMs = nowMs;
      series.take(deltas);
    }
    this.#changed.length = 0;
    return deltas;
  }

  /**
   * Forgets series that no drain has seen change since `beforeMs`. Nothing is lost: a handle that is still held goes
   * on counting, and a later `handle` call makes another for the same series.
   */
  forgetIdle(beforeMs: number): void {
    for (const series of this.#byMetric.values())
      for (const [key, entry] of series) if (entry.lastUsedMs < beforeMs) series.delete(key);
  }

  /** Number of series held, for tests and the memory budget. */
  get size(): number {
    let size = 0;
    for (const series of this.#byMetric.values()) size += series.size;
    return size;
  }
}
