import { matchesLabelSelector } from '@ambient/kube';

import { labelKey } from '../cache/cluster-cache.ts';
import type { ClusterCache } from '../cache/cluster-cache.ts';
import { isOvertaken } from '../queue/work-queue.ts';
import type { ClusterWriter } from '../cache/cluster-writer.ts';
import type { FollowedKind, FollowedObjects, KubeObject, LabelSelector, Pod } from '../objects.ts';
import { claim, controllerOf } from './claim.ts';
import { controlledBy } from './pod-template.ts';

type WorkloadKind = 'ReplicaSet' | 'DaemonSet' | 'StatefulSet' | 'Job' | 'Deployment';
type DependentKind = 'Pod' | 'ReplicaSet' | 'ControllerRevision';

/** The pods of a workload: takes in what it selects and lets go what it does not. */
export function claimedPods(
  cache: ClusterCache,
  writer: ClusterWriter,
  owner: KubeObject<{ readonly selector?: LabelSelector }>,
): Promise<Pod[]> {
  const { selector } = owner.spec ?? {};
  return claimed(writer, 'Pod', owner, selector, candidatePods(cache, owner, selector));
}

/** Pods that a selector can select, by the index of one of its labels, and those that have the owner already. */
function* candidatePods(
  cache: ClusterCache,
  owner: KubeObject,
  selector: LabelSelector | undefined,
): Generator<Pod> {
  const pods = cache.tables.Pod;
  const { namespace, uid } = owner.metadata;
  yield* pods.by('owner', uid);
  const [first] = Object.entries(selector?.matchLabels ?? {});
  if (first === undefined) yield* pods.by('namespace', namespace ?? '');
  else yield* pods.by('label', labelKey(namespace, ...first));
}

/** Takes in what the owner selects and lets go what it does not; the objects that are its own afterwards. */
export async function claimed<K extends DependentKind>(
  writer: ClusterWriter,
  kind: K,
  owner: KubeObject,
  selector: LabelSelector | undefined,
  candidates: Iterable<FollowedObjects[K]>,
): Promise<FollowedObjects[K][]> {
  const { owned, adopt, release } = claim<FollowedObjects[K] & KubeObject>(
    owner,
    selector,
    candidates as Iterable<FollowedObjects[K] & KubeObject>,
  );
  const own: FollowedObjects[K][] = [...owned];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isOvertaken(error)) throw error;
    }
  };
  for (const orphan of adopt)
    await attempt(async () => {
      const ownerReferences = [...(orphan.metadata.ownerReferences ?? []), controlledBy(owner)];
      const { resourceVersion } = orphan.metadata;
      own.push(await writer.patch(kind, orphan, { metadata: { resourceVersion, ownerReferences } }));
    });
  for (const stranger of release)
    await attempt(async () => {
      const { resourceVersion } = stranger.metadata;
      const ownerReferences = (stranger.metadata.ownerReferences ?? []).filter(
        ({ uid }) => uid !== owner.metadata.uid,
      );
      await writer.patch(kind, stranger, { metadata: { resourceVersion, ownerReferences } });
    });
  return own;
}

/**
 * Calls back with the key of each workload of a kind that a change of a pod concerns: its owner of before and after, or those that
 * select it if it has none.
 */
export function onPodChange<K extends WorkloadKind>(
  cache: ClusterCache,
  kind: K,
  look: (key: string) => void,
): Disposable {
  const workloads = cache.tables[kind];
  return cache.tables.Pod.listen((pod, previous) => {
    const current = pod ?? previous!;
    const { namespace = '' } = current.metadata;
    const owners = new Set<string>();
    for (const each of [pod, previous])
      for (const reference of each?.metadata.ownerReferences ?? [])
        if (reference.controller === true && reference.kind === kind) owners.add(reference.name);
    for (const name of owners) look(`${namespace}/${name}`);
    if (pod === undefined || controllerOf(pod) !== undefined) return;
    for (const workload of workloads.by('namespace', namespace)) {
      const { selector } = (workload.spec ?? {}) as { readonly selector?: LabelSelector };
      if (selector !== undefined && matchesLabelSelector(selector, pod.metadata.labels))
        look(`${namespace}/${workload.metadata.name}`);
    }
  });
}

/** Calls back for every change of the workloads themselves, and at once for those that are there. */
export function onWorkloadChange<K extends FollowedKind>(
  cache: ClusterCache,
  kind: K,
  look: (key: string) => void,
): Disposable {
  const table = cache.tables[kind];
  for (const key of table.keys()) look(key);
  return table.listen((now: KubeObject | undefined, previous: KubeObject | undefined) => {
    const { namespace, name } = (now ?? previous!).metadata;
    look(namespace === undefined ? name : `${namespace}/${name}`);
  });
}

/**
 * Does one thing so many times, in batches that double: what the API refuses is refused a few times only.
 *
 * @throws the first failure, after its batch
 */
export async function inGrowingBatches<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  for (let from = 0, size = 1; from < items.length; from += size, size = Math.min(size * 2, largestBatch)) {
    const outcomes = await Promise.allSettled(items.slice(from, from + size).map(work));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** Requests under way at the same time, for one owner. */
const largestBatch = 16;
