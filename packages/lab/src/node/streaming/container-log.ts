import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { sleep } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import type { LogOptions } from './log-options.ts';

/** A part of a container's output. */
export interface LogPiece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const blockBytes = 64 * 1024;
/** How long a follower may wait for a line that has been written. */
const pollMs = 100;
const newline = 0x0a;

/**
 * Reads a container's log file, whose lines are in the format of the CRI: `TIME STREAM F|P TEXT`, where P is a part of a line
 * that goes on in the next one. What is no such line is left out. A file that is not there is an empty log.
 *
 * @param goesOn for followers: whether more may come
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  clock: Clock,
  goesOn: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<LogPiece, void, undefined> {
  let left = options.limitBytes ?? Infinity;
  for await (const line of readLines(path, options, clock, goesOn, signal)) {
    const piece = readLine(line, options);
    if (piece === undefined) continue;
    const bytes = piece.bytes.subarray(0, left);
    left -= bytes.length;
    yield { stream: piece.stream, bytes };
    if (left <= 0) return;
  }
}

async function* readLines(
  path: string,
  { tailLines, startAt, follow }: LogOptions,
  clock: Clock,
  goesOn: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let file = await openIfThere(path);
  try {
    let at =
      startAt ?? (file === undefined || tailLines === undefined ? 0 : await tailOffset(file, tailLines));
    let pending = Buffer.alloc(0);
    const block = Buffer.allocUnsafe(blockBytes);
    for (;;) {
      if (signal.aborted) return;
      // Asked before reading: what is written until then will be read.
      const more = follow && goesOn();
      // A file that was replaced is read to its end first.
      const replaced = await isReplaced(file, path, at);
      const { bytesRead = 0 } = (await file?.read(block, 0, blockBytes, at)) ?? {};
      if (bytesRead > 0) {
        at += bytesRead;
        const bytes = Buffer.concat([pending, block.subarray(0, bytesRead)]);
        let start = 0;
        for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
          yield bytes.subarray(start, end + 1);
          start = end + 1;
        }
        pending = Buffer.from(bytes.subarray(start));
        continue;
      }
      if (replaced) {
        await file?.close();
        file = await openIfThere(path);
        at = 0;
        pending = Buffer.alloc(0);
        if (file !== undefined) continue;
      }
      if (!more) return;
      await sleep(clock, pollMs, signal);
    }
  } finally {
    await file?.close();
  }
}

/** Rotated, or there at last. */
async function isReplaced(file: FileHandle | undefined, path: string, at: number): Promise<boolean> {
  try {
    const now = await stat(path);
    if (file === undefined) return true;
    return now.ino !== (await file.stat()).ino || now.size < at;
  } catch {
    return false;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where the last `lines` lines of a file begin. */
async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  let seen = 0;
  const block = Buffer.allocUnsafe(blockBytes);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    await file.read(block, 0, end - start, start);
    for (let i = end - start - 1; i >= 0; i--) {
      if (block[i] !== newline) continue;
      // The last line's own end, or that of one that is being written, is before what comes next.
      if (seen === lines) return start + i + 1;
      seen++;
    }
    end = start;
  }
  return seen < lines || lines > 0 ? 0 : size;
}

const linePattern = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) (F|P)(?::\S*)? /;

function readLine(line: Buffer, options: LogOptions): LogPiece | undefined {
  const head = line.toString('latin1', 0, Math.min(line.length, 100));
  const match = linePattern.exec(head);
  if (match === null) return undefined;
  const [prefix, time, stream, tag] = match as unknown as [string, string, LogPiece['stream'], string];
  if (options.stream !== undefined && options.stream !== stream) return undefined;
  if (options.sinceMs !== undefined && Date.parse(time) < options.sinceMs) return undefined;
  const text = line.subarray(prefix.length, tag === 'P' ? line.length - 1 : line.length);
  return { stream, bytes: options.timestamps ? Buffer.concat([Buffer.from(`${time} `), text]) : text };
}
