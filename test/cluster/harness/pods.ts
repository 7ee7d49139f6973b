import { waitThroughFailures } from '@ambient/testkit/lab';
import { get } from './command.ts';

/** What the tests read of a pod. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly startTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly restartCount: number;
      readonly ready: boolean;
    }[];
  };
}

/** Pods of a namespace with these labels that are not ending, by name. */
export async function podsOf(namespace: string, labels: string): Promise<readonly Pod[]> {
  const { items } = await get<{ items: Pod[] }>(['pods', '--namespace', namespace, '--selector', labels]);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
}

export function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

export function isCaptured({ metadata }: Pod): boolean {
  return metadata.annotations?.['ambient.istio.io/redirection'] === 'enabled';
}

/** Waits until there are so many pods, and all of them are as wished. */
export function podsThat(
  what: string,
  namespace: string,
  labels: string,
  count: number,
  wish: (pod: Pod) => boolean,
  deadlineMs?: number,
): Promise<readonly Pod[]> {
  return waitThroughFailures(
    async () => {
      const pods = await podsOf(namespace, labels);
      return pods.length === count && pods.every(wish) ? pods : undefined;
    },
    `${count} pods ${labels} in ${namespace} that are ${what}`,
    deadlineMs,
  );
}

/** The one pod with these labels, once it is ready. */
export async function readyPod(namespace: string, labels: string): Promise<Pod> {
  return (await podsThat('ready', namespace, labels, 1, isReady))[0]!;
}
