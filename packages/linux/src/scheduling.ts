import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const SYS_SCHED_SETATTR = process.arch === 'arm64' ? 274 : 314;
const SYS_SCHED_GETATTR = process.arch === 'arm64' ? 275 : 315;
const SYS_SCHED_SETAFFINITY = process.arch === 'arm64' ? 122 : 203;
const SYS_SCHED_GETAFFINITY = process.arch === 'arm64' ? 123 : 204;
/** Of 8192 CPUs, the most that Linux can be built for; a mask that is too small is refused. */
const MASK_BYTES = 1024;
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

/**
 * Keeps the calling thread and `of - 1` siblings on CPUs of their own: this one on every `of`-th of those that it may use.
 * Where others keep all CPUs busy, the kernel leaves threads that wake each other together on one of them, and while one works
 * the others wait until it sleeps or a tick of the clock ends its slice: 4 ms at 250 Hz, whatever slice was asked for.
 * @param index 0 to `of - 1`
 * @returns false when there are fewer CPUs than siblings, or the kernel refused: things are as they were
 */
export function keepApart(index: number, of: number): boolean {
  const mask = new IoBuffer(MASK_BYTES);
  const pointer = mask.addressOf(0, MASK_BYTES);
  if (libc.syscall(SYS_SCHED_GETAFFINITY, 0, MASK_BYTES, pointer, 0) < 0) return false;
  if (!keepEach(mask.bytes, index, of)) return false;
  return libc.syscall(SYS_SCHED_SETAFFINITY, 0, MASK_BYTES, pointer, 0) === 0;
}

/**
 * Leaves of the bits that are set each `of`-th one from `index` on.
 * @param mask of CPUs, as sched_setaffinity(2) takes it: the lowest bit of the first byte is the first CPU (on a
 *   little-endian machine)
 * @returns false, and leaves all, when there are fewer than `of`
 */
export function keepEach(mask: Uint8Array, index: number, of: number): boolean {
  const set: number[] = [];
  for (let cpu = 0; cpu < mask.length * 8; cpu++) if ((mask[cpu >> 3]! >> (cpu & 7)) & 1) set.push(cpu);
  if (set.length < of) return false;
  mask.fill(0);
  for (let i = index; i < set.length; i += of) mask[set[i]! >> 3]! |= 1 << (set[i]! & 7);
  return true;
}
