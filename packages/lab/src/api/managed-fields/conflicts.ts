import { printPath } from './field-set.ts';
import type { PathElement } from './path-element.ts';
import type { ManagerEntry } from './managers.ts';

/** A field that an applied object would change although another manager owns it. */
export interface Conflict {
  readonly owner: ManagerEntry;
  readonly path: readonly PathElement[];
}

/** What a 409 says of conflicts: message and causes of its Status. */
export interface ConflictReport {
  readonly message: string;
  readonly causes: readonly {
    readonly reason: 'FieldManagerConflict';
    readonly message: string;
    readonly field: string;
  }[];
}

/** Conflicts in the words of an API server, which `kubectl` prints and other clients parse. */
export function reportConflicts(conflicts: readonly Conflict[]): ConflictReport {
  const described = conflicts.map(({ owner, path }) => ({ by: describeOwner(owner), path: printPath(path) }));
  return {
    message: describe(described),
    causes: described.map(({ by, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${by}`,
      field: path,
    })),
  };
}

function describe(conflicts: readonly { by: string; path: string }[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${first.by}: ${first.path}`;
  const paths = new Map<string, string[]>();
  for (const { by, path } of conflicts) paths.set(by, [...(paths.get(by) ?? []), path]);
  const lines = [...paths.keys()]
    .sort()
    .flatMap((by) => [`conflicts with ${by}:`, ...paths.get(by)!.map((path) => `- ${path}`)]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function describeOwner({ id, time }: ManagerEntry): string {
  const name = JSON.stringify(id.name);
  const where = id.subresource === '' ? name : `${name} with subresource ${JSON.stringify(id.subresource)}`;
  if (id.operation === 'Apply') return where;
  return `${where} using ${id.apiVersion}${time === undefined ? '' : ` at ${time}`}`;
}
