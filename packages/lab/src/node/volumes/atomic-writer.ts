import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import type { Payload } from './payload.ts';

const current = '..data';

/**
 * Makes a directory hold exactly these files, seen all at once: as a kubelet does, the files stand in a directory with a name
 * of its own, `..data` points to it, and the visible names point through `..data`.
 *
 * @returns whether anything has changed
 */
export function writeAtomically(directory: string, payload: Payload): boolean {
  mkdirSync(directory, { recursive: true });
  const version = `..${fingerprint(payload)}`;
  const before = linkIn(directory, current);
  if (before === version) return false;
  const fresh = join(directory, version);
  for (const [path, { content, mode }] of payload) {
    const file = join(fresh, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  }
  mkdirSync(fresh, { recursive: true });
  const pointer = join(directory, '..data_tmp');
  rmSync(pointer, { force: true });
  symlinkSync(version, pointer);
  renameSync(pointer, join(directory, current));
  const names = new Set([...payload.keys()].map((path) => path.split('/')[0]!));
  for (const name of names)
    if (lstatSync(join(directory, name), { throwIfNoEntry: false }) === undefined)
      symlinkSync(`${current}/${name}`, join(directory, name));
  for (const name of readdirSync(directory)) {
    const old = name.startsWith('..') ? name !== current && name !== version : !names.has(name);
    if (old) rmSync(join(directory, name), { recursive: true, force: true });
  }
  return true;
}

function fingerprint(payload: Payload): string {
  const hash = createHash('sha256');
  for (const [path, { content, mode }] of payload)
    hash.update(JSON.stringify([path, mode, content.length])).update(content);
  return hash.digest('hex').slice(0, 24);
}

function linkIn(directory: string, name: string): string | undefined {
  try {
    return readlinkSync(join(directory, name));
  } catch {
    return undefined; // not written yet
  }
}
