import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';

import type { Clock } from '@ambient/runtime';

/** A line longer than this is written in parts, the last of which is marked F, the others P. */
const longestPartBytes = 16 * 1024;
/** What one file holds before it is moved aside; one older file is kept. */
const rotateBytes = 10 * 1024 * 1024;

/**
 * The log of one run of a container in the format of the CRI: `2026-01-02T03:04:05.678901234Z stdout F text`. Bounded: when the
 * file is full it becomes `PATH.1`, in place of an earlier one.
 */
export class CriLog {
  readonly path: string;
  readonly #clock: Clock;
  readonly #rotateBytes: number;
  #fd: number;
  #bytes = 0;
  /** Nanoseconds of the last line: no two have the same time. */
  #lastNs = 0n;

  constructor(path: string, clock: Clock, rotateAtBytes: number = rotateBytes) {
    this.path = path;
    this.#clock = clock;
    this.#rotateBytes = rotateAtBytes;
    mkdirSync(dirname(path), { recursive: true });
    this.#fd = openSync(path, 'a');
  }

  /** Writes what a stream brings, until it ends. Files are on this machine: writing them does not wait. */
  follow(stream: Readable, name: 'stdout' | 'stderr'): void {
    let rest: Buffer = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const parts: Buffer[] = [];
      let from = 0;
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, from)) {
        for (; end - from > longestPartBytes; from += longestPartBytes)
          parts.push(this.#line(name, 'P', data.subarray(from, from + longestPartBytes)));
        parts.push(this.#line(name, 'F', data.subarray(from, end)));
        from = end + 1;
      }
      for (; data.length - from >= longestPartBytes; from += longestPartBytes)
        parts.push(this.#line(name, 'P', data.subarray(from, from + longestPartBytes)));
      rest = data.subarray(from);
      if (parts.length > 0) this.#write(Buffer.concat(parts));
    });
    stream.once('close', () => {
      if (rest.length > 0) this.#write(this.#line(name, 'F', rest));
      rest = Buffer.alloc(0);
    });
    stream.on('error', () => undefined);
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #line(stream: string, tag: 'F' | 'P', text: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.#timestamp()} ${stream} ${tag} `), text, Buffer.from('\n')]);
  }

  #timestamp(): string {
    const nowNs = BigInt(this.#clock.nowMs()) * 1_000_000n;
    this.#lastNs = nowNs > this.#lastNs ? nowNs : this.#lastNs + 1n;
    const seconds = new Date(Number(this.#lastNs / 1_000_000n)).toISOString().slice(0, 19);
    return `${seconds}.${String(this.#lastNs % 1_000_000_000n).padStart(9, '0')}Z`;
  }

  #write(bytes: Buffer): void {
    if (this.#fd < 0) return;
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#rotateBytes) this.#rotate();
    writeSync(this.#fd, bytes);
    this.#bytes += bytes.length;
  }

  #rotate(): void {
    closeSync(this.#fd);
    renameSync(this.path, `${this.path}.1`);
    this.#fd = openSync(this.path, 'a');
    this.#bytes = 0;
  }
}
