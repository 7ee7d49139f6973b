import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { labProcesses } from './netns/run-id.ts';

/** Open file descriptors of one process, counted by what they are. */
export type DescriptorCounts = Readonly<Record<string, number>>;

/** What can leak, at one moment. */
export interface LeakSnapshot {
  /** By the caller's name of each process; a process that has ended has no entry. */
  readonly descriptors: Readonly<Record<string, DescriptorCounts>>;
  /** By namespace: sockets as `tcp ESTABLISHED 10.0.0.1:80`, with how often each occurs. */
  readonly sockets: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Processes of the lab as `PID command`. */
  readonly processes: readonly string[];
  /** Network namespaces that processes of the lab live in, by inode. */
  readonly namespaces: readonly string[];
}

export interface LeakScope {
  /** Processes whose descriptors are counted, by a name for messages. */
  readonly pids?: Readonly<Record<string, number>>;
  /** Namespaces whose sockets are listed: a name, and a process that lives inside. */
  readonly namespaces?: readonly { readonly name: string; readonly holderPid: number }[];
  /** The lab whose processes and namespaces are listed. */
  readonly runId?: string;
}

/** Thrown by `assertNoLeak`; the message is a diff, one line per leaked kind. */
export class LeakError extends Error {
  override readonly name = 'LeakError';
  readonly code = 'ERR_LEAK';
}

/** Reads /proc; takes some milliseconds, changes nothing. */
export function takeLeakSnapshot(scope: LeakScope): LeakSnapshot {
  const descriptors: Record<string, DescriptorCounts> = {};
  for (const [name, pid] of Object.entries(scope.pids ?? {})) {
    const counts = descriptorCounts(pid);
    if (counts !== undefined) descriptors[name] = counts;
  }
  const sockets: Record<string, Record<string, number>> = {};
  for (const { name, holderPid } of scope.namespaces ?? []) sockets[name] = socketCounts(holderPid);
  const pids =
    scope.runId === undefined
      ? []
      : [...labProcesses()].filter(([, run]) => run === scope.runId).map(([pid]) => pid);
  return {
    descriptors,
    sockets,
    processes: pids.map((pid) => `${pid} ${commandName(pid)}`),
    namespaces: [...new Set(pids.flatMap(netnsInode))],
  };
}

/**
 * What `after` holds that `before` did not, as lines for a person; empty if nothing leaked. Fewer of something is no
 * leak. Processes that have ended in between count as clean.
 */
export function diffLeaks(before: LeakSnapshot, after: LeakSnapshot): string[] {
  const lines: string[] = [];
  for (const [name, counts] of Object.entries(after.descriptors)) {
    const grown = grownCounts(before.descriptors[name] ?? {}, counts);
    lines.push(...grown.map(([kind, from, to]) => `descriptors of ${name}: ${kind} ${from} -> ${to}`));
  }
  for (const [name, counts] of Object.entries(after.sockets)) {
    const grown = grownCounts(before.sockets[name] ?? {}, counts);
    lines.push(...grown.map(([kind, from, to]) => `sockets in ${name}: ${kind} ${from} -> ${to}`));
  }
  const had = new Set(before.processes);
  lines.push(...after.processes.filter((entry) => !had.has(entry)).map((entry) => `process left: ${entry}`));
  const hadNamespaces = new Set(before.namespaces);
  lines.push(
    ...after.namespaces
      .filter((inode) => !hadNamespaces.has(inode))
      .map((inode) => `network namespace left: ${inode}`),
  );
  return lines;
}

/**
 * Takes snapshots until nothing has leaked against `before`, or throws `LeakError` at the deadline (milliseconds) with
 * what still had. Closing takes a moment in the kernel, which is no leak; hence the deadline.
 */
export async function assertNoLeak(before: LeakSnapshot, scope: LeakScope, deadlineMs = 5000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const leaks = diffLeaks(before, takeLeakSnapshot(scope));
    if (leaks.length === 0) return;
    if (performance.now() >= deadline)
      throw new LeakError(`leaked, ${deadlineMs} ms after the end:\n  ${leaks.join('\n  ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Number of descriptors that a process has open, all or those of one kind, such as `socket`; 0 if it has ended. */
export function countDescriptors(pid: number, kind?: string): number {
  const counts = descriptorCounts(pid) ?? {};
  if (kind !== undefined) return counts[kind] ?? 0;
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** `socket:[123]` becomes `socket`, `anon_inode:[eventpoll]` stays, files are named by path; undefined if it ended. */
function descriptorCounts(pid: number): DescriptorCounts | undefined {
  let entries: string[];
  try {
    entries = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return undefined;
  }
  const counts: Record<string, number> = {};
  for (const entry of entries) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${entry}`);
    } catch {
      continue; // closed between the listing and now
    }
    const kind = target.replace(/:\[\d+\]$/, '');
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

const TCP_STATES: Readonly<Record<string, string>> = {
  '01': 'ESTABLISHED',
  '02': 'SYN_SENT',
  '03': 'SYN_RECV',
  '04': 'FIN_WAIT1',
  '05': 'FIN_WAIT2',
  '06': 'TIME_WAIT',
  '07': 'CLOSE',
  '08': 'CLOSE_WAIT',
  '09': 'LAST_ACK',
  '0A': 'LISTEN',
  '0B': 'CLOSING',
};

/**
 * The namespace's TCP sockets by state and the port that is stable in them: a listener's own; else the peer's if that is
 * the lower, as ephemeral ports are above services. TIME_WAIT is the kernel's memory of a closed socket, no socket.
 */
function socketCounts(holderPid: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const table of ['tcp', 'tcp6']) {
    let text: string;
    try {
      text = readFileSync(`/proc/${holderPid}/net/${table}`, 'latin1');
    } catch {
      continue; // the namespace is gone, or the kernel has no IPv6
    }
    for (const row of text.split('\n').slice(1)) {
      const [, local, remote, state] = row.trim().split(/\s+/);
      const name = TCP_STATES[state ?? ''];
      if (local === undefined || remote === undefined || name === undefined || name === 'TIME_WAIT') continue;
      const localPort = parseInt(local.slice(-4), 16);
      const remotePort = parseInt(remote.slice(-4), 16);
      const where =
        name === 'LISTEN' || localPort < remotePort ? `on port ${localPort}` : `to port ${remotePort}`;
      const key = `${table} ${name} ${where}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  return counts;
}

function grownCounts(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): [string, number, number][] {
  return Object.entries(after)
    .map(([kind, count]): [string, number, number] => [kind, before[kind] ?? 0, count])
    .filter(([, from, to]) => to > from);
}

function commandName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
  } catch {
    return '(ended)';
  }
}

function netnsInode(pid: number): string[] {
  try {
    return [readlinkSync(`/proc/${pid}/ns/net`)];
  } catch {
    return [];
  }
}
