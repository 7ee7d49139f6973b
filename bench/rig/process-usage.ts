import { readdirSync, readFileSync } from 'node:fs';
import { countDescriptors, statFields } from '@ambient/testkit/lab';

/** What a hop has used: its process, its threads, and the children that its command may have started. */
export interface Usage {
  /** User and system time together. */
  readonly cpuSeconds: number;
  /** Anonymous resident memory in bytes: without the mapped files that processes share. */
  readonly rssAnonBytes: number;
  readonly descriptors: number;
}

/** USER_HZ, which Linux fixes at 100 for user space on x64 and arm64. */
const TICKS_PER_SECOND = 100;
const PROCESS_GROUP = 2; // fields of /proc/PID/stat counted from the third
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Sums over the process group that the program of a rig leads. */
export function readUsage(group: number): Usage {
  let [ticks, rss, descriptors] = [0, 0, 0];
  for (const entry of readdirSync('/proc')) {
    const fields = /^\d+$/.test(entry) ? statFields(Number(entry)) : undefined;
    if (fields === undefined || Number(fields[PROCESS_GROUP]) !== group) continue;
    ticks += Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
    rss += rssAnon(Number(entry));
    descriptors += countDescriptors(Number(entry));
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssAnonBytes: rss, descriptors };
}

function rssAnon(pid: number): number {
  try {
    const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0; // ended between the listing and now
  }
}
