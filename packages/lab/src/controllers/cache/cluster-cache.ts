import { builtInApiVersion, builtInPath, HttpListWatch, isRecord, ReflectorGroup } from '@ambient/kube';
import type { KubeClient, KubeObject } from '@ambient/kube';
import type { Clock, Logger } from '@ambient/runtime';

import { nodeLeaseNamespace, rootCaConfigMap } from '../../objects/well-known.ts';
import type { FollowedKind, FollowedObjects } from '../objects.ts';
import { followedKinds } from './kinds.ts';
import { Table } from './table.ts';
import type { IndexOf } from './table.ts';

/**
 * Indexes of all kinds: `owner` by the uid of the controlling owner, `namespace`; of pods also `node`, and `label` by
 * `namespace/key=value`; of EndpointSlices `service` by `namespace/name`.
 */
export type IndexName = 'owner' | 'namespace' | 'node' | 'label' | 'service';

type Tables = { readonly [K in FollowedKind]: Table<FollowedObjects[K], IndexName> };

export interface ClusterCacheOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Kinds of which only a part is followed. */
const parts: Partial<Record<FollowedKind, { readonly namespace?: string; readonly fieldSelector?: string }>> =
  {
    ConfigMap: { fieldSelector: `metadata.name=${rootCaConfigMap}` },
    Lease: { namespace: nodeLeaseNamespace },
  };

/** All objects that the controllers read, kept in step with the API. */
export class ClusterCache {
  readonly tables: Tables;
  readonly #reflectors = new ReflectorGroup();

  constructor({ client, log, clock }: ClusterCacheOptions) {
    const tables: Partial<Record<FollowedKind, Table<KubeObject, IndexName>>> = {};
    for (const kind of followedKinds) {
      const { namespace, fieldSelector } = parts[kind] ?? {};
      const table = new Table<KubeObject, IndexName>(indexes(kind));
      const reflector = this.#reflectors.add<KubeObject>({
        source: new HttpListWatch({
          client,
          path: builtInPath(kind, namespace),
          ...(fieldSelector === undefined ? {} : { fieldSelector }),
        }),
        target: table,
        prepare: (raw) => prepared(kind, raw),
        log,
        clock,
      });
      table.followedBy(() => reflector.state().resourceVersion);
      tables[kind] = table;
    }
    this.tables = tables as unknown as Tables;
  }

  /** Settles when every kind has been listed; the reflectors try until the API answers. */
  async start(): Promise<void> {
    this.#reflectors.start();
    await this.#reflectors.synced;
  }

  async stop(): Promise<void> {
    await this.#reflectors.stop();
  }
}

/** An object as it is kept: named as single objects are, without the record of its writers. */
export function prepared(kind: FollowedKind, raw: unknown): KubeObject | undefined {
  if (!isRecord(raw) || !isRecord(raw['metadata']) || typeof raw['metadata']['name'] !== 'string')
    return undefined;
  const { managedFields: _, ...metadata } = raw['metadata'];
  return { ...raw, apiVersion: builtInApiVersion(kind), kind, metadata } as unknown as KubeObject;
}

const nothing: IndexOf<KubeObject> = () => [];
const owner: IndexOf<KubeObject> = ({ metadata }) => {
  const found = metadata.ownerReferences?.find((each) => each.controller === true);
  return found === undefined ? [] : [found.uid];
};
const namespace: IndexOf<KubeObject> = ({ metadata }) => [metadata.namespace ?? ''];
const node: IndexOf<KubeObject> = ({ spec }) => {
  const name = isRecord(spec) ? spec['nodeName'] : undefined;
  return typeof name === 'string' && name !== '' ? [name] : [];
};
const label: IndexOf<KubeObject> = ({ metadata }) =>
  Object.entries(metadata.labels ?? {}).map(([key, value]) => labelKey(metadata.namespace, key, value));
const service: IndexOf<KubeObject> = ({ metadata }) => {
  const name = metadata.labels?.[serviceNameLabel];
  return name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`];
};

export const serviceNameLabel = 'kubernetes.io/service-name';

/** The key of index `label`. */
export function labelKey(inNamespace: string | undefined, key: string, value: string): string {
  return `${inNamespace ?? ''}/${key}=${value}`;
}

function indexes(kind: FollowedKind): Record<IndexName, IndexOf<KubeObject>> {
  const isPod = kind === 'Pod';
  return {
    owner,
    namespace,
    node: isPod ? node : nothing,
    label: isPod ? label : nothing,
    service: kind === 'EndpointSlice' ? service : nothing,
  };
}
