import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * A number that is the same for all who run under this kernel, in whatever container, and another one on another machine or
 * after the next boot: from the kernel's boot_id (random(4)), which is not told itself.
 * @returns 32 bits; undefined where the kernel does not tell
 */
export function machineId(): number | undefined {
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return createHash('sha256').update(`ambient machine ${bootId}`).digest().readUInt32BE(0);
  } catch {
    return undefined;
  }
}
