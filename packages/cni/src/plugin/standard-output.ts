import { writeSync } from 'node:fs';

/** How bytes get to standard output. */
export interface OutputWays {
  /** @returns how many were taken; throws EAGAIN when none can be now, where the runtime has made its end non-blocking */
  readonly now: (bytes: Uint8Array) => number;
  /** Takes all, sooner or later. */
  readonly later: (bytes: Uint8Array) => void;
}

const ways: OutputWays = {
  now: (bytes) => writeSync(1, bytes),
  later: (bytes) => void process.stdout.write(bytes),
};

/**
 * Writes to standard output. At once, if it can be: the stream that Node has for it takes 5 ms to make.
 * @returns whether all is written, so that the process may end
 */
export function writeOutput(text: string, { now, later }: OutputWays = ways): boolean {
  let rest: Uint8Array = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(now(rest));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    later(rest);
    return false;
  }
}
