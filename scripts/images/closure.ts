import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What of package-lock.json is read (lockfileVersion 3). */
interface LockedPackage {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}
export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** What a part is made of, as paths below the project's root. */
export interface Closure {
  /** Of our own packages: `packages/NAME`. */
  readonly own: readonly string[];
  /** Of others' packages: `node_modules/NAME`, or nested in one of those. */
  readonly installed: readonly string[];
}

export function readLockfile(root: string): Lockfile {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
}

/**
 * Everything that a package of ours needs at run time, by the lockfile: its dependencies and theirs, none of which is for
 * development only.
 *
 * @param start such as `packages/ztunnel`
 * @throws Error naming a dependency that the lockfile does not have
 */
export function closureOf({ packages }: Lockfile, start: string): Closure {
  const own = new Set<string>();
  const installed = new Set<string>();
  const visit = (path: string): void => {
    const entry = packages[path];
    if (entry === undefined) throw new Error(`package-lock.json has no ${path}`);
    const target = entry.link === true ? entry.resolved! : path;
    const known = target.startsWith('packages/') ? own : installed;
    if (known.has(target)) return;
    known.add(target);
    const {
      dependencies = {},
      optionalDependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = packages[target]!;
    for (const name of Object.keys(dependencies)) visit(locate(packages, target, name)!);
    for (const name of Object.keys(optionalDependencies)) {
      const found = locate(packages, target, name, true);
      if (found !== undefined) visit(found);
    }
    for (const name of Object.keys(peerDependencies)) {
      const found = locate(packages, target, name, peerDependenciesMeta[name]?.optional === true);
      if (found !== undefined) visit(found);
    }
  };
  visit(start);
  return { own: [...own].toSorted(), installed: [...installed].toSorted() };
}

/** Where Node finds a package that is imported from another: beside it, or in a folder above. */
function locate(
  packages: Lockfile['packages'],
  from: string,
  name: string,
  optional = false,
): string | undefined {
  for (let folder = from; ; folder = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : '') {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (folder === '') break;
  }
  if (optional) return undefined;
  throw new Error(`${from} depends on ${name}, which package-lock.json does not have`);
}
