import { apiVersionOf } from './resource.ts';
import type { Resource, ServedResource } from './resource.ts';

/** The resources that are served at the moment; CRDs come and go. */
export class ResourceRegistry {
  readonly #byPath = new Map<string, ServedResource>();
  readonly #byKind = new Map<string, ServedResource>();
  readonly #resources = new Map<string, Resource>();
  #generation = 0;

  constructor(builtIn: Iterable<Resource>) {
    for (const resource of builtIn) this.add(resource);
  }

  /** Changes with every resource that comes or goes; for documents that are made from all of them. */
  get generation(): number {
    return this.#generation;
  }

  /** Serves a resource, in place of one of the same name. */
  add(resource: Resource): void {
    this.remove(resource.group, resource.plural);
    this.#resources.set(`${resource.plural}.${resource.group}`, resource);
    for (const version of resource.versions) {
      if (!version.served) continue;
      const served = { resource, version };
      const apiVersion = apiVersionOf(resource.group, version.name);
      this.#byPath.set(`${apiVersion}/${resource.plural}`, served);
      this.#byKind.set(`${apiVersion}/${resource.kind}`, served);
    }
    this.#generation++;
  }

  remove(group: string, plural: string): void {
    const resource = this.#resources.get(`${plural}.${group}`);
    if (resource === undefined) return;
    this.#resources.delete(`${plural}.${group}`);
    for (const version of resource.versions) {
      const apiVersion = apiVersionOf(group, version.name);
      this.#byPath.delete(`${apiVersion}/${plural}`);
      this.#byKind.delete(`${apiVersion}/${resource.kind}`);
    }
    this.#generation++;
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(`${apiVersionOf(group, version)}/${plural}`);
  }

  findKind(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  get(group: string, plural: string): Resource | undefined {
    return this.#resources.get(`${plural}.${group}`);
  }

  all(): IterableIterator<Resource> {
    return this.#resources.values();
  }

  /** Groups in order of appearance, the core group first, each with its served versions in order of preference. */
  groups(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const resource of this.#resources.values()) {
      const versions = groups.get(resource.group) ?? [];
      for (const version of resource.versions)
        if (version.served && !versions.includes(version.name)) versions.push(version.name);
      if (versions.length > 0) groups.set(resource.group, versions);
    }
    for (const versions of groups.values()) versions.sort(byStability);
    return groups;
  }

  inVersion(group: string, version: string): ServedResource[] {
    const found: ServedResource[] = [];
    for (const resource of this.#resources.values()) {
      if (resource.group !== group) continue;
      const match = resource.versions.find((each) => each.name === version && each.served);
      if (match !== undefined) found.push({ resource, version: match });
    }
    return found;
  }
}

/** v2 before v1 before v1beta2 before v1alpha1, then other names (CRD "Version priority"). */
export function byStability(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  if (left === undefined || right === undefined)
    return left === right ? a.localeCompare(b) : left === undefined ? 1 : -1;
  return right.stage - left.stage || right.major - left.major || right.minor - left.minor;
}

function parts(name: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(name);
  if (match === null) return undefined;
  const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return { stage, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
