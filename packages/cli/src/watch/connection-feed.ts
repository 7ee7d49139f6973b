import type { AdminClient } from '../cluster/admin-client.ts';
import { CliError } from '../errors.ts';

/** A connection, as `/connections?watch` of a ztunnel tells it. */
export interface WatchedConnection {
  readonly id: number;
  /** The pod of the node that has it. */
  readonly workload: { readonly name: string; readonly namespace: string };
  readonly direction: 'inbound' | 'outbound';
  readonly source: string;
  readonly destination: string;
  readonly actualDestination?: string;
  readonly protocol: string;
  readonly sourceIdentity?: string;
  readonly destinationIdentity?: string;
  readonly sourceWorkload?: string;
  readonly destinationWorkload?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly openedAtMs: number;
  /** Of one that has ended, where its ztunnel tells. */
  readonly endedAtMs?: number;
  /** Why it ended, unless in order (docs/reasons.md). */
  readonly reason?: string;
}

/** One line of the watch. */
export interface ConnectionDelta {
  readonly atMs: number;
  readonly snapshot?: readonly WatchedConnection[];
  readonly opened: readonly WatchedConnection[];
  readonly closed: readonly WatchedConnection[];
  readonly counts: readonly {
    readonly id: number;
    readonly bytesSent: number;
    readonly bytesReceived: number;
  }[];
}

export interface ConnectionFilter {
  readonly namespace: string | undefined;
  /** Name of a pod, or its beginning. */
  readonly workload: string | undefined;
  readonly direction: string | undefined;
}

export function isWanted({ workload, direction }: WatchedConnection, filter: ConnectionFilter): boolean {
  return (
    (filter.namespace === undefined || workload.namespace === filter.namespace) &&
    (filter.workload === undefined || workload.name.startsWith(filter.workload)) &&
    (filter.direction === undefined || direction === filter.direction)
  );
}

/** Watches several ztunnels at once, until the signal comes; one that ends ends the watch with an error. */
export async function watchConnections(
  clients: readonly AdminClient[],
  intervalMs: number,
  onDelta: (delta: ConnectionDelta, client: AdminClient) => void,
  signal: AbortSignal,
): Promise<void> {
  const either = new AbortController();
  const both = AbortSignal.any([signal, either.signal]);
  try {
    await Promise.all(
      clients.map(async (client) => {
        await client.lines(
          `/connections?watch&interval=${intervalMs}`,
          (line) => onDelta(parseDelta(line, client), client),
          both,
        );
        if (!both.aborted)
          throw new CliError(
            'UNREACHABLE',
            `${client.name} ended the watch; it was probably replaced, start again`,
          );
      }),
    );
  } finally {
    either.abort();
  }
}

function parseDelta(line: string, { name }: AdminClient): ConnectionDelta {
  try {
    return JSON.parse(line) as ConnectionDelta;
  } catch (cause) {
    throw new CliError('BAD_ANSWER', `${name} sent what is no JSON; is its version that of ambientctl?`, {
      cause,
    });
  }
}
