import { builtInPath } from '@ambient/kube';
import type { KubeClient } from '@ambient/kube';
import { sleep } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import { LabStartError } from './lab-start-error.ts';

/** A workload that has pods. */
export interface WorkloadName {
  readonly kind: 'Deployment' | 'DaemonSet';
  readonly namespace: string;
  readonly name: string;
}

interface Workload {
  readonly metadata: { readonly generation?: number };
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly availableReplicas?: number;
    readonly updatedReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly updatedNumberScheduled?: number;
  };
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: {
      readonly phase?: string;
      readonly containerStatuses?: readonly {
        readonly name: string;
        readonly ready: boolean;
        readonly restartCount: number;
        readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
      }[];
    };
  }[];
}

interface EventList {
  readonly items: readonly {
    readonly type?: string;
    readonly message?: string;
    readonly lastTimestamp?: string;
    readonly involvedObject: { readonly name?: string };
  }[];
}

const lookMs = 100;
const patienceMs = 120_000;

/** The last lines that a container said, in one. */
export type LastWords = (namespace: string, pod: string, container: string) => string;

export interface WaitOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly clock: Clock;
  /** Told which are missing, whenever that changes. */
  readonly onPending: (text: string) => void;
  readonly lastWords: LastWords;
}

/**
 * Waits until every pod that these workloads want is there, of the newest revision and ready.
 *
 * @throws LabStartError after two minutes, with what the pods say of themselves
 */
export async function waitForWorkloads(
  workloads: readonly WorkloadName[],
  { client, clock, onPending, lastWords }: WaitOptions,
): Promise<void> {
  const endMs = clock.nowMs() + patienceMs;
  let pending = [...workloads];
  let told = '';
  for (;;) {
    const ready = await Promise.all(pending.map((each) => isReady(client, each)));
    pending = pending.filter((_, index) => ready[index] === false);
    if (pending.length === 0) return;
    const text = `waiting for ${pending.map(({ name }) => name).join(', ')}`;
    if (text !== told) onPending((told = text));
    if (clock.nowMs() > endMs) throw new LabStartError(await explain(client, pending, lastWords));
    await sleep(clock, lookMs);
  }
}

function pathOf({ kind, namespace, name }: WorkloadName): string {
  return builtInPath(kind, namespace, name);
}

async function isReady(client: WaitOptions['client'], workload: WorkloadName): Promise<boolean> {
  const { metadata, spec, status = {} } = await client.request<Workload>({ path: pathOf(workload) });
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  if (workload.kind === 'DaemonSet') {
    const wanted = status.desiredNumberScheduled ?? 0;
    return wanted > 0 && status.numberAvailable === wanted && status.updatedNumberScheduled === wanted;
  }
  const wanted = spec.replicas ?? 1;
  return (status.availableReplicas ?? 0) >= wanted && (status.updatedReplicas ?? 0) >= wanted;
}

/** What stands in the way, in words of the pods. */
async function explain(
  client: WaitOptions['client'],
  workloads: readonly WorkloadName[],
  lastWords: LastWords,
): Promise<string> {
  const lines = await Promise.all(
    workloads.map(async (workload) => {
      const { kind, namespace, name } = workload;
      const { spec } = await client.request<Workload>({ path: pathOf(workload) });
      const labelSelector = Object.entries(spec.selector.matchLabels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
      const { items } = await client.request<PodList>({
        path: builtInPath('Pod', namespace),
        query: { labelSelector },
      });
      const events = await client.request<EventList>({ path: builtInPath('Event', namespace) });
      const pods = items.map(({ metadata, status }) => {
        const waiting = (status?.containerStatuses ?? [])
          .filter(({ ready }) => !ready)
          .map(({ name: container, state, restartCount }) => {
            const { reason = 'not ready', message = '' } = state?.waiting ?? {};
            const words = lastWords(namespace, metadata.name, container);
            return (
              `${container}: ${reason}${message === '' ? '' : ` (${message})`}, ${restartCount} restarts` +
              (words === '' ? '' : `, its last words: ${words}`)
            );
          });
        const warning = lastWarning(events, metadata.name);
        return (
          `pod ${metadata.name} is ${status?.phase ?? 'unknown'}` +
          (waiting.length === 0 ? '' : ` ${waiting.join('; ')}`) +
          (warning === undefined ? '' : `, its last warning: ${warning}`)
        );
      });
      return `${kind} ${namespace}/${name}: ${pods.length === 0 ? 'no pods' : pods.join(', ')}`;
    }),
  );
  return `not ready after ${patienceMs / 1000} s: ${lines.join('. ')}`;
}

/** Of a pod that has no container yet, only its Events say why. */
function lastWarning({ items }: EventList, pod: string): string | undefined {
  return items
    .filter(({ type, involvedObject }) => type === 'Warning' && involvedObject.name === pod)
    .sort((one, other) => (one.lastTimestamp ?? '').localeCompare(other.lastTimestamp ?? ''))
    .at(-1)?.message;
}
