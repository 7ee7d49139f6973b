import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { childNode } from './child-node.ts';
import { fieldNameOf, normalizeElement, printElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

const noMembers: ReadonlySet<PathElement> = new Set();
const noChildren: ReadonlyMap<PathElement, FieldSet> = new Map();

/**
 * A set of paths in an object, as a tree: what one manager owns. A path can be in the set without those below it, and
 * the other way round. Operations return new sets and may share parts.
 */
export class FieldSet {
  static readonly empty = new FieldSet(noMembers, noChildren);

  readonly members: ReadonlySet<PathElement>;
  readonly children: ReadonlyMap<PathElement, FieldSet>;

  constructor(members: ReadonlySet<PathElement>, children: ReadonlyMap<PathElement, FieldSet>) {
    this.members = members;
    this.children = children;
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  has(path: readonly PathElement[]): boolean {
    if (path.length === 0) return false;
    const [first = '', ...rest] = path;
    return rest.length === 0 ? this.members.has(first) : (this.children.get(first)?.has(rest) ?? false);
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [element, child] of other.children) {
      const mine = children.get(element);
      children.set(element, mine === undefined ? child : mine.union(child));
    }
    return new FieldSet(new Set([...this.members, ...other.members]), children);
  }

  /** What is in this set and not in the other; a path removed leaves those below it. */
  difference(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return this;
    return this.#withChildren(
      keep(this.members, (element) => !other.members.has(element)),
      (element, child) => {
        const theirs = other.children.get(element);
        return theirs === undefined ? child : child.difference(theirs);
      },
    );
  }

  /** The same, but a path removed takes all below it along. */
  withoutTrees(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return this;
    return this.#withChildren(
      keep(this.members, (element) => !other.members.has(element)),
      (element, child) => {
        if (other.members.has(element)) return FieldSet.empty;
        const theirs = other.children.get(element);
        return theirs === undefined ? child : child.withoutTrees(theirs);
      },
    );
  }

  intersection(other: FieldSet): FieldSet {
    return this.#withChildren(
      keep(this.members, (element) => other.members.has(element)),
      (element, child) => {
        const theirs = other.children.get(element);
        return theirs === undefined ? FieldSet.empty : child.intersection(theirs);
      },
    );
  }

  /** This set with every field of the schema a member that has members below it: owning a part owns the whole. */
  withNamedParents(node: SchemaNode | undefined): FieldSet {
    const members = new Set(this.members);
    const children = new Map<PathElement, FieldSet>();
    for (const [element, child] of this.children) {
      const name = fieldNameOf(element);
      if (name !== undefined && node?.properties.has(name) === true) members.add(element);
      children.set(element, child.withNamedParents(childNode(node, element)));
    }
    return new FieldSet(members, children);
  }

  /** Every path of the set, parents before children. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    for (const element of this.members) yield [...prefix, element];
    for (const [element, child] of this.children) yield* child.paths([...prefix, element]);
  }

  #withChildren(
    members: ReadonlySet<PathElement>,
    change: (element: PathElement, child: FieldSet) => FieldSet,
  ): FieldSet {
    const children = new Map<PathElement, FieldSet>();
    for (const [element, child] of this.children) {
      const changed = change(element, child);
      if (!changed.isEmpty) children.set(element, changed);
    }
    return new FieldSet(members, children);
  }

  /** As `fieldsV1` of a managedFields entry, names in order. */
  toFieldsV1(): JsonObject {
    const out: JsonObject = {};
    for (const element of [...this.members, ...this.children.keys()].sort()) {
      if (Object.hasOwn(out, element)) continue;
      const child = this.children.get(element)?.toFieldsV1() ?? {};
      out[element] = this.children.has(element) && this.members.has(element) ? { '.': {}, ...child } : child;
    }
    return out;
  }

  /** Reads `fieldsV1`; undefined if it is not what writers of managedFields make. */
  static fromFieldsV1(fields: unknown, depth = 0): FieldSet | undefined {
    if (!isJsonObject(fields) || depth > maxDepth) return undefined;
    const members = new Set<PathElement>();
    const children = new Map<PathElement, FieldSet>();
    for (const [key, value] of Object.entries(fields)) {
      if (key === '.') continue;
      const element = normalizeElement(key);
      const below = FieldSet.fromFieldsV1(value, depth + 1);
      if (element === undefined || below === undefined) return undefined;
      if (!below.isEmpty) children.set(element, below);
      if (below.isEmpty || Object.hasOwn(value as JsonObject, '.')) members.add(element);
    }
    return new FieldSet(members, children);
  }
}

/** Deeper nesting is no object of Kubernetes; walking it would overflow the stack. */
const maxDepth = 500;

function keep(
  members: ReadonlySet<PathElement>,
  wanted: (element: PathElement) => boolean,
): ReadonlySet<PathElement> {
  return members.size === 0 ? members : new Set([...members].filter(wanted));
}

/** Collects paths into a set. */
export class FieldSetBuilder {
  readonly #members = new Set<PathElement>();
  readonly #children = new Map<PathElement, FieldSetBuilder>();

  /** The empty path is the object itself, which nobody owns: it is not added. */
  insert(path: readonly PathElement[]): void {
    if (path.length === 0) return;
    const parent = path.slice(0, -1).reduce<FieldSetBuilder>((at, element) => at.#child(element), this);
    parent.#members.add(path[path.length - 1]!);
  }

  #child(element: PathElement): FieldSetBuilder {
    let child = this.#children.get(element);
    if (child === undefined) this.#children.set(element, (child = new FieldSetBuilder()));
    return child;
  }

  build(): FieldSet {
    return new FieldSet(
      this.#members,
      new Map([...this.#children].map(([element, child]) => [element, child.build()])),
    );
  }
}

/** The set of these paths, each a list of field names. */
export function fieldSetOf(paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path.map((name) => `f:${name}`));
  return builder.build();
}

/** For people: `.spec.ports[port=80,protocol="TCP"].name`. */
export function printPath(path: readonly PathElement[]): string {
  return path.map(printElement).join('');
}
