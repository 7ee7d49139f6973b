// Processes of pods, as the machine under the lab has them.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A process in a pod's namespaces; none of a pod on the node's network.
 *
 * @param directory what the node has for /proc
 */
export function processOf(directory: string, uid: string): string | undefined {
  const inPath = `pod${uid.replaceAll('-', '_')}.`;
  return readdirSync(directory).find((pid) => {
    try {
      return readFileSync(join(directory, pid, 'cgroup'), 'latin1').includes(inPath);
    } catch {
      return false; // has ended
    }
  });
}

/** All processes in the network namespaces of these. */
export function processesWith(members: readonly string[]): string[] {
  const namespaces = new Set(members.map((pid) => readlinkSync(`/proc/${pid}/ns/net`)));
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && namespaces.has(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      return false; // has ended
    }
  });
}

export function signalAll(pids: readonly string[], signal: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(Number(pid), signal);
    } catch {
      // has ended meanwhile
    }
}

/** Name of a process's program; empty if it has ended. */
export function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return '';
  }
}
