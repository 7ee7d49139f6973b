import { isWanted } from './connection-feed.ts';
import type { ConnectionDelta, ConnectionFilter, WatchedConnection } from './connection-feed.ts';

/** What one workload does now. */
export interface WorkloadRates {
  readonly workload: string;
  readonly inbound: number;
  readonly outbound: number;
  /** Bytes per second that the application sends and receives. */
  readonly sentRate: number;
  readonly receivedRate: number;
  /** Connections per second that were opened. */
  readonly openedRate: number;
}

export type RateOrder = 'rate' | 'connections' | 'name';

/** Rates by workload between the last two looks of each ztunnel. */
export class Rates {
  readonly #filter: ConnectionFilter;
  readonly #ztunnels = new Map<string, ZtunnelRates>();

  constructor(filter: ConnectionFilter) {
    this.#filter = filter;
  }

  /** Whether each of so many ztunnels has been looked at twice. */
  isComplete(ztunnels: number): boolean {
    return this.#ztunnels.size === ztunnels && [...this.#ztunnels.values()].every(({ looks }) => looks >= 2);
  }

  take(ztunnel: string, delta: ConnectionDelta): void {
    let rates = this.#ztunnels.get(ztunnel);
    if (rates === undefined || delta.snapshot !== undefined) {
      rates = new ZtunnelRates();
      this.#ztunnels.set(ztunnel, rates);
    }
    rates.take(delta);
  }

  rows(order: RateOrder): WorkloadRates[] {
    const rows = new Map<string, WorkloadRates>();
    for (const ztunnel of this.#ztunnels.values())
      for (const { connection, sentRate, receivedRate, openedRate, open } of ztunnel.carried()) {
        if (!isWanted(connection, this.#filter)) continue;
        const workload = `${connection.workload.name}.${connection.workload.namespace}`;
        const row = rows.get(workload);
        const inbound = open && connection.direction === 'inbound' ? 1 : 0;
        const outbound = open && connection.direction === 'outbound' ? 1 : 0;
        rows.set(workload, {
          workload,
          inbound: (row?.inbound ?? 0) + inbound,
          outbound: (row?.outbound ?? 0) + outbound,
          sentRate: (row?.sentRate ?? 0) + sentRate,
          receivedRate: (row?.receivedRate ?? 0) + receivedRate,
          openedRate: (row?.openedRate ?? 0) + openedRate,
        });
      }
    const weight = (row: WorkloadRates): number =>
      order === 'rate'
        ? row.sentRate + row.receivedRate
        : order === 'connections'
          ? row.inbound + row.outbound
          : 0;
    return [...rows.values()].sort(
      (a, b) => weight(b) - weight(a) || (a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : 0),
    );
  }
}

interface Carried {
  readonly connection: WatchedConnection;
  readonly sentRate: number;
  readonly receivedRate: number;
  readonly openedRate: number;
  readonly open: boolean;
}

class ZtunnelRates {
  looks = 0;
  #atMs = 0;
  #open = new Map<number, WatchedConnection>();
  #carried: Carried[] = [];

  take({ atMs, snapshot = [], opened, closed, counts }: ConnectionDelta): void {
    const seconds = Math.max(1, atMs - this.#atMs) / 1000;
    const first = this.looks++ === 0;
    this.#atMs = atMs;
    const changed = new Map(counts.map((each) => [each.id, each]));
    const carried: Carried[] = [];
    // One that has ended is not counted any more: what it carried since the last look nobody knows.
    for (const { id } of closed) this.#open.delete(id);
    for (const [id, before] of this.#open) {
      const now = changed.get(id);
      const connection = now === undefined ? before : { ...before, ...now };
      this.#open.set(id, connection);
      carried.push({
        connection,
        sentRate: (connection.bytesSent - before.bytesSent) / seconds,
        receivedRate: (connection.bytesReceived - before.bytesReceived) / seconds,
        openedRate: 0,
        open: true,
      });
    }
    for (const connection of [...snapshot, ...opened]) {
      this.#open.set(connection.id, connection);
      // Before the first look it is not known since when they have carried what.
      const share = first ? 0 : 1 / seconds;
      carried.push({
        connection,
        sentRate: connection.bytesSent * share,
        receivedRate: connection.bytesReceived * share,
        openedRate: share,
        open: true,
      });
    }
    this.#carried = carried;
  }

  carried(): readonly Carried[] {
    return this.#carried;
  }
}
