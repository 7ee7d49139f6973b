import type { SocketAddress } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import type { Logger } from '@ambient/runtime';
import { bare, describeError } from '@ambient/runtime';
import type { ConnectionReport, EndedConnectionReport } from '../worker/messages.ts';
import type { ConnectionMetrics } from './connection-metrics.ts';
import { reasonOf, responseFlagOf } from './failure.ts';
import type { ConnectionFacts } from './live-connection.ts';
import { LiveConnection } from './live-connection.ts';

/** Ends that are kept for whoever watches, and for how long after he has last asked. */
const MAX_ENDED = 512;
const WATCH_MS = 65_000;

/** The live table of one pod in one worker: every connection that it carries, with access log and metrics. */
export class LiveConnections {
  readonly #live = new Set<LiveConnection>();
  readonly #log: Logger;
  readonly #metrics: ConnectionMetrics;
  readonly #wallClockMs: () => number;

  readonly #pod: number | undefined;
  /** undefined while nobody watches. */
  #ended: EndedConnectionReport[] | undefined;
  #endedAskedMs = 0;

  /**
   * @param metrics of the worker
   * @param log of scope `access`
   * @param pod `PodStart.id` of the pod that connections are reported under
   */
  constructor(metrics: ConnectionMetrics, log: Logger, wallClockMs: () => number, pod?: number) {
    this.#metrics = metrics;
    this.#log = log;
    this.#pod = pod;
    this.#wallClockMs = wallClockMs;
  }

  get size(): number {
    return this.#live.size;
  }

  /** A connection starts. @param cut ends it from outside, with a reason */
  open(facts: ConnectionFacts, cut: (error: Error) => void): LiveConnection {
    const connection = new LiveConnection(facts, this.#metrics.seriesOf(facts), this.#wallClockMs(), cut);
    this.#live.add(connection);
    if (this.#log.enabled('debug')) {
      const fields = connection.logFields();
      fields['traceparent'] = facts.trace;
      this.#log.log('debug', 'connection opened', fields);
    }
    return connection;
  }

  /** A connection has ended. @param error undefined after an orderly end */
  close(connection: LiveConnection, error: Error | undefined): void {
    if (!this.#live.delete(connection)) return;
    connection.countEnd(responseFlagOf(error));
    if (this.#ended !== undefined) this.#keepEnded(connection, error);
    const level = error === undefined ? 'info' : 'error';
    if (!this.#log.enabled(level)) return;
    const fields = connection.logFields();
    const { counts } = connection.facts;
    fields['bytes_sent'] = counts.bytesSent();
    fields['bytes_recv'] = counts.bytesReceived();
    fields['duration'] = `${Math.max(0, Math.round(this.#wallClockMs() - connection.openedAtMs))}ms`;
    if (error !== undefined) {
      fields['error'] = describeError(error);
      fields['reason'] = reasonOf(error);
    }
    this.#log.log(level, 'connection complete', fields);
  }

  /** A connection was given up before anything is known that metrics could count it under. */
  refused(
    direction: 'inbound' | 'outbound',
    source: SocketAddress,
    destination: SocketAddress | undefined,
    error: Error,
  ): void {
    this.#log.log('warn', 'connection failed', {
      'src.addr': bare(formatAddress(source)),
      'dst.addr': destination === undefined ? undefined : bare(formatAddress(destination)),
      direction,
      error: describeError(error),
      reason: reasonOf(error),
    });
  }

  /** Asks the policies about every inbound connection again. */
  recheckPolicies(): void {
    for (const connection of [...this.#live]) connection.recheck?.();
  }

  /** Brings the byte counters up to date. */
  reportBytes(): void {
    for (const connection of this.#live) connection.reportBytes();
  }

  reports(): ConnectionReport[] {
    return [...this.#live].map((each) => this.#reportOf(each));
  }

  #reportOf(connection: LiveConnection): ConnectionReport {
    const pod = this.#pod;
    return pod === undefined ? connection.report() : { pod, ...connection.report() };
  }

  /** Those that have ended since the last call; the first one begins to keep them. */
  takeEnded(): readonly EndedConnectionReport[] {
    const ended = this.#ended ?? [];
    this.#ended = [];
    this.#endedAskedMs = this.#wallClockMs();
    return ended;
  }

  #keepEnded(connection: LiveConnection, error: Error | undefined): void {
    const endedAtMs = this.#wallClockMs();
    if (endedAtMs - this.#endedAskedMs > WATCH_MS) {
      this.#ended = undefined;
      return;
    }
    if (this.#ended!.length >= MAX_ENDED) return;
    const reason = error === undefined ? {} : { reason: reasonOf(error) };
    this.#ended!.push({ ...this.#reportOf(connection), endedAtMs, ...reason });
  }

  /** Cuts all. @returns how many there were */
  cutAll(error: Error): number {
    const all = [...this.#live];
    for (const connection of all) connection.cut(error);
    return all.length;
  }
}
