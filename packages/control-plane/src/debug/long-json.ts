/** JSON of any length, made and written piece by piece, so that neither memory nor other clients suffer. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** A list whose entries are made while they are written. An entry that is undefined is left out. */
export class LongList {
  readonly items: Iterable<unknown>;

  constructor(items: Iterable<unknown>) {
    this.items = items;
  }
}

/** An object whose values may be long. Fields are made in their order, each when the one before is written. */
export class LongObject {
  readonly fields: Iterable<readonly [string, unknown]>;

  constructor(fields: Iterable<readonly [string, unknown]>) {
    this.fields = fields;
  }
}

const step = '  ';

/** The text of a value in pieces, one at most for each entry of a long list; '' where an entry was left out. */
export function* jsonPieces(value: unknown, indent = ''): Generator<string, void, undefined> {
  const inner = indent + step;
  let first = true;
  const next = (): string => {
    const separator = first ? `\n${inner}` : `,\n${inner}`;
    first = false;
    return separator;
  };
  if (value instanceof LongList) {
    yield '[';
    for (const item of value.items)
      if (item instanceof LongList || item instanceof LongObject) {
        yield next();
        yield* jsonPieces(item, inner);
      } else yield item === undefined ? '' : next() + plain(item, inner);
    yield first ? ']' : `\n${indent}]`;
  } else if (value instanceof LongObject) {
    yield '{';
    for (const [key, field] of value.fields) {
      if (field === undefined) continue;
      yield `${next()}${JSON.stringify(key)}: `;
      yield* jsonPieces(field, inner);
    }
    yield first ? '}' : `\n${indent}}`;
  } else yield plain(value, indent);
}

function plain(value: unknown, indent: string): string {
  return (JSON.stringify(value, undefined, step) ?? 'null').replaceAll('\n', `\n${indent}`);
}

/** How long pieces are made between two turns of the event loop, milliseconds. */
const defaultSliceMs = 5;

export interface WritingOptions {
  /** How long pieces are made between two turns of the event loop, milliseconds. */
  readonly sliceMs?: number;
  /** Lets the event loop turn. */
  readonly yieldTurn?: () => Promise<void>;
  readonly nowMs?: () => number;
}

/**
 * Writes pieces until there are no more or the reader is gone; waits while the reader takes nothing.
 *
 * @throws whatever making a piece throws; what was written stays written
 */
export async function writePieces(
  out: Writable,
  pieces: Iterator<string>,
  options: WritingOptions = {},
): Promise<void> {
  const { sliceMs = defaultSliceMs, yieldTurn = nextTurn, nowMs = () => performance.now() } = options;
  for (let done = false; !done && !out.destroyed;) {
    const untilMs = nowMs() + sliceMs;
    let text = '';
    do {
      const piece = pieces.next();
      if (piece.done === true) done = true;
      else text += piece.value;
    } while (!done && nowMs() < untilMs);
    if (text !== '' && !out.write(text)) await drained(out);
    // A socket that takes everything at once is drained before the event loop has turned.
    if (!done) await yieldTurn();
  }
}

/**
 * The whole text in UTF-8; undefined if it is longer than `maxBytes`. Lets the event loop turn as `writePieces` does: a text that
 * grew as a whole would have to be made flat at the end, at 2 ms a megabyte.
 */
export async function bytesOfPieces(
  pieces: Iterator<string>,
  maxBytes: number,
  yieldTurn: () => Promise<void> = nextTurn,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (let done = false; !done;) {
    const untilMs = performance.now() + defaultSliceMs;
    let text = '';
    do {
      const piece = pieces.next();
      if (piece.done === true) done = true;
      else text += piece.value;
    } while (!done && performance.now() < untilMs);
    const chunk = Buffer.from(text);
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
    if (chunks.length > 1 || !done) await yieldTurn();
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function drained(out: Writable): Promise<void> {
  if (out.destroyed) return;
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(out, 'drain', { signal }), once(out, 'close', { signal })]);
  } finally {
    over.abort();
  }
}
