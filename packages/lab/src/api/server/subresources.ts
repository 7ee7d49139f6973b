import { unknownPath } from '../errors.ts';
import { storageKey } from '../resources/resource.ts';
import type { Resource } from '../resources/resource.ts';
import type { ResourceRequest } from './resource-request.ts';

/** Answers requests for a part of an object, such as a pod's log. Throws ApiError for what it refuses. */
export type SubresourceHandler = (request: ResourceRequest) => Promise<void> | void;

/** Parts of objects that are not stored as such. */
export class Subresources {
  readonly #handlers = new Map<string, SubresourceHandler>();

  /**
   * @param resource `plural.group`, with the dot for the core group too; `*` for all
   * @param name one segment, or more joined by slashes; a name that ends in `/*` takes whatever follows
   */
  register(resource: string, name: string, handler: SubresourceHandler): void {
    this.#handlers.set(`${resource}/${name}`, handler);
  }

  /** Names of the parts that a resource has, for discovery. */
  namesOf(resource: Resource): string[] {
    const prefix = `${storageKey(resource)}/`;
    return [...this.#handlers.keys()]
      .filter((key) => key.startsWith(prefix) && !key.endsWith('/*'))
      .map((key) => key.slice(prefix.length));
  }

  /** @throws ApiError 404 for a part that nobody serves */
  async handle(request: ResourceRequest): Promise<void> {
    const { resource, subresource = '' } = request.target;
    const key = storageKey(resource);
    const first = subresource.split('/')[0]!;
    const handler =
      this.#handlers.get(`${key}/${subresource}`) ??
      this.#handlers.get(`${key}/${first}/*`) ??
      this.#handlers.get(`*/${subresource}`);
    if (handler === undefined) throw unknownPath();
    await handler(request);
  }
}
