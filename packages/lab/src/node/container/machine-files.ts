import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

import type { MachineFiles } from './mount-plan.ts';

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
};
