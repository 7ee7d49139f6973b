import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isAbandoned, isJudgeable, labProcesses, parseRunId } from './run-id.ts';

/** Prefix of the directory of one lab; the rest of its name is the run id. */
export const LAB_DIRECTORY_PREFIX = 'ambient-lab-';

/** No run of tests lasts this long: the age at which a directory goes whose owner cannot be judged from here. */
const STALE_MS = 24 * 3600 * 1000;

export interface SweepResult {
  readonly killed: readonly number[];
  readonly removed: readonly string[];
}

/**
 * Ends what labs of dead owners left behind: processes that bear such a lab's run id, and its directory below `parent`.
 * The kernel removes a namespace, its links and its rules with its last process, so these two are all there can be. Whether
 * an owner in another PID namespace is dead cannot be told: its processes died with that namespace, and its directory goes
 * by age.
 */
export function sweepAbandonedLabs(parent: string): SweepResult {
  const killed: number[] = [];
  for (const [pid, run] of labProcesses()) {
    const id = parseRunId(run);
    if (id === undefined || !isAbandoned(id)) continue;
    try {
      process.kill(pid, 'SIGKILL');
      killed.push(pid);
    } catch {
      // it ended by itself between the listing and now
    }
  }
  const removed: string[] = [];
  for (const entry of readdirSync(parent)) {
    if (!entry.startsWith(LAB_DIRECTORY_PREFIX)) continue;
    const id = parseRunId(entry.slice(LAB_DIRECTORY_PREFIX.length));
    if (id === undefined) continue;
    if (!(isJudgeable(id) ? isAbandoned(id) : isStale(join(parent, entry)))) continue;
    rmSync(join(parent, entry), { recursive: true, force: true });
    removed.push(entry);
  }
  return { killed, removed };
}

function isStale(path: string): boolean {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > STALE_MS;
}
