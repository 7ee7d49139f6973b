import { CounterTable, MetricsRegistry, overflowValue, SeriesBudget } from '@ambient/runtime';
import type { Clock, Logger, SeriesDelta } from '@ambient/runtime';
import type { XdsMetrics } from '@ambient/xds';
import type { MetricsPage } from './admin/admin-endpoints.ts';
import type { NodePodsMetrics } from './capture/node-pods.ts';
import type { SnapshotMetrics } from './discovery/snapshot/mesh-snapshot.ts';
import { version } from './version.ts';
import type { Collected, WorkerLink } from './workers/data-workers.ts';
import { connectionLabelNames, metricDefinitions, metricNames } from './telemetry/metric-definitions.ts';

const gaugeNames = new Set(metricDefinitions.filter(({ type }) => type === 'gauge').map(({ name }) => name));

/** Series of the intermediate table that stood still this long are forgotten there; the registry has its own limit. */
const tableIdleMs = 600_000;

interface GaugeShare {
  readonly metric: string;
  readonly labels: readonly string[];
  value: number;
}

/**
 * The metrics of the whole process: what the main thread counts, and what the workers report when somebody looks. The
 * registry is made, and its library loaded, at the first look; until then everybody counts in plain memory.
 */
export class ProcessMetrics implements MetricsPage {
  /** The text format of Prometheus, version 0.0.4. */
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  /** Counts of the main thread. */
  readonly table = new CounterTable(metricDefinitions);
  readonly #collect: () => Promise<readonly Collected[]>;
  readonly #knownWorkloads: () => ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** What each worker has added to gauges, to be taken back if it dies. */
  readonly #shares = new Map<WorkerLink, Map<string, GaugeShare>>();
  #registry: Promise<MetricsRegistry> | undefined;

  /**
   * @param collect asks the workers for what they have counted since they were last asked
   * @param knownWorkloads keys of {@link workloadSeriesKey} of all workloads that there are
   */
  constructor(
    collect: () => Promise<readonly Collected[]>,
    knownWorkloads: () => ReadonlySet<string>,
    clock: Clock,
    log: Logger,
  ) {
    this.#collect = collect;
    this.#knownWorkloads = knownWorkloads;
    this.#clock = clock;
    this.#log = log;
    this.table.handle(metricNames.build, ['ztunnel', version]).add(1);
  }

  /** Counts for the client of the control plane. */
  xds(): XdsMetrics {
    return {
      message: (typeUrl, bytes) => {
        this.table.handle(metricNames.xdsMessages, [typeUrl]).add(1);
        this.table.handle(metricNames.xdsMessageBytes, [typeUrl]).add(bytes);
      },
      terminated: (reason) => this.table.handle(metricNames.xdsConnectionTerminations, [reason]).add(1),
    };
  }

  /** Counts for the registry of the node's pods. */
  pods(): NodePodsMetrics {
    const add = (metric: string, delta: number): void => this.table.handle(metric, []).add(delta);
    return {
      active: (delta) => add(metricNames.activeProxies, delta),
      pending: (delta) => add(metricNames.pendingProxies, delta),
      started: () => add(metricNames.proxiesStarted, 1),
      stopped: () => add(metricNames.proxiesStopped, 1),
    };
  }

  /** Counts for the snapshot of the mesh. */
  snapshot(): SnapshotMetrics {
    return {
      inUse: (delta) => this.table.handle(metricNames.snapshotInUse, []).add(delta),
      written: (result) => this.table.handle(metricNames.snapshotWrites, [result]).add(1),
    };
  }

  async render(): Promise<string> {
    const registry = await (this.#registry ??= this.#makeRegistry());
    this.absorb(await this.#collect());
    const nowMs = this.#clock.nowMs();
    registry.absorb(this.table.drainDeltas(nowMs));
    registry.expireIdle();
    this.table.forgetIdle(nowMs - tableIdleMs);
    const text = await registry.render();
    // After the look that shows their last counts.
    const known = this.#knownWorkloads();
    registry.expireWhere(
      ({ labels }, values) => labels === connectionLabelNames && ofDeadWorkload(values, known),
    );
    return text;
  }

  /** Takes over what workers have counted. */
  absorb(collected: readonly Collected[]): void {
    for (const { worker, series } of collected)
      for (const entry of series) {
        const handle = this.table.handle(entry.metric, entry.labels);
        if ('observations' in entry) for (const value of entry.observations) handle.observe(value);
        else {
          handle.add(entry.delta);
          if (gaugeNames.has(entry.metric)) this.#noteShare(worker, entry);
        }
      }
  }

  /** A worker is gone: its connections no longer count as open. */
  forget(worker: WorkerLink): void {
    for (const { metric, labels, value } of this.#shares.get(worker)?.values() ?? [])
      this.table.handle(metric, labels).add(-value);
    this.#shares.delete(worker);
  }

  #makeRegistry(): Promise<MetricsRegistry> {
    const budget = new SeriesBudget({}, (metric, maxSeries) => {
      this.#log.warn('too many series of a metric: further ones are counted under "overflow"', {
        metric,
        max_series: maxSeries,
      });
    });
    return MetricsRegistry.create(metricDefinitions, budget, () => this.#clock.nowMs());
  }

  #noteShare(worker: WorkerLink, { metric, labels, delta }: Extract<SeriesDelta, { delta: number }>): void {
    let shares = this.#shares.get(worker);
    if (shares === undefined) this.#shares.set(worker, (shares = new Map<string, GaugeShare>()));
    const key = [metric, ...labels].join('\u0000');
    const share = shares.get(key);
    if (share === undefined) shares.set(key, { metric, labels, value: delta });
    else share.value += delta;
  }
}

/** How series and workloads are matched: `namespace/workload_name`. */
export function workloadSeriesKey(namespace: string, workloadName: string): string {
  return `${namespace}/${workloadName}`;
}

const workloadLabels = (['source', 'destination'] as const).map((side) => ({
  name: connectionLabelNames.indexOf(`${side}_workload`),
  namespace: connectionLabelNames.indexOf(`${side}_workload_namespace`),
}));

function ofDeadWorkload(values: readonly string[], known: ReadonlySet<string>): boolean {
  return workloadLabels.some(({ name, namespace }) => {
    const workload = values[name] ?? '';
    // What is outside of the mesh, or beyond the limit on series, is no workload.
    if (workload === '' || workload === 'unknown' || workload === overflowValue) return false;
    return !known.has(workloadSeriesKey(values[namespace] ?? '', workload));
  });
}
