import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { SettingsHost } from '../settings.ts';

/** This machine, for `loadZtunnelSettings`. Relative paths are taken from the working directory, as Istio does. */
export const systemSettingsHost: SettingsHost = {
  readFile(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  },
  exists: existsSync,
  cpuCount: availableParallelism(),
  descriptorLimit: openFilesLimit(readFileSync('/proc/self/limits', 'latin1')),
};

/** The soft limit, which Node raises to the hard one as it starts. */
function openFilesLimit(limits: string): number {
  const text = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  return text === undefined || text === 'unlimited' ? Infinity : Number(text);
}
