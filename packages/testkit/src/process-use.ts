import { readFileSync } from 'node:fs';
import { statFields } from './netns/run-id.ts';

/** What a process has used of processors since it was started, user and system time together, seconds. */
export interface ProcessorTime {
  readonly own: number;
  /** Of processes that it has started and that have ended. */
  readonly children: number;
}

/** Fields of /proc/PID/stat counted from the third; the system time follows the user time: proc_pid_stat(5). */
const USER_TIME = 11;
const CHILDREN_USER_TIME = 13;
/** USER_HZ, which Linux fixes at 100 for user space on x64 and arm64. */
const TICKS_PER_SECOND = 100;

/** @throws Error for a process that has ended */
export function processorTime(pid: number): ProcessorTime {
  const fields = statFields(pid);
  if (fields === undefined) throw new Error(`process ${pid} has ended`);
  const pair = (at: number): number => (Number(fields[at]) + Number(fields[at + 1])) / TICKS_PER_SECOND;
  return { own: pair(USER_TIME), children: pair(CHILDREN_USER_TIME) };
}

/**
 * Memory of a process in bytes, by its name in proc_pid_status(5): `RssAnon` is without the mapped files that processes
 * share, `VmRSS` with them, `VmHWM` the most that this ever was.
 *
 * @throws Error of node:fs, or one that says what is missing, for a process that has ended
 */
export function memoryBytes(pid: number, name: 'RssAnon' | 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  // One that has ended and was not waited for has a status without memory.
  if (found === null) throw new Error(`process ${pid} has no ${name}`);
  return Number(found[1]) * 1024;
}
