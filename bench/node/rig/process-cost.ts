import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { statFields } from '@ambient/testkit/lab';

/** What a process has used of processors since it was started, seconds. */
export interface ProcessorTime {
  readonly own: number;
  /** Of processes that it has started and that have ended. */
  readonly tools: number;
}

/** What a process holds now. */
export interface Held {
  readonly descriptors: number;
  readonly sockets: number;
  readonly threads: number;
  /** Without the mapped files that processes share. */
  readonly memoryBytes: number;
}

/** Fields of /proc/PID/stat counted from the third, in hundredths of a second: proc_pid_stat(5). */
const USER_TIME = 11;
const CHILDREN_USER_TIME = 13;
const TICKS_PER_SECOND = 100;

export function processorTime(pid: number): ProcessorTime {
  const fields = statFields(pid);
  const pair = (at: number): number => (Number(fields?.[at]) + Number(fields?.[at + 1])) / TICKS_PER_SECOND;
  return { own: pair(USER_TIME), tools: pair(CHILDREN_USER_TIME) };
}

export function heldBy(pid: number): Held {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  const memory = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    descriptors: links.length,
    sockets: links.filter((link) => link.startsWith('socket:')).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    memoryBytes: Number(memory) * 1024,
  };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}
