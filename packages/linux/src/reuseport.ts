import { trySetIntOption } from './descriptor.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

const SO_ATTACH_REUSEPORT_CBPF = 51;
const SO_DETACH_REUSEPORT_BPF = 68;
/** BPF_RET | BPF_K of <linux/bpf_common.h>: ends the program with a constant. */
const RETURN_CONSTANT = 0x06;
const FILTER_BYTES = 8;
const PROGRAM_BYTES = 16;

const memory = new IoBuffer(FILTER_BYTES + PROGRAM_BYTES);

/**
 * New connections of a port go to the listener of this index, among all that share it by SO_REUSEPORT; to any of them where
 * there is none of that index (socket(7), SO_ATTACH_REUSEPORT_CBPF). Listeners are counted in the order in which they began
 * to listen; when one closes, the last takes its place.
 * @returns false when the kernel refuses
 */
export function steerReusePort(fd: number, index: number): boolean {
  const { bytes } = memory;
  bytes.writeUInt16LE(RETURN_CONSTANT, 0);
  bytes.writeUInt16LE(0, 2);
  bytes.writeUInt32LE(index, 4);
  bytes.writeUInt16LE(1, FILTER_BYTES);
  bytes.writeBigUInt64LE(BigInt(memory.addressOf(0, FILTER_BYTES)), FILTER_BYTES + 8);
  const program = memory.addressOf(FILTER_BYTES, PROGRAM_BYTES);
  return libc.setsockopt(fd, libc.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, PROGRAM_BYTES) === 0;
}

/** All listeners of the port get their part again, whoever has steered before. */
export function unsteerReusePort(fd: number): void {
  trySetIntOption(fd, libc.SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0); // ENOENT: nobody has
}
