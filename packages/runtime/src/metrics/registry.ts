import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricDefinition, SeriesDelta } from './definition.ts';
import { MetricUsageError, seriesKey } from './definition.ts';
import type { SeriesBudget } from './series-budget.ts';

type Instrument =
  | { readonly type: 'counter'; readonly definition: MetricDefinition; readonly metric: Counter }
  | {
      readonly type: 'gauge';
      readonly definition: MetricDefinition;
      readonly metric: Gauge;
      /** Values by series key: a gauge that is not back at 0 must not expire, or its later decrease would go below 0. */
      readonly values: Map<string, number>;
    }
  | { readonly type: 'histogram'; readonly definition: MetricDefinition; readonly metric: Histogram };

/**
 * The metrics of a process, on its main thread: prom-client behind a table of definitions, with bounded series. Label
 * values are lists in the order of the definition.
 */
export class MetricsRegistry {
  readonly #registry: Registry;
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #budget: SeriesBudget;
  readonly #nowMs: () => number;

  private constructor(
    registry: Registry,
    instruments: ReadonlyMap<string, Instrument>,
    budget: SeriesBudget,
    nowMs: () => number,
  ) {
    this.#registry = registry;
    this.#instruments = instruments;
    this.#budget = budget;
    this.#nowMs = nowMs;
  }

  /** Loads prom-client, which only the main thread needs, and registers the definitions. @param nowMs Unix time */
  static async create(
    definitions: readonly MetricDefinition[],
    budget: SeriesBudget,
    nowMs: () => number,
  ): Promise<MetricsRegistry> {
    const prom = await import('prom-client');
    const registry = new prom.Registry();
    const instruments = new Map<string, Instrument>();
    for (const definition of definitions) {
      const { name, help, type, labels, buckets } = definition;
      const options = { name, help, labelNames: [...labels], registers: [registry] };
      switch (type) {
        case 'counter':
          instruments.set(name, { type, definition, metric: new prom.Counter(options) });
          break;
        case 'gauge':
          instruments.set(name, { type, definition, metric: new prom.Gauge(options), values: new Map() });
          break;
        case 'histogram':
          instruments.set(name, {
            type,
            definition,
            metric: new prom.Histogram(
              buckets === undefined ? options : { ...options, buckets: [...buckets] },
            ),
          });
          break;
      }
    }
    return new MetricsRegistry(registry, instruments, budget, nowMs);
  }

  /** Counts up, or moves a gauge either way. @throws MetricUsageError */
  add(name: string, labels: readonly string[], n = 1): void {
    const instrument = this.#instrument(name, labels);
    const admitted = this.#budget.admit(instrument.definition, labels, this.#nowMs());
    switch (instrument.type) {
      case 'counter':
        instrument.metric.inc(labelObject(instrument.definition, admitted), n);
        break;
      case 'gauge':
        this.#setGauge(instrument, admitted, (instrument.values.get(seriesKey(admitted)) ?? 0) + n);
        break;
      case 'histogram':
        throw new MetricUsageError(`${name} is a histogram: observe values instead of counting`);
    }
  }

  /** Sets a gauge. @throws MetricUsageError */
  set(name: string, labels: readonly string[], value: number): void {
    const instrument = this.#instrument(name, labels);
    if (instrument.type !== 'gauge') throw new MetricUsageError(`${name} is not a gauge: it cannot be set`);
    this.#setGauge(instrument, this.#budget.admit(instrument.definition, labels, this.#nowMs()), value);
  }

  /** Records one value of a histogram. @throws MetricUsageError */
  observe(name: string, labels: readonly string[], value: number): void {
    const instrument = this.#instrument(name, labels);
    if (instrument.type !== 'histogram')
      throw new MetricUsageError(`${name} is not a histogram: it has nothing to observe`);
    const admitted = this.#budget.admit(instrument.definition, labels, this.#nowMs());
    instrument.metric.observe(labelObject(instrument.definition, admitted), value);
  }

  /** Merges what data workers counted. */
  absorb(deltas: readonly SeriesDelta[]): void {
    for (const delta of deltas) {
      if ('delta' in delta) this.add(delta.metric, delta.labels, delta.delta);
      else for (const value of delta.observations) this.observe(delta.metric, delta.labels, value);
    }
  }

  /** Removes series that have been idle for longer than the budget allows; gauges only when they are back at 0. */
  expireIdle(): void {
    this.#budget.expireIdle(this.#nowMs(), (definition, labels) => this.#remove(definition, labels));
  }

  /** Removes the series that `dead` chooses, for example those of a workload that is gone. */
  expireWhere(dead: (definition: MetricDefinition, labels: readonly string[]) => boolean): void {
    this.#budget.expireWhere(dead, (definition, labels) => this.#remove(definition, labels));
  }

  /** All metrics in the text format of Prometheus. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #instrument(name: string, labels: readonly string[]): Instrument {
    const instrument = this.#instruments.get(name);
    if (instrument === undefined) throw new MetricUsageError(`no metric ${name} in the table`);
    if (instrument.definition.labels.length !== labels.length)
      throw new MetricUsageError(
        `${name} has ${instrument.definition.labels.length} labels, given ${labels.length}`,
      );
    return instrument;
  }

  #setGauge(gauge: Extract<Instrument, { type: 'gauge' }>, labels: readonly string[], value: number): void {
    gauge.values.set(seriesKey(labels), value);
    gauge.metric.set(labelObject(gauge.definition, labels), value);
  }

  #remove(definition: MetricDefinition, labels: readonly string[]): boolean {
    const instrument = this.#instruments.get(definition.name);
    if (instrument?.type === 'gauge') {
      const key = seriesKey(labels);
      if ((instrument.values.get(key) ?? 0) !== 0) return false;
      instrument.values.delete(key);
    }
    instrument?.metric.remove(labelObject(definition, labels));
    return true;
  }
}

function labelObject(definition: MetricDefinition, values: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  definition.labels.forEach((name, i) => {
    labels[name] = values[i] ?? '';
  });
  return labels;
}
