/** The history of a DaemonSet or StatefulSet: its templates as ControllerRevisions, numbered. Pure. */
import { canonical } from '../cache/canonical.ts';
import type { NewObject } from '../cache/cluster-writer.ts';
import type { ControllerRevision, KubeObject, PodTemplate } from '../objects.ts';
import { controlledBy, hashOf } from '../pods/pod-template.ts';

export const revisionHashLabel = 'controller-revision-hash';

/** What `kubectl rollout undo` patches the owner with. */
export interface RevisionData {
  readonly spec: { readonly template: PodTemplate };
}

export interface RevisionPlan {
  /** Of the template as it is now; pods that follow it have it as their label. */
  readonly hash: string;
  readonly create: NewObject | undefined;
  /** One that is there already and becomes the newest again. */
  readonly renumber: { readonly revision: ControllerRevision; readonly number: number } | undefined;
  readonly remove: readonly ControllerRevision[];
}

/**
 * @param revisions of the owner
 * @param used hashes of which there are pods: their revisions are kept, however many they are
 */
export function planRevisions(
  owner: KubeObject,
  template: PodTemplate,
  revisions: readonly ControllerRevision[],
  used: ReadonlySet<string>,
  limit = 10,
): RevisionPlan {
  const data = { spec: { template: { ...template, $patch: 'replace' } } };
  const ordered = revisions.toSorted((a, b) => a.revision - b.revision);
  const newest = ordered.at(-1)?.revision ?? 0;
  const current = ordered.findLast((each) => canonical(each.data) === canonical(data));
  const hash = current?.metadata.labels?.[revisionHashLabel] ?? hashOf(template);
  const idle = ordered.filter((each) => each !== current && !used.has(hashOfRevision(each)));
  const remove = idle.slice(0, Math.max(0, idle.length - limit));
  if (current !== undefined)
    return {
      hash,
      create: undefined,
      renumber: current.revision < newest ? { revision: current, number: newest + 1 } : undefined,
      remove,
    };
  const { name, namespace, annotations = {} } = owner.metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...kept } = annotations;
  const create: NewObject = {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata?.labels, [revisionHashLabel]: hash },
      annotations: kept,
      ownerReferences: [controlledBy(owner)],
    },
    data,
    revision: newest + 1,
  };
  return { hash, create, renumber: undefined, remove };
}

export function hashOfRevision({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return metadata.labels?.[revisionHashLabel] ?? '';
}
