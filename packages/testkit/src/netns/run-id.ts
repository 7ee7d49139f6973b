import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Identity of one lab: the process that owns it, told apart from a later process with the same number by its start time,
 * and from a process of another container by its PID namespace. A lab needs no state file: whether it is abandoned can be
 * read off the id itself.
 */
export interface RunId {
  /** Inode of the owner's PID namespace. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** Start time of the owner in clock ticks since boot (proc_pid_stat(5), field 22). */
  readonly startTime: string;
  /** Counts the labs of one process. */
  readonly serial: number;
}

/** Every process of a lab carries its run id in this variable of its environment, and so do that process's children. */
export const RUN_ID_VARIABLE = 'AMBIENT_LAB_RUN';

export function formatRunId(id: RunId): string {
  return `${id.pidNamespace}-${id.pid}-${id.startTime}-${id.serial}`;
}

/** Returns undefined for text that is not a run id. */
export function parseRunId(text: string): RunId | undefined {
  const match = /^(\d+)-(\d+)-(\d+)-(\d+)$/.exec(text);
  if (match === null) return undefined;
  const [, pidNamespace, pid, startTime, serial] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { pidNamespace, pid: Number(pid), startTime, serial: Number(serial) };
}

/** The fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets; [0] is field 3. */
export function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .trimEnd()
      .split(' ');
  } catch {
    return undefined; // the process is gone, which is an answer and no failure
  }
}

const START_TIME = 19; // field 22

let serial = 0;

/** A new id for a lab that this process owns. */
export function newRunId(): RunId {
  serial += 1;
  return {
    pidNamespace: ownPidNamespace(),
    pid: process.pid,
    startTime: statFields(process.pid)?.[START_TIME] ?? '0',
    serial,
  };
}

/** False for an owner in another PID namespace, which may be alive out of sight. */
export function isJudgeable(id: RunId): boolean {
  return id.pidNamespace === ownPidNamespace();
}

/** True if the owner is known to have died. An owner in another PID namespace cannot be judged from here: false. */
export function isAbandoned(id: RunId): boolean {
  if (!isJudgeable(id)) return false;
  const fields = statFields(id.pid);
  return fields === undefined || fields[START_TIME] !== id.startTime || fields[0] === 'Z';
}

/** The lab that a process belongs to, or undefined: none, or a process whose environment we may not read. */
function runIdOf(pid: number): string | undefined {
  try {
    const prefix = `${RUN_ID_VARIABLE}=`;
    const entry = readFileSync(`/proc/${pid}/environ`, 'latin1')
      .split('\0')
      .find((line) => line.startsWith(prefix));
    return entry?.slice(prefix.length);
  } catch {
    return undefined;
  }
}

/** Every live process of which we can tell that it belongs to a lab, by PID. */
export function labProcesses(): Map<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const run = pid === process.pid ? undefined : runIdOf(pid);
    if (run !== undefined && statFields(pid)?.[0] !== 'Z') found.set(pid, run);
  }
  return found;
}

function ownPidNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
}
