import type { EndpointSlice, ReflectorTarget, Service } from '@ambient/kube';
import { objectKey } from '@ambient/kube';

/** The label by which a slice names its Service (discovery/v1). */
const serviceNameLabel = 'kubernetes.io/service-name';

/** A Service and all that stands behind it. */
export interface ServiceEntry {
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

/**
 * Services and their EndpointSlices, as two reflectors keep them, by `namespace/name` of the Service. One change names one
 * Service.
 */
export class ServiceDirectory {
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>();
  readonly #onChange: (key: string) => void;

  /** @param onChange given the key of a Service of which something has changed */
  constructor(onChange: (key: string) => void) {
    this.#onChange = onChange;
  }

  /** Where the reflector of Services writes. */
  readonly services: ReflectorTarget<Service> = {
    get: (key) => this.#services.get(key),
    keys: () => [...this.#services.keys()],
    put: (key, service) => {
      this.#services.set(key, service);
      this.#onChange(key);
    },
    remove: (key) => {
      if (this.#services.delete(key)) this.#onChange(key);
    },
  };

  /** Where the reflector of EndpointSlices writes. */
  readonly endpointSlices: ReflectorTarget<EndpointSlice> = {
    get: (key) => this.#slices.get(key),
    keys: () => [...this.#slices.keys()],
    put: (key, slice) => {
      const before = serviceOf(this.#slices.get(key));
      const after = serviceOf(slice);
      this.#slices.set(key, slice);
      if (before !== undefined && before !== after) this.#forget(before, key);
      if (after === undefined) return;
      let slices = this.#slicesOf.get(after);
      if (slices === undefined) this.#slicesOf.set(after, (slices = new Map<string, EndpointSlice>()));
      slices.set(key, slice);
      this.#onChange(after);
    },
    remove: (key) => {
      const service = serviceOf(this.#slices.get(key));
      this.#slices.delete(key);
      if (service !== undefined) this.#forget(service, key);
    },
  };

  keys(): Iterable<string> {
    return this.#services.keys();
  }

  entry(key: string): ServiceEntry {
    return { service: this.#services.get(key), slices: [...(this.#slicesOf.get(key)?.values() ?? [])] };
  }

  #forget(service: string, slice: string): void {
    const slices = this.#slicesOf.get(service);
    slices?.delete(slice);
    if (slices?.size === 0) this.#slicesOf.delete(service);
    this.#onChange(service);
  }
}

function serviceOf(slice: EndpointSlice | undefined): string | undefined {
  const name = slice?.metadata.labels?.[serviceNameLabel];
  if (slice === undefined || name === undefined || name === '') return undefined;
  return objectKey({ metadata: { ...slice.metadata, name } });
}
