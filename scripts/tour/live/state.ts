import { readFileSync } from 'node:fs';
import { logEntries } from '../../../test/netns/harness/index.ts';
import type { LogEntry, Pod } from '../../../test/netns/harness/index.ts';
import type { PolicyChange } from '../cluster/policy-watch.ts';
import { podName, spiffeId } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { seconds } from '../steps/words.ts';

/** One connection as the proxy of its client tells it. */
export interface LiveRow {
  /** The same from poll to poll. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly identity: string;
  readonly protocol: string;
  readonly ageMs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Both ways, since the poll before. */
  readonly bytesPerSecond: number;
}

export interface LivePod {
  readonly name: string;
  readonly identity: string;
  readonly inbound: number;
  readonly outbound: number;
  /** Anonymous memory of the proxy, undefined if the kernel does not tell. */
  readonly memoryBytes: number | undefined;
}

/** A policy of the cluster. */
export interface LivePolicy {
  readonly kind: string;
  readonly name: string;
  /** ALLOW, DENY, STRICT and so on. */
  readonly says: string;
  readonly ageMs: number;
}

/** A connection that has ended, as the proxy of its server logged it; or a policy that has changed. */
export interface LiveEvent {
  /** `HH:MM:SS`, UTC. */
  readonly time: string;
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
  /** How often, the time being the last: whoever is refused tries again. */
  readonly times: number;
}

export interface LiveState {
  readonly upMs: number;
  readonly pods: readonly LivePod[];
  readonly policies: readonly LivePolicy[];
  readonly rows: readonly LiveRow[];
  /** The latest last. */
  readonly events: readonly LiveEvent[];
}

interface DumpedConnection {
  readonly src: string;
  readonly originalDst: string;
  readonly protocol: string;
  readonly sourceIdentity?: string;
  readonly destinationWorkload?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly openedAt: string;
}

interface ConnectionsPage {
  readonly workloadState: Readonly<
    Record<
      string,
      { readonly connections: Readonly<Record<'inbound' | 'outbound', readonly DumpedConnection[]>> }
    >
  >;
}

/** Log lines that are looked at for events: more than a screen shows. */
const RECENT_LINES = 120;

/** Asks the proxies what they carry. */
export class LivePoll {
  readonly #scene: Scene;
  readonly #startedMs = performance.now();
  #polledMs = performance.now();
  #bytesBefore = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** @throws AdminCallError */
  async poll(): Promise<LiveState> {
    const { pods, cluster } = this.#scene;
    const { policies } = cluster;
    const pages = await Promise.all(
      pods.map(async (pod) => ({ pod, ...connectionsOf(await this.#scene.admin(pod, '/config_dump')) })),
    );
    const now = performance.now();
    const elapsed = (now - this.#polledMs) / 1000;
    this.#polledMs = now;
    const rows = pages.flatMap(({ pod, outbound }) =>
      outbound.map((connection) => this.#row(pod, connection, elapsed)),
    );
    this.#bytesBefore = new Map(rows.map((row) => [row.key, row.bytesSent + row.bytesReceived]));
    return {
      upMs: now - this.#startedMs,
      pods: pages.map(({ pod, inbound, outbound }) => ({
        name: podName(pod),
        identity: spiffeId(pod),
        inbound: inbound.length,
        outbound: outbound.length,
        memoryBytes: anonymousMemory(pod.proxy.pid),
      })),
      policies: policies.policies.map(({ kind, name, says, createdMs }) => ({
        kind,
        name,
        says,
        ageMs: Math.max(0, Date.now() - createdMs),
      })),
      rows: rows.sort((a, b) => b.ageMs - a.ageMs),
      events: gatherEvents([...pods.flatMap(recentEvents), ...policies.changes.map(policyEvent)]),
    };
  }

  #row(pod: Pod, connection: DumpedConnection, elapsed: number): LiveRow {
    const { src, originalDst, bytesSent, bytesReceived } = connection;
    const key = `${src} ${originalDst} ${connection.openedAt}`;
    const before = this.#bytesBefore.get(key) ?? 0;
    return {
      key,
      from: `${podName(pod)}:${portOf(src)}`,
      to: `${this.#nameOf(connection.destinationWorkload)}:${portOf(originalDst)}`,
      identity: connection.sourceIdentity ?? '',
      protocol: connection.protocol,
      ageMs: Math.max(0, Date.now() - Date.parse(connection.openedAt)),
      bytesSent,
      bytesReceived,
      bytesPerSecond: elapsed > 0 ? Math.max(0, bytesSent + bytesReceived - before) / elapsed : 0,
    };
  }

  #nameOf(workload: string | undefined): string {
    const pod = this.#scene.pods.find(({ name }) => name === workload);
    return pod === undefined ? 'unknown' : podName(pod);
  }
}

function connectionsOf(page: unknown): ConnectionsPage['workloadState'][string]['connections'] {
  const [state] = Object.values((page as ConnectionsPage).workloadState);
  return state?.connections ?? { inbound: [], outbound: [] };
}

function recentEvents(pod: Pod): LiveEvent[] {
  return logEntries({ lines: pod.proxy.lines.slice(-RECENT_LINES) })
    .filter(({ scope, direction }) => scope === 'access' && direction === 'inbound')
    .map((entry) => {
      const reason = text(entry, 'reason');
      return {
        time: text(entry, 'time').slice(11, 19),
        from: `${text(entry, 'src.namespace')}/${text(entry, 'src.workload')}`,
        to: `${podName(pod)}:${portOf(text(entry, 'dst.hbone_addr'))}`,
        outcome:
          reason === ''
            ? `ended after ${seconds(parseInt(text(entry, 'duration'), 10))}`
            : `refused: ${reason}`,
        times: 1,
      };
    });
}

/** In the order of their (last) time, what happened again in one line. */
export function gatherEvents(events: readonly LiveEvent[]): LiveEvent[] {
  const byTime = events.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const gathered = new Map<string, LiveEvent>();
  for (const event of byTime) {
    const key = JSON.stringify([event.from, event.to, event.outcome]);
    const times = (gathered.get(key)?.times ?? 0) + event.times;
    gathered.delete(key); // to the end
    gathered.set(key, { ...event, times });
  }
  return [...gathered.values()];
}

function policyEvent({ atMs, what, policy }: PolicyChange): LiveEvent {
  return {
    time: new Date(atMs).toISOString().slice(11, 19),
    from: policy.kind,
    to: policy.name,
    outcome: `${what}: ${policy.says}`,
    times: 1,
  };
}

function text(entry: LogEntry, key: string): string {
  const value = entry[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}

function anonymousMemory(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined; // it has just ended
  }
}
