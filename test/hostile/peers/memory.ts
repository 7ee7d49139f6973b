import { readFileSync } from 'node:fs';

/** Anonymous resident memory of a process in bytes: heap and buffers, without the pages of the program itself (proc(5)). */
export function anonymousBytes(pid: number): number {
  const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  if (found === null) throw new Error(`process ${pid} has no RssAnon`);
  return Number(found[1]) * 1024;
}
