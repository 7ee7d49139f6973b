import type { Clock, Logger } from '@ambient/runtime';

import { crlConfigMap, crlConfigMapName, rootConfigMap, rootConfigMapName } from '../ca/trust-configmaps.ts';
import type { DesiredConfigMap } from '../ca/trust-configmaps.ts';
import type { Report } from '../cluster/engine.ts';
import type { Finding } from '../discovery/finding.ts';
import type { ApplyQueue, ConfigMap, KubeClient, ReflectorTarget } from '@ambient/kube';
import { builtInPath, HttpListWatch, Reflector } from '@ambient/kube';

const fieldManager = 'ambient-trust';

export interface TrustDistributionOptions {
  readonly client: KubeClient;
  readonly queue: ApplyQueue;
  readonly clock: Clock;
  readonly log: Logger;
  /** PEM of the roots that are trusted now, that of the signing authority first. */
  readonly roots: () => readonly string[];
  /** Revocation lists in PEM; undefined as long as nothing was revoked. */
  readonly revocations: () => string | undefined;
}

/**
 * Keeps the ConfigMaps with the mesh's roots and revocation lists in every namespace, by which proxies know whom to trust.
 * While it leads it watches them, so that one that is edited or deleted by hand comes back.
 */
export class TrustDistribution {
  readonly #options: TrustDistributionOptions;
  readonly #namespaces = new Set<string>();
  readonly #found = new Map<string, ConfigMap>();
  #reflectors: readonly Reflector<ConfigMap>[] = [];

  constructor(options: TrustDistributionOptions) {
    this.#options = options;
  }

  take({ kind, key, conditions }: Report<Finding>): void {
    if (kind !== 'Namespace') return;
    if (conditions.some((finding) => finding.kind === 'trust')) {
      this.#namespaces.add(key);
      this.#write(key);
    } else this.#namespaces.delete(key);
  }

  lead(): void {
    if (this.#reflectors.length > 0) return;
    this.#reflectors = [rootConfigMapName, crlConfigMapName].map((name) => this.#reflector(name));
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stopLeading(): Promise<void> {
    const reflectors = this.#reflectors;
    this.#reflectors = [];
    this.#found.clear();
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
  }

  /** Roots or lists have changed. */
  changed(): void {
    for (const namespace of this.#namespaces) this.#write(namespace);
  }

  #reflector(name: string): Reflector<ConfigMap> {
    const { client, clock, log } = this.#options;
    const target: ReflectorTarget<ConfigMap> = {
      get: (key) => this.#found.get(key),
      keys: () => [...this.#found.keys()].filter((key) => key.endsWith(`/${name}`)),
      put: (key, object) => {
        this.#found.set(key, object);
        this.#write(object.metadata.namespace ?? '');
      },
      remove: (key) => {
        this.#found.delete(key);
        this.#write(key.slice(0, key.indexOf('/')));
      },
    };
    return new Reflector<ConfigMap>({
      source: new HttpListWatch({
        client,
        path: builtInPath('ConfigMap'),
        fieldSelector: `metadata.name=${name}`,
      }),
      target,
      prepare: (raw) => raw as ConfigMap,
      clock,
      log,
      onSynced: () => this.changed(),
    });
  }

  #write(namespace: string): void {
    // Before the list is known, everything would seem to be missing.
    if (!this.#namespaces.has(namespace) || !this.#reflectors.every(({ synced }) => synced)) return;
    if (this.#reflectors.length === 0) return;
    this.#apply(rootConfigMap(namespace, this.#options.roots()));
    const revocations = this.#options.revocations();
    if (revocations !== undefined) this.#apply(crlConfigMap(namespace, revocations));
  }

  #apply(desired: DesiredConfigMap): void {
    const { name, namespace } = desired.metadata;
    const found = this.#found.get(`${namespace}/${name}`);
    const holds = Object.entries(desired.data).every(([file, text]) => found?.data?.[file] === text);
    if (found !== undefined && holds) return;
    this.#options.queue.submit({
      path: builtInPath('ConfigMap', namespace, name),
      fieldManager,
      body: { ...desired },
    });
  }
}
