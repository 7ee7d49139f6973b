/** Recorded clusters on an API server: how they are loaded, changed and taken away again. */
import { readdirSync, readFileSync } from 'node:fs';

import { parseManifests } from '../../../packages/control-plane/src/translate/golden-cluster.test-data.ts';
import type { Manifest } from '../../../packages/control-plane/src/translate/golden-cluster.test-data.ts';
import type { Pod } from '@ambient/kube';
import { isStatus } from './test-api.ts';
import type { TestApi } from './test-api.ts';

const folder = new URL('../../../packages/control-plane/src/translate/golden/scenarios/', import.meta.url);

export const scenarioNames = readdirSync(folder)
  .map((file) => file.replace(/\.yaml$/, ''))
  .sort();

export function readManifestsOf(scenario: string): Manifest[] {
  return parseManifests(readFileSync(new URL(`${scenario}.yaml`, folder), 'utf8'));
}

/** Namespaces that every cluster has. */
const standing: ReadonlySet<string> = new Set(['istio-system', 'default']);
const accounts = { apiVersion: 'v1', kind: 'ServiceAccount' };

/**
 * One recorded cluster on an API server, as its README says: status by its subresource, terminating objects by a deletion
 * that finalizers hold up, differing ages in the order given, uids of pods in slices.
 */
export class Scenario {
  readonly manifests: readonly Manifest[];
  readonly #api: TestApi;
  readonly #made = new Set<Manifest>();

  constructor(api: TestApi, manifests: readonly Manifest[]) {
    this.#api = api;
    this.manifests = manifests;
  }

  /** @param order the objects in the order in which they come; namespaces are made first, without labels, in any case */
  async load(order: readonly Manifest[] = this.manifests): Promise<void> {
    if (order !== this.manifests)
      for (const namespace of this.#namespaces())
        await this.#api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (const manifest of order) await this.create(manifest);
  }

  async create(manifest: Manifest): Promise<void> {
    const { kind, metadata } = manifest;
    this.#made.add(manifest);
    // Set by the server alone, apart from what the object is created with.
    const { status, ...rest } = manifest;
    const { creationTimestamp, deletionTimestamp, ...given } = metadata;
    if (creationTimestamp !== undefined) await this.#api.nextSecond();
    if (kind === 'Pod') await this.#createAccount(manifest as Pod);
    const object = await this.#withPodUids({
      ...(kind === 'Pod' ? withImages(rest) : rest),
      metadata: given,
    });
    try {
      await this.#api.create(object);
    } catch (error) {
      if (kind !== 'Namespace' || !isStatus(error, 409)) throw error;
      await this.#api.patch(object, { metadata: { labels: given.labels, annotations: given.annotations } });
    }
    if (status !== undefined) await this.#api.patch(object, { status }, 'status');
    if (deletionTimestamp !== undefined) await this.#api.delete(object);
  }

  /** Makes it on the server what `stripped` makes of it. */
  async strip(manifest: Manifest): Promise<void> {
    const { labels, annotations } = manifest.metadata;
    const kept = stripped(manifest).metadata.labels;
    const metadata = { labels: { ...nulls(labels), ...kept }, annotations: nulls(annotations) };
    await this.#api.patch(manifest, { metadata });
  }

  async restore(manifest: Manifest): Promise<void> {
    const { labels = {}, annotations = {} } = manifest.metadata;
    await this.#api.patch(manifest, { metadata: { labels, annotations } });
  }

  /** Deletes everything that was made here. */
  async clear(): Promise<void> {
    for (const manifest of [...this.#made].reverse()) {
      const { kind, metadata } = manifest;
      if (kind === 'Namespace') continue;
      await this.#api.delete(manifest);
      if (metadata.finalizers !== undefined)
        await this.#api.patch(manifest, { metadata: { finalizers: null } }).catch(unlessGone);
    }
    for (const name of this.#namespaces()) {
      const manifest = this.manifests.find(
        ({ kind, metadata }) => kind === 'Namespace' && metadata.name === name,
      );
      if (!standing.has(name)) await this.#api.deleteNamespace(name);
      else if (manifest !== undefined) await this.strip(manifest);
    }
    this.#made.clear();
  }

  #namespaces(): Set<string> {
    return new Set(
      this.manifests.map(({ kind, metadata }) =>
        kind === 'Namespace' ? metadata.name : (metadata.namespace ?? 'default'),
      ),
    );
  }

  async #createAccount({ metadata: { namespace = 'default' }, spec }: Pod): Promise<void> {
    const name = spec?.serviceAccountName ?? 'default';
    await this.#api.ensure({ ...accounts, metadata: { namespace, name } });
  }

  /** `of-pod` stands for the uid that the pod beside it was given. */
  async #withPodUids(manifest: Manifest): Promise<Manifest> {
    if (!JSON.stringify(manifest).includes('"of-pod"')) return manifest;
    const object = structuredClone(manifest) as unknown as {
      endpoints?: { targetRef?: { namespace: string; name: string; uid?: string } }[];
    };
    for (const { targetRef } of object.endpoints ?? [])
      if (targetRef?.uid === 'of-pod') {
        const { namespace, name } = targetRef;
        const pod = await this.#api.get({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name } });
        targetRef.uid = pod.metadata.uid;
      }
    return object as unknown as Manifest;
  }
}

