import { readdirSync } from 'node:fs';
import { countDescriptors, memoryBytes, processorTime, statFields } from '@ambient/testkit/lab';

/** What a hop has used: its process, its threads, and the children that its command may have started. */
export interface Usage {
  /** User and system time together. */
  readonly cpuSeconds: number;
  /** Anonymous resident memory in bytes: without the mapped files that processes share. */
  readonly rssAnonBytes: number;
  readonly descriptors: number;
}

const PROCESS_GROUP = 2; // field of /proc/PID/stat counted from the third

/** Sums over the process group that the program of a rig leads. */
export function readUsage(group: number): Usage {
  let [cpuSeconds, rssAnonBytes, descriptors] = [0, 0, 0];
  for (const entry of readdirSync('/proc')) {
    const pid = /^\d+$/.test(entry) ? Number(entry) : undefined;
    if (pid === undefined || Number(statFields(pid)?.[PROCESS_GROUP]) !== group) continue;
    cpuSeconds += orNothing(() => processorTime(pid).own);
    rssAnonBytes += orNothing(() => memoryBytes(pid, 'RssAnon'));
    descriptors += countDescriptors(pid);
  }
  return { cpuSeconds, rssAnonBytes, descriptors };
}

function orNothing(read: () => number): number {
  try {
    return read();
  } catch {
    return 0; // ended between the listing and now
  }
}
