import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** A directory for the files of one task, removed with everything in it. */
export interface TaskDirectory extends Disposable {
  readonly path: string;
}

/** The tour's cluster writes about 1 MB, the tests' programs and logs some tens. */
const neededBytes = 50e6;

/** `parent` takes no directory: it is full, or not for this user. */
export class TaskDirectoryError extends Error {
  readonly code = 'TASK_DIRECTORY';

  constructor(parent: string, cause: unknown) {
    super(
      `no directory for temporary files can be made in ${parent} (${(cause as Error).message}). ` +
        'Make room there; or TMPDIR=/another/directory in front of the command takes another one.',
      { cause },
    );
    this.name = 'TaskDirectoryError';
  }
}

/**
 * Makes `ambient-TASK-PID-XXXXXX` in `parent`. Removes those of tasks whose processes were all killed at once: nobody was
 * left to do that.
 *
 * @param needed free bytes, without which it is not made
 * @throws TaskDirectoryError
 */
export function makeTaskDirectory(task: string, parent: string, needed = neededBytes): TaskDirectory {
  try {
    sweepAbandoned(task, parent);
    demandSpace(parent, needed);
    const path = mkdtempSync(join(parent, `ambient-${task}-${process.pid}-`));
    return {
      path,
      [Symbol.dispose]: () => {
        rmSync(path, { recursive: true, force: true });
      },
    };
  } catch (error) {
    throw new TaskDirectoryError(parent, error);
  }
}

function demandSpace(parent: string, needed: number): void {
  const { bavail, blocks, bsize } = statfsSync(parent);
  // Some file systems tell no sizes.
  if (blocks > 0 && bavail * bsize < needed)
    throw new Error(`${Math.floor((bavail * bsize) / 1e6)} MB are free, ${needed / 1e6} MB are needed`);
}

function sweepAbandoned(task: string, parent: string): void {
  const pattern = new RegExp(`^ambient-${task}-(\\d+)-\\w+$`);
  for (const name of readdirSync(parent)) {
    const pid = pattern.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      continue; // somebody else's
    }
  }
}
