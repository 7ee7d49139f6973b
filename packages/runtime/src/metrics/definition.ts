/** What a metric is; a plain table that the main thread and the data workers share. */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Label names, in the order in which values are given everywhere. */
  readonly labels: readonly string[];
  /**
   * Labels whose values come from a small fixed set. They keep their value when a series overflows, so that totals per
   * reporter or per response flag stay right. All labels of a gauge that is moved up and down must be bounded: what
   * went up under `overflow` might otherwise come down elsewhere.
   */
  readonly boundedLabels?: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly buckets?: readonly number[];
}

/** What happened to one series since the last report; survives a structured clone. */
export type SeriesDelta =
  | { readonly metric: string; readonly labels: readonly string[]; readonly delta: number }
  | { readonly metric: string; readonly labels: readonly string[]; readonly observations: readonly number[] };

/** A metric that is not in the table, or a number of labels that does not fit: a mistake in the program. */
export class MetricUsageError extends Error {
  readonly code = 'METRIC_USAGE';
  constructor(message: string) {
    super(message);
    this.name = 'MetricUsageError';
  }
}

/** Joins label values to one key; the separator cannot occur in a label by way of HTTP or DNS names. */
export function seriesKey(labels: readonly string[]): string {
  return labels.join('\u0000');
}
