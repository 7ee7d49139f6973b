/**
 * Writes `charts/base/crds/`: one file for each kind, from the descriptions in this folder.
 *
 * `node scripts/crds/print.ts` writes; with `--check` it only compares, and exits 1 when a file is stale, missing or left over.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { customResourceDefinition } from './definition.ts';
import { kinds } from './kinds.ts';

/** Where the definitions are checked in. */
export const crdFolder = path.resolve(import.meta.dirname, '../../charts/base/crds');

const banner = '# Printed from scripts/crds by `npm run generate:crds`. Do not edit.\n';

/** Every file of the folder: name to content. */
export function printed(): Map<string, string> {
  return new Map(
    kinds.map((kind) => [
      `${kind.group}_${kind.plural}.yaml`,
      banner + stringify(customResourceDefinition(kind), { aliasDuplicateObjects: false, lineWidth: 120 }),
    ]),
  );
}

/** Names of files that differ from what the descriptions give, or that no description gives. */
export function staleFiles(): string[] {
  const expected = printed();
  const present = readdirSync(crdFolder);
  return [
    ...present.filter((name) => !expected.has(name)),
    ...[...expected]
      .filter(
        ([name, content]) =>
          !present.includes(name) || content !== readFileSync(path.join(crdFolder, name), 'utf8'),
      )
      .map(([name]) => name),
  ];
}

function write(): void {
  mkdirSync(crdFolder, { recursive: true });
  const expected = printed();
  for (const name of readdirSync(crdFolder)) if (!expected.has(name)) rmSync(path.join(crdFolder, name));
  for (const [name, content] of expected) writeFileSync(path.join(crdFolder, name), content);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles();
    if (stale.length > 0) {
      console.error(`Stale: ${stale.join(', ')}. Run npm run generate:crds and commit charts/base/crds.`);
      process.exitCode = 1;
    }
  } else {
    write();
  }
}
