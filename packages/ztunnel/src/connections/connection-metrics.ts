import type { Service, Workload } from '@ambient/mesh';
import { serviceKey } from '@ambient/mesh';
import type { CounterTable, SeriesHandle } from '@ambient/runtime';
import type { Reporter, ResponseFlag } from '../telemetry/connection-labels.ts';
import { connectionLabels, withResponseFlag } from '../telemetry/connection-labels.ts';
import { metricNames } from '../telemetry/metric-definitions.ts';

/** Who speaks to whom, as the metrics tell it. */
export interface ConnectionParties {
  readonly reporter: Reporter;
  readonly source: Workload | undefined;
  /** Whole SPIFFE URI; only where mutual TLS proved it. */
  readonly sourcePrincipal: string | undefined;
  /** The next hop: a waypoint, or the destination itself. */
  readonly destination: Workload | undefined;
  readonly destinationPrincipal: string | undefined;
  readonly destinationService: Service | undefined;
  readonly mutualTls: boolean;
}

/** The series of one pair of parties. Counting is an addition to a field. */
export class ConnectionSeries {
  readonly #table: CounterTable;
  readonly #labels: readonly string[];
  readonly #closed = new Map<ResponseFlag, SeriesHandle>();
  readonly opened: SeriesHandle;
  readonly sent: SeriesHandle;
  readonly received: SeriesHandle;
  readonly socketsOpen: SeriesHandle;

  constructor(table: CounterTable, parties: ConnectionParties) {
    this.#table = table;
    this.#labels = connectionLabels({
      ...parties,
      securityPolicy: parties.mutualTls ? 'mutual_tls' : 'unknown',
    });
    this.opened = table.handle(metricNames.connectionsOpened, this.#labels);
    this.sent = table.handle(metricNames.bytesSent, this.#labels);
    this.received = table.handle(metricNames.bytesReceived, this.#labels);
    this.socketsOpen = table.handle(metricNames.socketsOpen, [parties.reporter]);
  }

  closed(flag: ResponseFlag): void {
    let handle = this.#closed.get(flag);
    if (handle === undefined) {
      handle = this.#table.handle(metricNames.connectionsClosed, withResponseFlag(this.#labels, flag));
      this.#closed.set(flag, handle);
    }
    handle.add(1);
    if (flag !== '-')
      this.#table.handle(metricNames.connectionsFailed, withResponseFlag(this.#labels, flag)).add(1);
  }
}

/** Pairs whose series are at hand; beyond it they are looked up anew. */
const MAX_CACHED_PAIRS = 4096;

/** Finds the series of a pair of parties without joining two dozen labels for each connection. */
export class ConnectionMetrics {
  readonly #table: CounterTable;
  #byPair = new Map<string, ConnectionSeries>();

  constructor(table: CounterTable) {
    this.#table = table;
  }

  seriesOf(parties: ConnectionParties): ConnectionSeries {
    const { reporter, source, destination, destinationService: service } = parties;
    const key = [
      reporter,
      source?.uid ?? '',
      parties.sourcePrincipal ?? '',
      destination?.uid ?? '',
      parties.destinationPrincipal ?? '',
      service === undefined ? '' : serviceKey(service.namespace, service.hostname),
      parties.mutualTls ? 'm' : '',
    ].join('\u0000');
    let series = this.#byPair.get(key);
    if (series === undefined) {
      if (this.#byPair.size >= MAX_CACHED_PAIRS) this.#byPair = new Map();
      series = new ConnectionSeries(this.#table, parties);
      this.#byPair.set(key, series);
    }
    return series;
  }

  /** Workloads have changed, and with them what the labels say. */
  forget(): void {
    this.#byPair = new Map();
  }
}
