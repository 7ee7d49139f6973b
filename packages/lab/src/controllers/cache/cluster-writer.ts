import { builtInApiVersion, builtInPath, KubeStatusError, patchType } from '@ambient/kube';
import type { KubeClient, KubeObject } from '@ambient/kube';
import type { Clock } from '@ambient/runtime';

import type { FollowedKind, FollowedObjects } from '../objects.ts';
import { canonical } from './canonical.ts';
import { prepared } from './cluster-cache.ts';
import type { ClusterCache } from './cluster-cache.ts';
import type { Table } from './table.ts';

/** What an object that is to be created says; the server adds the rest of its metadata. */
export interface NewObject {
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface DeletionOptions {
  /** Absent: as the pod says. 0: at once, whoever looks after it. Seconds. */
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground';
}

/** Writes objects of the kinds that are followed, and lets the cache know what came of it. */
export class ClusterWriter {
  readonly #client: KubeClient;
  readonly #cache: ClusterCache;
  readonly #clock: Clock;
  readonly #manager: string;
  #written = 0;

  /** @param manager the name under which managedFields knows the writes */
  constructor(client: KubeClient, cache: ClusterCache, clock: Clock, manager = 'kube-controller-manager') {
    this.#client = client;
    this.#cache = cache;
    this.#clock = clock;
    this.#manager = manager;
  }

  /** Requests that the API has taken. */
  get written(): number {
    return this.#written;
  }

  /** @throws KubeStatusError, KubeConnectionError, KubeConfigError (so do all others) */
  async create<K extends FollowedKind>(kind: K, object: NewObject): Promise<FollowedObjects[K]> {
    const answer = await this.#client.request({
      method: 'POST',
      path: builtInPath(kind, object.metadata.namespace),
      query: { fieldManager: this.#manager },
      body: { apiVersion: builtInApiVersion(kind), kind, ...object },
    });
    return this.#learn(kind, answer);
  }

  async replace<K extends FollowedKind>(kind: K, object: KubeObject): Promise<FollowedObjects[K]> {
    const answer = await this.#client.request({
      method: 'PUT',
      path: pathOf(kind, object),
      query: { fieldManager: this.#manager },
      body: { ...object, apiVersion: builtInApiVersion(kind), kind },
    });
    return this.#learn(kind, answer);
  }

  /** A patch that is refused if the object is no longer of this uid. Default type: JSON merge patch. */
  async patch<K extends FollowedKind>(
    kind: K,
    { metadata }: Pick<KubeObject, 'metadata'>,
    patch: { readonly metadata?: object; readonly [field: string]: unknown },
    options: { readonly contentType?: string; readonly subresource?: string } = {},
  ): Promise<FollowedObjects[K]> {
    const { contentType = patchType.merge, subresource } = options;
    const path = pathOf(kind, { metadata });
    const answer = await this.#client.request({
      method: 'PATCH',
      path: subresource === undefined ? path : `${path}/${subresource}`,
      query: { fieldManager: this.#manager },
      contentType,
      body: { ...patch, metadata: { uid: metadata.uid, ...patch.metadata } },
    });
    return this.#learn(kind, answer);
  }

  /** Makes the status say this and nothing else; without a request if it does already. */
  async status<K extends FollowedKind>(
    kind: K,
    object: FollowedObjects[K] & KubeObject,
    status: object,
  ): Promise<void> {
    const difference = statusDifference(object.status, status);
    if (difference === undefined) return;
    await this.patch(kind, object, { status: difference }, { subresource: 'status' });
  }

  /** Without effect if the object is gone, or another one of its name is there. */
  async delete<K extends FollowedKind>(
    kind: K,
    object: FollowedObjects[K] & KubeObject,
    options: DeletionOptions = {},
  ): Promise<void> {
    try {
      const answer = await this.#client.request({
        method: 'DELETE',
        path: pathOf(kind, object),
        body: {
          kind: 'DeleteOptions',
          apiVersion: 'v1',
          propagationPolicy: 'Background',
          ...options,
          preconditions: { uid: object.metadata.uid },
        },
      });
      this.#written++;
      const answered = prepared(kind, answer) as FollowedObjects[K] | undefined;
      const timestamp = answered?.metadata.deletionTimestamp ?? new Date(this.#clock.nowMs()).toISOString();
      // A Status is the answer for kinds that vanish without a word.
      this.#table(kind).learnDeletion(answered?.kind === kind ? answered : object, timestamp);
    } catch (error) {
      if (!(error instanceof KubeStatusError) || (error.status !== 404 && error.status !== 409)) throw error;
    }
  }

  /** Gives a pod its node. */
  async bind({ metadata }: Pick<KubeObject, 'metadata'>, nodeName: string): Promise<void> {
    const { name, namespace, uid } = metadata;
    await this.#client.request({
      method: 'POST',
      path: `${builtInPath('Pod', namespace, name)}/binding`,
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
      },
    });
    this.#written++;
  }

  #learn<K extends FollowedKind>(kind: K, answer: unknown): FollowedObjects[K] {
    this.#written++;
    const object = prepared(kind, answer) as FollowedObjects[K];
    this.#table(kind).learn(object);
    return object;
  }

  #table<K extends FollowedKind>(kind: K): Table<FollowedObjects[K]> {
    return this.#cache.tables[kind];
  }
}

function pathOf(kind: FollowedKind, { metadata }: Pick<KubeObject, 'metadata'>): string {
  return builtInPath(kind, metadata.namespace, metadata.name);
}

/** The merge patch that makes one status out of another; undefined if there is nothing to do. */
function statusDifference(from: unknown, to: object): Record<string, unknown> | undefined {
  const difference: Record<string, unknown> = {};
  const before = (from ?? {}) as Record<string, unknown>;
  for (const [field, value] of Object.entries(to))
    if (value !== undefined && canonical(before[field] ?? null) !== canonical(value))
      difference[field] = value;
  for (const field of Object.keys(before))
    if ((to as Record<string, unknown>)[field] === undefined) difference[field] = null;
  return Object.keys(difference).length === 0 ? undefined : difference;
}
