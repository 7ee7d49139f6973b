import type { SocketAddress } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import type { Workload } from '@ambient/mesh';
import type { LogFields } from '@ambient/runtime';
import { bare } from '@ambient/runtime';
import type { ConnectionReport } from '../worker/messages.ts';
import type { ConnectionParties, ConnectionSeries } from './connection-metrics.ts';

/** What is known of a connection when it starts to be carried. */
export interface ConnectionFacts extends ConnectionParties {
  readonly direction: 'inbound' | 'outbound';
  readonly protocol: ConnectionReport['protocol'];
  readonly sourceAddress: SocketAddress;
  /** Where the connection goes next: the address dialled, or the one that it came in on. */
  readonly destinationAddress: SocketAddress;
  /** The CONNECT authority, for HBONE. */
  readonly hboneAddress: string | undefined;
  /** What the client meant, as far as it is known: the address that it dialled, or the service that it named. */
  readonly originalDestination?: SocketAddress | string | undefined;
  /** `traceparent` of its CONNECT requests: the same at both ends, and at all that stand between them. */
  readonly trace?: string | undefined;
  /** How many bytes the local application has sent and received so far. */
  readonly counts: ByteCounts;
}

/** Seen from the local application. */
export interface ByteCounts {
  bytesSent(): number;
  bytesReceived(): number;
}

/** One connection from its first decision to its end. */
export class LiveConnection {
  readonly facts: ConnectionFacts;
  readonly #series: ConnectionSeries;
  readonly openedAtMs: number;
  #reportedSent = 0;
  #reportedReceived = 0;
  /** Asks the policies again; set on inbound connections. Cuts the connection when they deny it now. */
  recheck: (() => void) | undefined;
  /** Cuts the connection with this reason. */
  readonly cut: (error: Error) => void;

  constructor(
    facts: ConnectionFacts,
    series: ConnectionSeries,
    openedAtMs: number,
    cut: (error: Error) => void,
  ) {
    this.facts = facts;
    this.#series = series;
    this.openedAtMs = openedAtMs;
    this.cut = cut;
    series.opened.add(1);
    series.socketsOpen.add(1);
  }

  /** Adds to the metrics what has been carried since the last call. */
  reportBytes(): void {
    const sent = this.facts.counts.bytesSent();
    const received = this.facts.counts.bytesReceived();
    // `sent` of the metrics is server to client: what the local application sends when it is the server.
    const outbound = this.facts.direction === 'outbound';
    const toClient = outbound ? received - this.#reportedReceived : sent - this.#reportedSent;
    const toServer = outbound ? sent - this.#reportedSent : received - this.#reportedReceived;
    if (toClient > 0) this.#series.sent.add(toClient);
    if (toServer > 0) this.#series.received.add(toServer);
    this.#reportedSent = sent;
    this.#reportedReceived = received;
  }

  /** @internal by LiveConnections */
  countEnd(flag: Parameters<ConnectionSeries['closed']>[0]): void {
    this.reportBytes();
    this.#series.closed(flag);
    this.#series.socketsOpen.add(-1);
  }

  logFields(): Record<string, LogFields[string]> {
    const { facts } = this;
    const { source, destination, destinationService: service } = facts;
    return {
      'src.addr': bare(formatAddress(facts.sourceAddress)),
      'src.workload': podName(source),
      'src.namespace': source?.namespace,
      'src.identity': facts.sourcePrincipal,
      'src.cluster': facts.sourcePrincipal === undefined ? undefined : source?.clusterId,
      'dst.addr': bare(formatAddress(facts.destinationAddress)),
      'dst.hbone_addr': facts.hboneAddress === undefined ? undefined : bare(facts.hboneAddress),
      'dst.service': service?.hostname,
      'dst.workload': podName(destination),
      'dst.namespace': destination?.namespace,
      'dst.identity': facts.destinationPrincipal,
      'dst.cluster': facts.destinationPrincipal === undefined ? undefined : destination?.clusterId,
      direction: facts.direction,
    };
  }

  report(): ConnectionReport {
    const { facts } = this;
    const { originalDestination: original } = facts;
    return {
      direction: facts.direction,
      source: formatAddress(facts.sourceAddress),
      destination: facts.hboneAddress ?? formatAddress(facts.destinationAddress),
      actualDestination: formatAddress(facts.destinationAddress),
      originalDestination: typeof original === 'object' ? formatAddress(original) : original,
      protocol: facts.protocol,
      sourceIdentity: facts.sourcePrincipal,
      destinationIdentity: facts.destinationPrincipal,
      sourceWorkload: facts.source?.name,
      destinationWorkload: facts.destination?.name,
      bytesSent: facts.counts.bytesSent(),
      bytesReceived: facts.counts.bytesReceived(),
      openedAtMs: this.openedAtMs,
    };
  }
}

/** Undefined for who is known by his own words only: they name no pod. */
function podName(workload: Workload | undefined): string | undefined {
  return workload === undefined || workload.name === '' ? undefined : workload.name;
}
