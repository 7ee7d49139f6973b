interface Node<T> {
  readonly children: Map<string, Node<T>>;
  values: T[];
}

/**
 * Values under wildcard names such as `*.example.com`, found by the names that they cover. A tree by labels from the right, so
 * that a name costs as many steps as it shares labels with a wildcard, however many labels it has and wildcards there are.
 */
export class WildcardIndex<T> {
  readonly #root: Node<T> = { children: new Map(), values: [] };

  /** @param name begins with `*.`; see {@link isWildcard} */
  add(name: string, value: T): void {
    let node = this.#root;
    for (let end = name.length; end > 1;) {
      const dot = name.lastIndexOf('.', end - 1);
      const label = name.slice(dot + 1, end);
      let child = node.children.get(label);
      if (child === undefined) {
        child = { children: new Map(), values: [] };
        node.children.set(label, child);
      }
      node = child;
      end = dot;
    }
    node.values.push(value);
  }

  /** Forgets a value; one that is not there is no error. */
  remove(name: string, value: T): void {
    this.#remove(this.#root, name, name.length, value);
  }

  #remove(node: Node<T>, name: string, end: number, value: T): void {
    if (end <= 1) {
      node.values = node.values.filter((other) => other !== value);
      return;
    }
    const dot = name.lastIndexOf('.', end - 1);
    const label = name.slice(dot + 1, end);
    const child = node.children.get(label);
    if (child === undefined) return;
    this.#remove(child, name, dot, value);
    if (child.values.length === 0 && child.children.size === 0) node.children.delete(label);
  }

  /**
   * The first that `choose` takes of those whose wildcard covers `name`, the nearest wildcard first: for `a.b.c` that is `*.b.c`,
   * then `*.c`. A wildcard stands for one label or more.
   * @param choose is given the values of one wildcard
   */
  find<R>(name: string, choose: (values: readonly T[]) => R | undefined): R | undefined {
    return findBelow(this.#root, name, name.length, choose);
  }
}

function findBelow<T, R>(
  node: Node<T>,
  name: string,
  end: number,
  choose: (values: readonly T[]) => R | undefined,
): R | undefined {
  if (node.children.size > 0) {
    const dot = name.lastIndexOf('.', end - 1);
    // The first label is what the wildcard stands for, so it is never looked up.
    const child = dot <= 0 ? undefined : node.children.get(name.slice(dot + 1, end));
    const nearer = child === undefined ? undefined : findBelow(child, name, dot, choose);
    if (nearer !== undefined) return nearer;
  }
  return node.values.length === 0 ? undefined : choose(node.values);
}

/** Whether a hostname stands for all names below another. */
export function isWildcard(hostname: string): boolean {
  return hostname.startsWith('*.') && hostname.length > 2;
}
