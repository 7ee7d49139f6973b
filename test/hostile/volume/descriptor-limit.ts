import { readFileSync } from 'node:fs';

/** What a process of ours needs beside its connections. */
const RESERVE = 500;

/**
 * How many of `wanted` connections a proxy of two sockets each could hold here at the most: descriptors per process are
 * limited (`ulimit -Hn`), and Node.js raises its own limit up to that.
 */
export function connectionsWithin(wanted: number): number {
  const row = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  const limit = row?.[1] === 'unlimited' ? Infinity : Number(row?.[1]);
  const possible = Math.min(wanted, limit - RESERVE);
  if (possible < wanted)
    console.log(
      `      ${possible} instead of ${wanted} connections: raise the limit of open files (ulimit -Hn)`,
    );
  return possible;
}
