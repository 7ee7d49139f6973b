// What is kept of an object that arrives. At 50,000 pods the fields that nobody reads would be most of the memory, and
// their changes (heartbeats of nodes, managedFields) most of the work.
import { isRecord } from './errors.ts';
import type { Container, KindName, KubeObject, ObjectMeta, ObjectOf, Pod } from './objects.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The object as it is kept, with `apiVersion` and `kind`, which items of a list lack. Its namespace and name are texts;
 * whatever else is wrong with it is left for validation to name.
 *
 * @returns undefined for something that is no object of Kubernetes
 */
export function trimObject<K extends KindName>(
  kind: K,
  apiVersion: string,
  raw: unknown,
): ObjectOf<K> | undefined {
  if (!isRecord(raw) || !isRecord(raw['metadata'])) return undefined;
  const metadata = trimMetadata(raw['metadata'] as unknown as RawMeta);
  if (metadata === undefined) return undefined;
  const head = { apiVersion, kind, metadata };
  switch (kind) {
    case 'Pod':
      return trimPod(head, raw as unknown as Pod);
    case 'Node':
      return head;
    default:
      return { ...raw, ...head };
  }
}

type RawMeta = ObjectMeta & { readonly managedFields?: unknown; readonly selfLink?: unknown };

function trimMetadata(raw: RawMeta): ObjectMeta | undefined {
  const { managedFields: _fields, selfLink: _link, ...kept } = raw;
  if (typeof kept.name !== 'string' || kept.name === '') return undefined;
  if (kept.namespace !== undefined && typeof kept.namespace !== 'string') return undefined;
  if (kept.annotations === undefined || kept.annotations === null || !(lastApplied in kept.annotations))
    return kept;
  const { [lastApplied]: _applied, ...annotations } = kept.annotations;
  return { ...kept, annotations };
}

function trimPod(head: Pick<Pod, 'apiVersion' | 'kind' | 'metadata'>, { spec, status }: Pod): Pod {
  const initContainers = records(spec?.initContainers)?.filter((c) => c.restartPolicy === 'Always');
  return {
    ...head,
    spec: defined({
      nodeName: spec?.nodeName,
      serviceAccountName: spec?.serviceAccountName,
      hostNetwork: spec?.hostNetwork,
      containers: records(spec?.containers)?.map(trimContainer),
      initContainers: initContainers?.length === 0 ? undefined : initContainers?.map(trimContainer),
    }),
    status: defined({
      phase: status?.phase,
      podIP: status?.podIP,
      podIPs: status?.podIPs,
      conditions: records(status?.conditions)
        ?.filter((condition) => condition.type === 'Ready')
        .map((condition) => ({ type: condition.type, status: condition.status })),
    }),
  };
}

function trimContainer({ name, ports, restartPolicy }: Container): Container {
  return defined({
    name,
    ports: records(ports)?.map(({ name, containerPort, protocol }) =>
      defined({ name, containerPort, protocol }),
    ),
    restartPolicy,
  });
}

/** The entries that are objects; undefined for what is no list. */
function records<T extends object>(list: readonly T[] | undefined): readonly T[] | undefined {
  return Array.isArray(list) ? (list as readonly T[]).filter(isRecord) : undefined;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys whose value is undefined, so that equal objects have equal keys. */
function defined<T extends object>(fields: T): Defined<T> {
  for (const key of Object.keys(fields) as (keyof T)[]) if (fields[key] === undefined) delete fields[key];
  return fields as Defined<T>;
}

/** `namespace/name`, or `name` for kinds of the cluster: the key of an object within its kind. */
export function objectKey({ metadata: { namespace, name } }: Pick<KubeObject, 'metadata'>): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
