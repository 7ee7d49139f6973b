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

/** The series of parties that are these very objects. */
class SeenParties {
  readonly #reporter: Reporter;
  readonly #sourcePrincipal: string | undefined;
  readonly #destinationPrincipal: string | undefined;
  readonly #service: Service | undefined;
  readonly #mutualTls: boolean;
  readonly series: ConnectionSeries;

  /** @param parties not kept: they may be all that is known of a connection */
  constructor(parties: ConnectionParties, series: ConnectionSeries) {
    this.#reporter = parties.reporter;
    this.#sourcePrincipal = parties.sourcePrincipal;
    this.#destinationPrincipal = parties.destinationPrincipal;
    this.#service = parties.destinationService;
    this.#mutualTls = parties.mutualTls;
    this.series = series;
  }

  /** @param parties with the same two workloads */
  are(parties: ConnectionParties): boolean {
    return (
      this.#service === parties.destinationService &&
      this.#reporter === parties.reporter &&
      this.#mutualTls === parties.mutualTls &&
      this.#sourcePrincipal === parties.sourcePrincipal &&
      this.#destinationPrincipal === parties.destinationPrincipal
    );
  }
}

type ByWorkload<T> = Map<Workload | undefined, T>;

/** Finds the series of a pair of parties without joining two dozen labels for each connection. */
export class ConnectionMetrics {
  readonly #table: CounterTable;
  #byPair = new Map<string, ConnectionSeries>();
  /** By source and destination: most connections are between workloads that others were between, and need no key made. */
  #seen: ByWorkload<ByWorkload<SeenParties[]>> = new Map();
  #seenCount = 0;

  constructor(table: CounterTable) {
    this.#table = table;
  }

  seriesOf(parties: ConnectionParties): ConnectionSeries {
    const alike = this.#seen.get(parties.source)?.get(parties.destination);
    if (alike !== undefined) for (const each of alike) if (each.are(parties)) return each.series;
    const series = this.#byKey(parties);
    this.#remember(parties, series);
    return series;
  }

  #remember(parties: ConnectionParties, series: ConnectionSeries): void {
    if (this.#seenCount >= MAX_CACHED_PAIRS) this.#forgetSeen();
    this.#seenCount++;
    const { source, destination } = parties;
    let bySource = this.#seen.get(source);
    if (bySource === undefined) {
      bySource = new Map<Workload | undefined, SeenParties[]>();
      this.#seen.set(source, bySource);
    }
    const seen = new SeenParties(parties, series);
    const alike = bySource.get(destination);
    if (alike === undefined) bySource.set(destination, [seen]);
    else alike.push(seen);
  }

  /** Those who are known by their own words only are other objects each time. */
  #byKey(parties: ConnectionParties): ConnectionSeries {
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
    this.#forgetSeen();
  }

  #forgetSeen(): void {
    this.#seen = new Map();
    this.#seenCount = 0;
  }
}
