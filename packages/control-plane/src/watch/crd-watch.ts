import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import type { KindResource, KubeClient, KubeObject, ListWatch, ReflectorState } from '@ambient/kube';
import { KubeStatusError, Reflector, isRecord } from '@ambient/kube';

/** What is kept of a CustomResourceDefinition. */
interface KeptCrd extends KubeObject {
  /** Versions that are served; empty until the API server has established it. */
  readonly served: readonly string[];
}

/** The served versions of one kind, by the name of its CRD (`plural.group`); empty if there is none. */
export type ServedVersions = (crdName: string) => readonly string[];

export interface CrdWatchOptions {
  /** Of CustomResourceDefinitions. */
  readonly source: ListWatch;
  /** For discovery, where CustomResourceDefinitions may not be listed. */
  readonly client: KubeClient;
  readonly resources: readonly KindResource[];
  readonly log: Logger;
  readonly clock?: Clock;
  /** Called when it is first known what is served, and after each change; again and again by discovery. */
  readonly onChange: (served: ServedVersions) => void;
  /** Between two rounds of discovery; 2 s if absent. Milliseconds. */
  readonly pollMs?: number;
}

/** `serviceentries.networking.istio.io`. */
export function crdName(resource: Pick<KindResource, 'plural' | 'group'>): string {
  return `${resource.plural}.${resource.group}`;
}

/** The best version that is both understood and served. */
export function bestVersion(resource: KindResource, served: readonly string[]): string | undefined {
  return resource.versions.find((version) => served.includes(version));
}

/**
 * Knows which of the optional kinds the API server serves: by watching CustomResourceDefinitions, or, where that is
 * forbidden, by asking discovery.
 */
export class CrdWatch {
  readonly #options: CrdWatchOptions;
  readonly #clock: Clock;
  readonly #crds = new Map<string, KeptCrd>();
  readonly #wanted: ReadonlySet<string>;
  readonly #reflector: Reflector<KeptCrd>;
  #abort: AbortController | undefined;
  #polling = false;
  #timer: Disposable | undefined;

  constructor(options: CrdWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#wanted = new Set(options.resources.map(crdName));
    const changed = (): void => {
      if (this.#reflector.synced) this.#tell();
    };
    const watched = options.source;
    this.#reflector = new Reflector<KeptCrd>({
      source: {
        path: watched.path,
        watch: (...args) => watched.watch(...args),
        list: async (...args) => {
          try {
            return await watched.list(...args);
          } catch (error) {
            if (error instanceof KubeStatusError && error.status === 403) this.#poll();
            throw error;
          }
        },
      },
      target: {
        get: (key) => this.#crds.get(key),
        keys: () => [...this.#crds.keys()],
        put: (key, crd) => {
          const before = this.#crds.get(key)?.served.join();
          this.#crds.set(key, crd);
          if (before !== crd.served.join() && this.#wanted.has(key)) changed();
        },
        remove: (key) => {
          if (this.#crds.delete(key) && this.#wanted.has(key)) changed();
        },
      },
      prepare: keepCrd,
      log: options.log,
      clock: this.#clock,
      onSynced: () => this.#tell(),
    });
  }

  /** 'discovery' once CustomResourceDefinitions turned out to be forbidden. */
  get method(): 'watch' | 'discovery' {
    return this.#polling ? 'discovery' : 'watch';
  }

  start(): void {
    this.#abort ??= new AbortController();
    this.#reflector.start();
  }

  async stop(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#timer?.[Symbol.dispose]();
    await this.#reflector.stop();
  }

  state(): ReflectorState {
    return this.#reflector.state();
  }

  #tell(): void {
    this.#options.onChange((name) => this.#crds.get(name)?.served ?? []);
  }

  #poll(): void {
    if (this.#polling || this.#abort === undefined) return;
    this.#polling = true;
    this.#options.log.info('CustomResourceDefinitions may not be listed, asking discovery instead', {
      remedy: 'allow list and watch of customresourcedefinitions in the ClusterRole',
    });
    const { signal } = this.#abort;
    void this.#reflector.stop();
    const round = async (): Promise<void> => {
      try {
        const served = await discover(this.#options.client, this.#options.resources, signal);
        if (signal.aborted) return;
        this.#options.onChange((name) => served.get(name) ?? []);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.warn('discovery failed, trying again', {
          error: error instanceof Error ? error.message : String(error),
        });
      }
      this.#timer = this.#clock.setTimer(this.#options.pollMs ?? 2000, () => void round());
    };
    void round();
  }
}

/** Served versions by CRD name, as discovery tells them. */
async function discover(
  client: KubeClient,
  resources: readonly KindResource[],
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const served = new Map<string, string[]>();
  for (const group of new Set(resources.map((resource) => resource.group))) {
    const ofGroup = resources.filter((resource) => resource.group === group);
    for (const version of new Set(ofGroup.flatMap((resource) => resource.versions))) {
      const plurals = await discoverVersion(client, `/apis/${group}/${version}`, signal);
      for (const resource of ofGroup) {
        if (!plurals.has(resource.plural)) continue;
        const name = crdName(resource);
        served.set(name, [...(served.get(name) ?? []), version]);
      }
    }
  }
  return served;
}

async function discoverVersion(
  client: KubeClient,
  path: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  try {
    const body = await client.request({ path, signal });
    const list = isRecord(body) && Array.isArray(body['resources']) ? (body['resources'] as unknown[]) : [];
    return new Set(list.flatMap((entry) => (isRecord(entry) ? [String(entry['name'])] : [])));
  } catch (error) {
    if (error instanceof KubeStatusError && error.status === 404) return new Set();
    throw error;
  }
}

function keepCrd(raw: unknown): KeptCrd | undefined {
  if (!isRecord(raw) || !isRecord(raw['metadata']) || !isRecord(raw['spec'])) return undefined;
  const { name, uid, resourceVersion } = raw['metadata'];
  if (typeof name !== 'string') return undefined;
  const status = isRecord(raw['status']) ? raw['status'] : {};
  const established = list(status['conditions']).some(
    (condition) => condition['type'] === 'Established' && condition['status'] === 'True',
  );
  const versions = established ? list(raw['spec']['versions']) : [];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name,
      uid: typeof uid === 'string' ? uid : '',
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    },
    served: versions
      .filter((version) => version['served'] === true)
      .map((version) => String(version['name'])),
  };
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