/** Stays: without it addresses are allocated, and those stay when it comes back. */
const optOut = 'networking.istio.io/enable-autoallocate-ip';

/** Without labels and annotations: selectors, classes and choices of waypoints are gone. */
export function stripped(manifest: Manifest): Manifest {
  const { labels = {}, annotations: _annotations, ...metadata } = manifest.metadata;
  const kept = optOut in labels ? { labels: { [optOut]: labels[optOut] } } : {};
  return { ...manifest, metadata: { ...metadata, ...kept } };
}

/**
 * Another order, the same for every seed, that an API server can take: objects with ages stay in theirs, and slices come
 * after the pods whose uids they hold.
 */
export function shuffled(manifests: readonly Manifest[], seed: number): Manifest[] {
  const result = [...manifests];
  let state = seed;
  for (let i = result.length - 1; i > 0; i--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = state % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  const aged = manifests.filter(({ metadata }) => metadata.creationTimestamp !== undefined);
  let next = 0;
  const ordered = result.map((each) =>
    each.metadata.creationTimestamp === undefined ? each : aged[next++]!,
  );
  const isLate = (each: Manifest): boolean => JSON.stringify(each).includes('"of-pod"');
  return [...ordered.filter((each) => !isLate(each)), ...ordered.filter(isLate)];
}

/** Whether it may be deleted and made anew: nothing holds it, refers to its uid or goes by its age. */
export function isReplaceable({ kind, metadata }: Manifest, _: number, all: readonly Manifest[]): boolean {
  if (kind === 'Namespace' || metadata.finalizers !== undefined) return false;
  if (metadata.creationTimestamp !== undefined) return false;
  return kind !== 'Pod' || !JSON.stringify(all).includes('"of-pod"');
}

/** An API server takes no pod without an image. */
function withImages(pod: Omit<Manifest, 'status'>): Manifest {
  interface Container {
    readonly name: string;
    readonly image?: string;
  }
  const spec = (pod['spec'] ?? {}) as { containers?: Container[]; initContainers?: Container[] };
  const image = (containers: readonly Container[]): Container[] =>
    containers.map((container) => ({ image: 'none', ...container }));
  return {
    ...pod,
    spec: {
      ...spec,
      containers: image(spec.containers ?? [{ name: 'c' }]),
      ...(spec.initContainers === undefined ? {} : { initContainers: image(spec.initContainers) }),
    },
  } as Manifest;
}

function nulls(map: Readonly<Record<string, string>> | undefined): Record<string, null> {
  return Object.fromEntries(Object.keys(map ?? {}).map((key) => [key, null]));
}

function unlessGone(error: unknown): void {
  if (!isStatus(error, 404)) throw error;
}
