/**
 * Looks whether the pages of the project lead to what they name: `npm run check:links`. Seen are links within the
 * repository, with the heading after `#`, and between backticks paths of files and `npm run` commands. Addresses of other
 * sites are not asked.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a page is held against. Paths are relative to the root of the repository, with `/`. */
export interface Repository {
  exists(path: string): boolean;
  /** Text of a page that exists. */
  read(page: string): string;
  /** Names of npm's scripts. */
  readonly scripts: ReadonlySet<string>;
}

export interface DeadLink {
  readonly page: string;
  /** From 1. */
  readonly line: number;
  readonly what: string;
}

/** Folders whose files pages name in full; those of packages also as `hbone/src/pool.ts`. */
const TOP_FOLDERS = ['bench', 'charts', 'docs', 'images', 'packages', 'proto', 'scripts', 'test'];

/** Finds what a page names and the repository has not. */
export function deadLinks(page: string, repository: Repository): DeadLink[] {
  const dead: DeadLink[] = [];
  for (const { line, text } of prose(repository.read(page))) {
    const name = (what: string): void => void dead.push({ page, line, what });
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const problem = linkProblem(page, target, repository);
      if (problem !== undefined) name(`${target}: ${problem}`);
    }
    for (const [, code = ''] of text.matchAll(/`([^`]+)`/g)) {
      const problem = codeProblem(code, repository);
      if (problem !== undefined) name(`${code}: ${problem}`);
    }
  }
  return dead;
}

function linkProblem(page: string, target: string, repository: Repository): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', heading] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!repository.exists(file)) return 'there is no such file';
  if (heading !== undefined && !anchors(repository.read(file)).has(heading))
    return `${file} has no such heading`;
  return undefined;
}

function codeProblem(code: string, repository: Repository): string | undefined {
  const script = /^npm run ([a-z][a-z:-]*)/.exec(code)?.[1];
  if (script !== undefined)
    return repository.scripts.has(script) ? undefined : 'package.json has no such script';
  if (!/^[a-z-]+(\/[\w.-]+)+\/?$/.test(code)) return undefined;
  const [top = '', second] = code.split('/');
  const isPath = TOP_FOLDERS.includes(top) || (second === 'src' && repository.exists(`packages/${top}`));
  return !isPath || repository.exists(code) || repository.exists(`packages/${code}`)
    ? undefined
    : 'there is no such path';
}

/** Anchors of a page's headings, as GitHub makes them: repeated ones are numbered. */
function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const { text } of prose(markdown)) {
    const heading = /^#{1,6} (.*)$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    let unique = anchor;
    for (let n = 1; found.has(unique); n++) unique = `${anchor}-${n}`;
    found.add(unique);
  }
  return found;
}

/** Lines of a page that are not in a fenced block. */
function* prose(markdown: string): Generator<{ readonly line: number; readonly text: string }> {
  let fenced = false;
  for (const [index, text] of markdown.split('\n').entries())
    if (/^\s*```/.test(text)) fenced = !fenced;
    else if (!fenced) yield { line: index + 1, text };
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..', '..');
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const repository: Repository = {
    exists: (path) => existsSync(join(root, path)),
    read: (page) => readFileSync(join(root, page), 'utf8'),
    scripts: new Set(Object.keys(manifest.scripts)),
  };
  const pages = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules/**', 'bench/results/**'] });
  const dead = pages.sort().flatMap((page) => deadLinks(page, repository));
  for (const { page, line, what } of dead) console.error(`${page}:${line}: ${what}`);
  if (dead.length > 0) process.exitCode = 1;
  else console.log(`${pages.length} pages lead to what they name`);
}
