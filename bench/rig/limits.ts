import { readFileSync } from 'node:fs';

/** What a proxy needs besides two descriptors a connection. */
const SPARE_DESCRIPTORS = 200;
const WANTED_CONNECTIONS = 10_000;

/** Connections that one hop can carry under this process's limit of open files: at most 10,000. */
export function connectionLimit(): number {
  const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  const limit = Number(line?.[1] ?? 1024);
  return Math.min(WANTED_CONNECTIONS, Math.floor((limit - SPARE_DESCRIPTORS) / 2));
}
