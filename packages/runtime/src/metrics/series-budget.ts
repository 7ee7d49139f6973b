import type { MetricDefinition } from './definition.ts';
import { seriesKey } from './definition.ts';

/** Limits on label series. Defaults are the fields' documentation. */
export interface SeriesLimits {
  /** Series per metric, the overflow series not counted; 10000 if absent. */
  readonly maxSeries?: number;
  /** A series that has not changed for this long is removed, milliseconds; one hour if absent. */
  readonly idleMs?: number;
}

/** The value that labels of an overflow series carry. */
export const overflowValue = 'overflow';

interface SeriesUse {
  readonly labels: readonly string[];
  lastUsedMs: number;
}

interface MetricUse {
  readonly definition: MetricDefinition;
  readonly series: Map<string, SeriesUse>;
  warned: boolean;
}

/**
 * Keeps the number of series per metric bounded: whoever can create workloads or name hosts could otherwise fill the
 * memory of every proxy and of the metrics store behind it.
 */
export class SeriesBudget {
  readonly #maxSeries: number;
  readonly #idleMs: number;
  readonly #onOverflow: (metric: string, maxSeries: number) => void;
  readonly #metrics = new Map<string, MetricUse>();

  /** @param onOverflow called once per metric, when its first series overflows */
  constructor(limits: SeriesLimits, onOverflow: (metric: string, maxSeries: number) => void) {
    this.#maxSeries = limits.maxSeries ?? 10_000;
    this.#idleMs = limits.idleMs ?? 3_600_000;
    this.#onOverflow = onOverflow;
  }

  /**
   * The label values under which a sample is to be counted: its own while there is room, else those of the overflow
   * series, where every label but the bounded ones says `overflow`.
   */
  admit(definition: MetricDefinition, labels: readonly string[], nowMs: number): readonly string[] {
    if (labels.length === 0) return labels;
    let use = this.#metrics.get(definition.name);
    if (use === undefined) {
      use = { definition, series: new Map(), warned: false };
      this.#metrics.set(definition.name, use);
    }
    const key = seriesKey(labels);
    const known = use.series.get(key);
    if (known !== undefined) {
      known.lastUsedMs = nowMs;
      return known.labels;
    }
    if (use.series.size < this.#maxSeries) {
      use.series.set(key, { labels, lastUsedMs: nowMs });
      return labels;
    }
    if (!use.warned) {
      use.warned = true;
      this.#onOverflow(definition.name, this.#maxSeries);
    }
    const bounded = definition.boundedLabels ?? [];
    return labels.map((value, i) => (bounded.includes(definition.labels[i] ?? '') ? value : overflowValue));
  }

  /** Removes series that have been idle too long; `remove` as in `expireWhere`. */
  expireIdle(
    nowMs: number,
    remove: (definition: MetricDefinition, labels: readonly string[]) => boolean,
  ): void {
    this.expireWhere((_, __, lastUsedMs) => nowMs - lastUsedMs >= this.#idleMs, remove);
  }

  /**
   * Removes the series that `dead` chooses, for example those of a workload that is gone.
   *
   * @param remove takes the series out of the registry; false if it has to stay
   */
  expireWhere(
    dead: (definition: MetricDefinition, labels: readonly string[], lastUsedMs: number) => boolean,
    remove: (definition: MetricDefinition, labels: readonly string[]) => boolean,
  ): void {
    for (const { definition, series } of this.#metrics.values())
      for (const [key, use] of series)
        if (dead(definition, use.labels, use.lastUsedMs) && remove(definition, use.labels))
          series.delete(key);
  }

  /** Series held for a metric, the overflow series not counted. */
  sizeOf(metric: string): number {
    return this.#metrics.get(metric)?.series.size ?? 0;
  }
}
