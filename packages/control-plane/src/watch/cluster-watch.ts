import type { Clock, Logger } from '@ambient/runtime';

import type {
  KindName,
  KubeClient,
  ListWatch,
  ObjectOf,
  ReflectorState,
  ReflectorTarget,
} from '@ambient/kube';
import { bestVersion, crdName, CrdWatch } from './crd-watch.ts';
import type { ServedVersions } from './crd-watch.ts';
import {
  HttpListWatch,
  Reflector,
  apiVersionOf,
  kindNames,
  kindResources,
  resourcePath,
  trimObject,
} from '@ambient/kube';

export interface ClusterWatchOptions {
  readonly client: KubeClient;
  /** Where the objects of a kind go. */
  readonly target: <K extends KindName>(kind: K) => ReflectorTarget<ObjectOf<K>>;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Called once: what is served is known, and everything that is served has been listed. */
  readonly onSynced?: () => void;
  /** `namespace/name` of the one ConfigMap that is followed. */
  readonly configMap: { readonly namespace: string; readonly name: string };
  readonly silenceMs?: number;
}

/** A kind as dumps show it. */
export interface KindState {
  readonly kind: KindName;
  /** '' while its CustomResourceDefinition is missing. */
  readonly apiVersion: string;
  readonly reflector?: ReflectorState;
}

interface Followed {
  readonly version: string;
  readonly reflector: Reflector<ObjectOf<KindName>>;
}

/**
 * Follows every kind that the mesh is derived from. A custom kind is followed while its CustomResourceDefinition serves a
 * version that is understood; its objects vanish with it.
 */
export class ClusterWatch {
  readonly #options: ClusterWatchOptions;
  readonly #followed = new Map<KindName, Followed>();
  readonly #stopping = new Set<Promise<void>>();
  readonly #crds: CrdWatch;
  #servedKnown = false;
  #synced = false;
  #running = false;

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
    this.#crds = new CrdWatch({
      source: new HttpListWatch({
        client: options.client,
        path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      }),
      client: options.client,
      resources: kindNames.map((kind) => kindResources[kind]).filter((resource) => resource.custom),
      log: options.log,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      onChange: (served) => this.#served(served),
    });
  }

  get synced(): boolean {
    return this.#synced;
  }

  start(): void {
    this.#running = true;
    for (const kind of kindNames) {
      const resource = kindResources[kind];
      if (!resource.custom) this.#follow(kind, resource.versions[0] ?? 'v1');
    }
    this.#crds.start();
  }

  /** Resolves when no request is open any more; the targets keep their objects. */
  async stop(): Promise<void> {
    this.#running = false;
    const reflectors = [...this.#followed.values()].map(({ reflector }) => reflector.stop());
    this.#followed.clear();
    await Promise.all([this.#crds.stop(), ...reflectors, ...this.#stopping]);
  }

  states(): KindState[] {
    return kindNames.map((kind) => {
      const followed = this.#followed.get(kind);
      if (followed === undefined) return { kind, apiVersion: '' };
      const apiVersion = apiVersionOf(kindResources[kind], followed.version);
      return { kind, apiVersion, reflector: followed.reflector.state() };
    });
  }

  #served(served: ServedVersions): void {
    if (!this.#running) return;
    this.#servedKnown = true;
    for (const kind of kindNames) {
      const resource = kindResources[kind];
      if (!resource.custom) continue;
      const version = bestVersion(resource, served(crdName(resource)));
      const before = this.#followed.get(kind)?.version;
      if (version === before) continue;
      if (before !== undefined) this.#leave(kind, version === undefined);
      if (version !== undefined) this.#follow(kind, version);
    }
    this.#checkSynced();
  }

  #follow<K extends KindName>(kind: K, version: string): void {
    const { client, target, log, clock, silenceMs } = this.#options;
    const resource = kindResources[kind];
    const apiVersion = apiVersionOf(resource, version);
    const reflector = new Reflector<ObjectOf<K>>({
      source: this.#source(kind, version, client),
      target: target(kind),
      prepare: (raw) => trimObject(kind, apiVersion, raw),
      log,
      ...(clock === undefined ? {} : { clock }),
      ...(silenceMs === undefined ? {} : { silenceMs }),
      onSynced: () => this.#checkSynced(),
    });
    this.#followed.set(kind, { version, reflector: reflector });
    if (resource.custom) log.info('following a custom kind', { kind, version: apiVersion });
    reflector.start();
  }

  #source(kind: KindName, version: string, client: KubeClient): ListWatch {
    const resource = kindResources[kind];
    if (kind !== 'ConfigMap') return new HttpListWatch({ client, path: resourcePath(resource, version) });
    const { namespace, name } = this.#options.configMap;
    return new HttpListWatch({
      client,
      path: resourcePath(resource, version, namespace),
      fieldSelector: `metadata.name=${name}`,
    });
  }

  /** @param forget whether the objects go too; with another version of the kind they are replaced instead */
  #leave(kind: KindName, forget: boolean): void {
    const stopping = this.#followed.get(kind)?.reflector.stop() ?? Promise.resolve();
    this.#followed.delete(kind);
    this.#stopping.add(stopping);
    void stopping.finally(() => this.#stopping.delete(stopping));
    if (!forget) return;
    this.#options.log.info('a custom kind is gone', { kind });
    const target = this.#options.target(kind);
    for (const key of target.keys()) target.remove(key);
  }

  #checkSynced(): void {
    if (this.#synced || !this.#servedKnown) return;
    for (const { reflector } of this.#followed.values()) if (!reflector.synced) return;
    this.#synced = true;
    this.#options.onSynced?.();
  }
}
