import { HttpListWatch, kindResources, Reflector, resourcePath, trimObject } from '@ambient/kube';
import type { EndpointSlice, KindName, KubeClient, ObjectOf, ReflectorTarget, Service } from '@ambient/kube';
import type { Logger } from '@ambient/runtime';

import type { ServiceDirectory } from './service-directory.ts';

/** Several reflectors as one: started, synced and stopped together. */
export class ReflectorGroup {
  readonly #reflectors: Reflector<never>[] = [];
  readonly #synced = Promise.withResolvers<void>();
  readonly #client: KubeClient;
  readonly #log: Logger;
  #missing = 0;

  constructor(client: KubeClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /** Adds a kind, before the start. */
  add<K extends KindName>(kind: K, target: ReflectorTarget<ObjectOf<K>>): this {
    const resource = kindResources[kind];
    const version = resource.versions[0]!;
    this.#missing += 1;
    const reflector = new Reflector<ObjectOf<K>>({
      source: new HttpListWatch({ client: this.#client, path: resourcePath(resource, version) }),
      target,
      prepare: (raw) => trimObject(kind, version, raw),
      log: this.#log,
      onSynced: () => {
        this.#missing -= 1;
        if (this.#missing === 0) this.#synced.resolve();
      },
    });
    this.#reflectors.push(reflector as unknown as Reflector<never>);
    return this;
  }

  /** Settles when the first lists of all are complete. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }
}

/** Reflectors that keep a directory of Services. */
export function serviceReflectors(
  client: KubeClient,
  log: Logger,
  directory: ServiceDirectory,
): ReflectorGroup {
  const services: ReflectorTarget<Service> = directory.services;
  const slices: ReflectorTarget<EndpointSlice> = directory.endpointSlices;
  return new ReflectorGroup(client, log).add('Service', services).add('EndpointSlice', slices);
}
