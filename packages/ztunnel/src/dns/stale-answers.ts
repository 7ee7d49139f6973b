import { setTtl } from './answer.ts';
import type { DnsQuery } from './message.ts';
import { HEADER_BYTES, OPCODE_QUERY, flags } from './message.ts';

/** Time to live that a stale answer is given, in seconds (RFC 8767 section 4). */
const STALE_TTL_SECONDS = 30;
/** Older than this nothing is served (RFC 8767 section 5: one to three days). */
const MAX_AGE_MS = 24 * 3_600_000;
/** An answer that is longer is not kept. */
const MAX_ANSWER_BYTES = 2048;
const MAX_ENTRIES = 256;
/** Of a pod in one worker, answers and keys together. */
const MAX_BYTES = 64 * 1024;

interface Entry {
  /** As upstream sent it. */
  readonly answer: Buffer;
  readonly questionEnd: number;
  readonly bytes: number;
  readonly keptAtMs: number;
}

/**
 * The last answers of upstream to one pod, for the time when upstream is down (RFC 8767): a question is never answered from
 * here while upstream does. Bounded; what has not been asked for the longest goes first.
 */
export class StaleAnswers {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** Of answers and keys. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy. @param answer positive and whole */
  keep(key: string, query: DnsQuery, answer: Buffer, nowMs: number): void {
    this.#remove(key);
    if (answer.length > MAX_ANSWER_BYTES) return;
    const bytes = answer.length + key.length;
    this.#entries.set(key, {
      answer: Buffer.from(answer),
      questionEnd: query.questionEnd,
      bytes,
      keptAtMs: nowMs,
    });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) break;
      this.#remove(oldest);
    }
  }

  /** A copy of the answer that was kept, with a short TTL; undefined if there is none that is good enough. */
  find(key: string, nowMs: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (nowMs - entry.keptAtMs > MAX_AGE_MS) {
      this.#remove(key);
      return undefined;
    }
    const answer = Buffer.from(entry.answer);
    return setTtl(answer, answer.length, entry.questionEnd, STALE_TTL_SECONDS) ? answer : undefined;
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/**
 * Under which an answer is kept: questions that are equal in what an answer depends on. Undefined if an answer is good for
 * this question alone.
 */
export function staleKey(message: Buffer, query: DnsQuery): string | undefined {
  if (query.edns?.hasOptions === true || query.opcode !== OPCODE_QUERY) return undefined;
  const kept = query.flags & (flags.recursionDesired | flags.checkingDisabled);
  const edns = query.edns === undefined ? '-' : query.edns.dnssecOk ? 'D' : 'E';
  // The client's case is part of the key, since the answer repeats it.
  return `${kept}${edns}${message.toString('latin1', HEADER_BYTES, query.questionEnd)}`;
}
