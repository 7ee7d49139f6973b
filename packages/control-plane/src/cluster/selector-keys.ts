// Finding the services that select a workload without looking at every service of the namespace. A selector
// stands under one key; a workload asks for every key under which a selector that its labels satisfy can stand.
// What is found still has to be matched in full.

/**
 * Labels by which teams and charts tell their services apart. A selector stands under all of these that it
 * names together, so that many releases of one chart, or many charts in one release, spread well.
 */
const DISTINGUISHING = [
  'app',
  'app.kubernetes.io/component',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/name',
] as const;

const isDistinguishing = (label: string): boolean => (DISTINGUISHING as readonly string[]).includes(label);

/** JSON, so that no value can pass for another pair. */
const keyOf = (namespace: string, pairs: readonly (readonly [string, string])[]): string =>
  `${namespace}/${JSON.stringify(pairs)}`;

/** The key of a selector; undefined for one that is absent or empty, which selects nothing here. */
export function selectorKey(
  namespace: string,
  selector: Readonly<Record<string, string>> | undefined,
): string | undefined {
  if (typeof selector !== 'object' || selector === null) return undefined;
  const pairs: [string, string][] = [];
  for (const label of DISTINGUISHING) {
    const value = selector[label];
    if (typeof value === 'string') pairs.push([label, value]);
  }
  if (pairs.length > 0) return keyOf(namespace, pairs);
  // Long values tell more than short ones ("true", "web"); the name decides between equals.
  let chosen: [string, string] | undefined;
  for (const pair of Object.entries(selector)) {
    // Of a custom resource without a schema: no label has such a value.
    if (typeof pair[1] !== 'string') return undefined;
    if (chosen === undefined || isMoreTelling(pair, chosen)) chosen = pair;
  }
  return chosen === undefined ? undefined : keyOf(namespace, [chosen]);
}

function isMoreTelling(pair: readonly [string, string], than: readonly [string, string]): boolean {
  if (pair[1].length !== than[1].length) return pair[1].length > than[1].length;
  return pair[0] < than[0];
}

/** Every key under which a selector that these labels satisfy can stand: each once, at most 15 + labels. */
export function labelKeys(namespace: string, labels: Readonly<Record<string, string>> | undefined): string[] {
  if (labels === undefined) return [];
  let sets: (readonly [string, string])[][] = [[]];
  for (const label of DISTINGUISHING) {
    const value = labels[label];
    if (value !== undefined) sets = sets.concat(sets.map((set) => [...set, [label, value] as const]));
  }
  const keys = sets.filter((set) => set.length > 0).map((set) => keyOf(namespace, set));
  for (const pair of Object.entries(labels)) {
    if (!isDistinguishing(pair[0])) keys.push(keyOf(namespace, [pair]));
  }
  return keys;
}
