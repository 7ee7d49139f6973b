import { DescriptorLedger } from './descriptor-ledger.ts';
import { MisuseError, SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

/** `recv` and friends: nothing to read or no room to write now; wait for readiness. */
export const WOULD_BLOCK = -1;
/** `recv` and friends: the call failed; `lastError` tells why. */
export const FAILED = -2;

const live = new Set<number>();
let ledger: DescriptorLedger | undefined;

/** Descriptors that this thread has opened through this package and not closed: tests prove that it goes back. */
export function openDescriptors(): readonly number[] {
  return [...live];
}

/** From now on what this thread opens is noted where another thread can read it: see {@link closeLeftBehind}. */
export function noteDescriptors(shared: SharedArrayBuffer): void {
  ledger = new DescriptorLedger(shared);
  for (const fd of live) ledger.opened(fd);
}

/**
 * Closes what a thread has left open that did not come to do it itself.
 *
 * @param shared what it was given for {@link noteDescriptors}; it must have ended
 * @returns how many
 */
export function closeLeftBehind(shared: SharedArrayBuffer): number {
  const left = new DescriptorLedger(shared).takeAll();
  for (const fd of left) libc.close(fd);
  return left.length;
}

/** Closes everything that this thread still has open: the last act of a data worker that dies of a defect. */
export function closeAllDescriptors(): void {
  for (const fd of live) {
    ledger?.closing(fd);
    libc.close(fd);
  }
  live.clear();
}

/** Bounds the descriptors that somebody may have at a time. */
export interface DescriptorQuota {
  /** Takes one. @returns why there is none left for this one; then nothing is taken */
  take(): Error | undefined;
  giveBack(): void;
}

/**
 * A file descriptor with one owner. Closing is idempotent; using it closed is a MisuseError, never another
 * connection's descriptor.
 */
export class Descriptor {
  #fd: number;
  #quota: DescriptorQuota | undefined;

  constructor(fd: number) {
    this.#fd = fd;
    live.add(fd);
    ledger?.opened(fd);
  }

  /** The number, for a call. */
  get fd(): number {
    if (this.#fd < 0) throw new MisuseError('the descriptor is closed');
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  /** What it counts under. */
  get quota(): DescriptorQuota | undefined {
    return this.#quota;
  }

  /** Counts it until it is closed. @throws what the quota says against it */
  chargeTo(quota: DescriptorQuota | undefined): void {
    const refusal = quota?.take();
    if (refusal !== undefined) throw refusal;
    this.#quota = quota;
  }

  close(): void {
    if (this.#fd < 0) return;
    live.delete(this.#fd);
    ledger?.closing(this.#fd);
    libc.close(this.#fd);
    this.#fd = -1;
    this.#quota?.giveBack();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Result of a call that returns a new descriptor, checked. */
export function owned(syscall: string, result: number, subject?: string): Descriptor {
  if (result < 0) throw new SystemError(syscall, libc.errno(), subject);
  return new Descriptor(result);
}

/** Result of a call that returns 0, checked. */
export function checked(syscall: string, result: number, subject?: string): void {
  if (result < 0) throw new SystemError(syscall, libc.errno(), subject);
}

/** The longest value of an option here: TCP_CA_NAME_MAX of <linux/tcp.h>, its final NUL included. */
const MAX_OPTION_BYTES = 16;
/** A value, and behind it the length that getsockopt(2) reads and writes. */
const option = new IoBuffer(MAX_OPTION_BYTES + 4);
const optionPointer = option.addressOf(0, option.length);
const optionLengthPointer = optionPointer + MAX_OPTION_BYTES;

/** Sets an `int` socket option. */
export function setIntOption(fd: number, level: number, name: number, value: number, subject: string): void {
  option.bytes.writeInt32LE(value, 0);
  checked('setsockopt', libc.setsockopt(fd, level, name, optionPointer, 4), subject);
}

/** Sets an `int` socket option where the kernel may lack it; false when it was refused. */
export function trySetIntOption(fd: number, level: number, name: number, value: number): boolean {
  option.bytes.writeInt32LE(value, 0);
  return libc.setsockopt(fd, level, name, optionPointer, 4) === 0;
}

/** As `trySetIntOption`, an option whose value is a name of up to 15 characters. */
export function trySetTextOption(fd: number, level: number, name: number, value: string): boolean {
  const length = option.bytes.write(value, 0, MAX_OPTION_BYTES - 1, 'latin1');
  return libc.setsockopt(fd, level, name, optionPointer, length) === 0;
}

/** Sets `SO_LINGER` to zero seconds, so that closing resets the connection. */
export function setAbortiveClose(fd: number): void {
  option.bytes.writeInt32LE(1, 0);
  option.bytes.writeInt32LE(0, 4);
  libc.setsockopt(fd, libc.SOL_SOCKET, 13, optionPointer, 8);
}

/** Reads an `int` socket option. */
export function getIntOption(fd: number, level: number, name: number, subject: string): number {
  option.bytes.writeUInt32LE(4, MAX_OPTION_BYTES);
  checked('getsockopt', libc.getsockopt(fd, level, name, optionPointer, optionLengthPointer), subject);
  return option.bytes.readInt32LE(0);
}

/** Reads an option whose value is a name of up to 15 characters. */
export function getTextOption(fd: number, level: number, name: number, subject: string): string {
  option.bytes.writeUInt32LE(MAX_OPTION_BYTES, MAX_OPTION_BYTES);
  checked('getsockopt', libc.getsockopt(fd, level, name, optionPointer, optionLengthPointer), subject);
  return option.bytes.toString('latin1', 0, option.bytes.indexOf(0)); // the kernel ends it with NUL
}
