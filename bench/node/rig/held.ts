import { readdirSync } from 'node:fs';
import { countDescriptors, memoryBytes } from '@ambient/testkit/lab';

/** What a process holds now. */
export interface Held {
  readonly descriptors: number;
  readonly sockets: number;
  readonly threads: number;
  /** Without the mapped files that processes share. */
  readonly memoryBytes: number;
}

export function heldBy(pid: number): Held {
  return {
    descriptors: countDescriptors(pid),
    sockets: countDescriptors(pid, 'socket'),
    threads: readdirSync(`/proc/${pid}/task`).length,
    memoryBytes: memoryBytes(pid, 'RssAnon'),
  };
}
