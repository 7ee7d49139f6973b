import type { Manifest, TestApi } from './test-api.ts';

/** The objects that a test makes. They go with it: the API server may be one that stays. */
export class TestObjects implements AsyncDisposable {
  readonly #api: TestApi;
  readonly #made: Manifest[] = [];

  constructor(api: TestApi) {
    this.#api = api;
  }

  async create(object: Manifest): Promise<Manifest> {
    await this.#api.create(object);
    this.#made.push(object);
    return object;
  }

  createNamespace(name: string): Promise<Manifest> {
    return this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** Takes away what was made last first, so that a namespace outlives what is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const object of this.#made.splice(0).toReversed())
      if (object.kind === 'Namespace') await this.#api.deleteNamespace(object.metadata.name);
      else await this.#api.delete(object);
  }
}
