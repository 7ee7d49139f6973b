import { cpSync, existsSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { closureOf, readLockfile } from './closure.ts';

const architectures: Readonly<Record<string, string>> = { x64: 'x64', arm64: 'arm64' };

/** Not part of the program: tests, what only they use, and what is generated from something else. */
const leftOut = /\.(test|test-data)\.ts$|\/(testing|golden)$|\/node_modules\/.*\.d\.[cm]?ts$|\.md$|\.map$/;

/**
 * Puts a part of the mesh together below `stage`, as an image has it: `app/` with our sources and what they import, and
 * `node`, the Node.js that runs them.
 *
 * @param part name of the package
 */
export function stagePart(root: string, part: string, stage: string): void {
  rmSync(stage, { recursive: true, force: true });
  const app = join(stage, 'app');
  const { own, installed } = closureOf(readLockfile(root), `packages/${part}`);
  for (const path of own) {
    for (const entry of ['package.json', 'src', 'bin', 'proto'])
      if (existsSync(join(root, path, entry))) copy(join(root, path, entry), join(app, path, entry));
    link(`packages/${basename(path)}`, join(app, 'node_modules/@ambient', basename(path)), app);
  }
  for (const path of installed) {
    // A package nested in another one came with it; one for another kind of machine was not installed.
    if (!existsSync(join(app, path)) && existsSync(join(root, path))) copy(join(root, path), join(app, path));
  }
  if (existsSync(join(root, 'proto'))) copy(join(root, 'proto'), join(app, 'proto'));
  copy(join(root, 'package.json'), join(app, 'package.json'));
  const architecture = architectures[process.arch];
  if (architecture === undefined)
    throw new Error(`no image for processor ${process.arch}; x64 and arm64 are supported`);
  copy(join(root, `node_modules/node-linux-${architecture}/bin/node`), join(stage, 'node'));
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    dereference: false,
    filter: (path) => !leftOut.test(path) || isLicence(path),
  });
}

/** Licences go with what they are about. */
function isLicence(path: string): boolean {
  return /^(licen[cs]e|notice|copying)/i.test(basename(path));
}

function link(target: string, at: string, app: string): void {
  mkdirSync(dirname(at), { recursive: true });
  const to = relative(dirname(at), join(app, target));
  if (existsSync(at) && readlinkSync(at) === to) return;
  symlinkSync(to, at);
}
