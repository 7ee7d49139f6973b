import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const SYS_SCHED_SETATTR = process.arch === 'arm64' ? 274 : 314;
const SYS_SCHED_GETATTR = process.arch === 'arm64' ? 275 : 315;
/** `struct sched_attr` as of its first version: sched_setattr(2). */
const ATTR_BYTES = 48;
const RUNTIME_AT = 24;

/**
 * Asks the kernel to run the calling thread in slices of this length: when it wakes it is let in earlier, and it is put
 * off earlier too, so that its share of the CPU stays what it was. Linux 6.12 and later heed it for ordinary threads;
 * older kernels take no notice.
 * @param nanoseconds 100,000 to 100,000,000
 * @returns false when the kernel refused
 */
export function requestTimeSlice(nanoseconds: number): boolean {
  const attributes = new IoBuffer(ATTR_BYTES);
  const pointer = attributes.addressOf(0, ATTR_BYTES);
  if (libc.syscall(SYS_SCHED_GETATTR, 0, pointer, ATTR_BYTES, 0) < 0) return false;
  attributes.bytes.writeUInt32LE(ATTR_BYTES, 0);
  attributes.bytes.writeBigUInt64LE(BigInt(nanoseconds), RUNTIME_AT);
  return libc.syscall(SYS_SCHED_SETATTR, 0, pointer, 0, 0) === 0;
}
