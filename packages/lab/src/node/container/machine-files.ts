import { constants, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import type { MachineFiles } from './mount-plan.ts';

/** Whether a directory may not be reached at its own place in a container, since another one lies over it or is closed to others. */
export function isOutOfReach(path: string): boolean {
  if (/^\/(tmp|run)\//.test(path)) return true;
  for (let above = dirname(path); above !== '/'; above = dirname(above))
    if (machineFiles.isClosed(above)) return true;
  return false;
}

/** The files of the machine that this process sees. */
export const machineFiles: MachineFiles = {
  kind(path) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 'none';
    if (found.isSymbolicLink()) return 'link';
    return found.isDirectory() ? 'directory' : 'file';
  },
  link: (path) => readlinkSync(path),
  entries: (path) => readdirSync(path),
  isClosed(path) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isDirectory() === true && (found.mode & constants.S_IXOTH) === 0;
  },
};
