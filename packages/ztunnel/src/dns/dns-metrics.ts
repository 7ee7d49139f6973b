import type { Workload } from '@ambient/mesh';
import type { CounterTable, SeriesHandle } from '@ambient/runtime';
import { metricNames } from '../telemetry/metric-definitions.ts';
import type { DnsProtocol } from './forwarded-query.ts';

/** Types that have a label value of their own; a client that tries all 65,536 shall not make as many series. */
const typeNames: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  35: 'NAPTR',
  43: 'DS',
  48: 'DNSKEY',
  64: 'SVCB',
  65: 'HTTPS',
  252: 'AXFR',
  255: 'ANY',
  257: 'CAA',
};

/** Name of a record type, as logs have it; metrics, as Istio's, have it in small letters. */
export function typeName(type: number): string {
  return typeNames[type] ?? 'other';
}

/** The series of one pod's questions of one type and protocol. */
export interface DnsSeries {
  readonly requests: SeriesHandle;
  readonly upstreamRequests: SeriesHandle;
  readonly upstreamFailures: SeriesHandle;
  /** In seconds. */
  readonly upstreamDuration: SeriesHandle;
}

const nobody = {};

/** Counts the questions of a worker's pods. */
export class DnsMetrics {
  readonly #table: CounterTable;
  /** A workload that is told anew is another object, with perhaps other labels. */
  readonly #bySource = new WeakMap<object, Map<string, DnsSeries>>();

  constructor(table: CounterTable) {
    this.#table = table;
  }

  /** @param source undefined: nobody knows who asks */
  series(source: Workload | undefined, type: number, protocol: DnsProtocol): DnsSeries {
    const key = source ?? nobody;
    let ofSource = this.#bySource.get(key);
    if (ofSource === undefined) {
      ofSource = new Map();
      this.#bySource.set(key, ofSource);
    }
    const name = typeName(type);
    const inner = protocol === 'udp' ? name : `${name}/tcp`;
    let series = ofSource.get(inner);
    if (series === undefined) {
      series = this.#open([
        name.toLowerCase(),
        protocol,
        source?.canonicalName || 'unknown',
        source?.canonicalRevision || 'unknown',
      ]);
      ofSource.set(inner, series);
    }
    return series;
  }

  #open(labels: readonly string[]): DnsSeries {
    return {
      requests: this.#table.handle(metricNames.dnsRequests, labels),
      upstreamRequests: this.#table.handle(metricNames.dnsUpstreamRequests, labels),
      upstreamFailures: this.#table.handle(metricNames.dnsUpstreamFailures, labels),
      upstreamDuration: this.#table.handle(metricNames.dnsUpstreamDuration, labels),
    };
  }
}
