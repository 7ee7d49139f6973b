import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A directory for the files of one task, removed with everything in it. */
export interface TaskDirectory extends Disposable {
  readonly path: string;
}

/** `parent` takes no directory: it is full, or not for this user. */
export class TaskDirectoryError extends Error {
  readonly code = 'TASK_DIRECTORY';

  constructor(parent: string, cause: unknown) {
    super(
      `no directory for temporary files can be made in ${parent} (${(cause as Error).message}). ` +
        'Is the disk full? TMPDIR=/another/directory in front of the command takes another one.',
      { cause },
    );
    this.name = 'TaskDirectoryError';
  }
}

/**
 * Makes `ambient-TASK-PID-XXXXXX` in `parent`. Removes those of tasks whose processes were all killed at once: nobody was
 * left to do that.
 *
 * @throws TaskDirectoryError
 */
export function makeTaskDirectory(task: string, parent: string): TaskDirectory {
  try {
    sweepAbandoned(task, parent);
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
