/** A line that no object of Kubernetes can be (its store takes 1.5 MB): what is sent is not a watch. */
export class LineTooLongError extends Error {
  readonly code = 'LINE_TOO_LONG';
  constructor(limit: number) {
    super(`a line of more than ${limit} bytes; check that the address is that of a Kubernetes API server`);
    this.name = 'LineTooLongError';
  }
}

/** Cuts a stream of bytes into lines; keeps the unfinished last one, which is not reported. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(onLine: (line: string) => void, maxBytes = 32 * 1024 * 1024) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of a line whose end has not come. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** @throws LineTooLongError, and what the callback throws */
  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      if (end === -1) break;
      const tail = chunk.subarray(start, end);
      start = end + 1;
      const line = this.#parts.length === 0 ? tail : Buffer.concat([...this.#parts, tail]);
      this.#parts = [];
      this.#bytes = 0;
      if (line.length > 0) this.#onLine(line.toString('utf8'));
    }
    if (start === chunk.length) return;
    this.#parts.push(chunk.subarray(start));
    this.#bytes += chunk.length - start;
    if (this.#bytes > this.#maxBytes) throw new LineTooLongError(this.#maxBytes);
  }
}
