import type { LogEntry } from '../../../test/netns/harness/index.ts';
import type { NodeProxy } from '../cluster/node-proxy.ts';
import type { PolicyChange } from '../cluster/policy-watch.ts';
import type { PodObject, TourPod } from '../cluster/tour-pod.ts';
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
  readonly node: string;
  readonly identity: string;
  /** Whether the node's agent says that it is captured. */
  readonly inMesh: boolean;
  readonly inbound: number;
  readonly outbound: number;
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

/** By the UID of the pod. */
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

  /** @throws NodeProxyError, PodLogError */
  async poll(): Promise<LiveState> {
    const { pods, proxies, policies } = this.#scene;
    const [dumps, events, current] = await Promise.all([
      Promise.all(proxies.map(async (proxy) => (await proxy.admin('/config_dump')) as ConnectionsPage)),
      Promise.all(proxies.map((proxy) => this.#recentEvents(proxy))),
      this.#scene.current(),
    ]);
    const pages = pods.map((pod) => ({ pod, ...connectionsOf(dumps, pod) }));
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
        name: pod.title,
        node: pod.node,
        identity: pod.identity,
        inMesh: isCaptured(current.find(({ metadata }) => metadata.uid === pod.object.metadata.uid)),
        inbound: inbound.length,
        outbound: outbound.length,
      })),
      policies: policies.policies.map(({ kind, name, says, createdMs }) => ({
        kind,
        name,
        says,
        ageMs: Math.max(0, Date.now() - createdMs),
      })),
      rows: rows.sort((a, b) => b.ageMs - a.ageMs),
      events: gatherEvents([...events.flat(), ...policies.changes.map(policyEvent)]),
    };
  }

  #row(pod: TourPod, connection: DumpedConnection, elapsed: number): LiveRow {
    const { src, originalDst, bytesSent, bytesReceived } = connection;
    const key = `${src} ${originalDst} ${connection.openedAt}`;
    const before = this.#bytesBefore.get(key) ?? 0;
    return {
      key,
      from: `${pod.title}:${portOf(src)}`,
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
    return this.#scene.pods.find(({ name }) => name === workload)?.title ?? workload ?? 'unknown';
  }

  async #recentEvents(proxy: NodeProxy): Promise<LiveEvent[]> {
    return (await proxy.log(RECENT_LINES))
      .filter(({ scope, direction }) => scope === 'access' && direction === 'inbound')
      .map((entry) => {
        const reason = text(entry, 'reason');
        return {
          time: text(entry, 'time').slice(11, 19),
          from: this.#nameOf(text(entry, 'src.workload') || undefined),
          to: `${this.#nameOf(text(entry, 'dst.workload') || undefined)}:${portOf(text(entry, 'dst.hbone_addr'))}`,
          outcome:
            reason === ''
              ? `ended after ${seconds(parseInt(text(entry, 'duration'), 10))}`
              : `refused: ${reason}`,
          times: 1,
        };
      });
  }
}

function connectionsOf(
  dumps: readonly ConnectionsPage[],
  { object }: TourPod,
): ConnectionsPage['workloadState'][string]['connections'] {
  const { uid } = object.metadata;
  const dump = dumps.find(({ workloadState }) => workloadState[uid] !== undefined);
  return dump?.workloadState[uid]?.connections ?? { inbound: [], outbound: [] };
}

function isCaptured(pod: PodObject | undefined): boolean {
  return pod?.metadata.annotations?.['ambient.istio.io/redirection'] === 'enabled';
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
