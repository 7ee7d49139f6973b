import { decode, encode } from 'dns-packet';
import type { Answer } from 'dns-packet';
import type { Logger } from '@ambient/runtime';

import { decide, responseCodes } from './answer.ts';
import type { ResponseCode, ZoneAnswer } from './answer.ts';
import type { Forwarder } from './forwarder.ts';
import { datagramLimit, headerOnly, readQuery, writeResponse } from './message.ts';
import type { Query } from './message.ts';
import type { Zone } from './zone.ts';

export interface ResolverOptions {
  readonly zone: Zone;
  /** Such as `cluster.local`, in lower case. */
  readonly zoneName: string;
  readonly forwarder: Forwarder;
  /** Whether the zone is known: until then nobody is told that a name does not exist. */
  readonly isReady: () => boolean;
  /** Unix time in milliseconds. */
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: Logger;
}

const largestMessage = 65_535;
/** External names that lead to external names of the same cluster, at most. */
const longestChain = 8;

/** Answers messages of clients, over whatever transport they came. */
export class Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** The answer to one message; undefined for what is not to be answered. Never rejects. */
  async answer(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const incoming = readQuery(message);
    if (incoming.kind === 'ignored') return undefined;
    if (incoming.kind === 'refused') return incoming.response;
    const { query } = incoming;
    try {
      return await this.#answer(query, message, transport);
    } catch (error) {
      this.#options.log.warn('a query could not be answered', {
        name: query.question.name,
        error: error instanceof Error ? error.message : String(error),
      });
      // Nothing of what could not be answered is written again: it may be that which cannot be written.
      return headerOnly(message, responseCodes.serverFailure);
    }
  }

  async #answer(query: Query, message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
    const { zone, zoneName, forwarder, isReady, nowMs } = this.#options;
    if (!isReady()) return this.#coded(query, transport, responseCodes.serverFailure);
    const serial = Math.floor(nowMs() / 1000);
    const decision = decide(query.question, zone, zoneName, serial);
    if (decision.kind === 'elsewhere')
      return forwarder.hasUpstreams
        ? await forwarder.ask(message, transport)
        : this.#coded(query, transport, decision.withoutOthers);
    const answer =
      decision.continueAt === undefined ? decision : await this.#continue(query, decision, serial);
    return this.#write(query, transport, { ...answer, answers: this.#shuffled(answer.answers) });
  }

  /** What is at the end of an external name: a client does not go on by itself. */
  async #continue(query: Query, first: ZoneAnswer, serial: number): Promise<ZoneAnswer> {
    const { zone, zoneName, forwarder } = this.#options;
    const { type } = query.question;
    let answer = first;
    for (let links = 0; answer.continueAt !== undefined && links < longestChain; links++) {
      const question = { type, class: 'IN' as const, name: answer.continueAt };
      const next = decide(question, zone, zoneName, serial);
      if (next.kind === 'answer') {
        // There is the alias, whatever it leads to (RFC 6604 section 3).
        const { continueAt: _, ...known } = answer;
        answer = { ...known, ...next, answers: [...answer.answers, ...next.answers] };
        if (next.continueAt === undefined) break;
        continue;
      }
      const { continueAt: _, ...known } = answer;
      if (!forwarder.hasUpstreams) return known;
      const asked = encode({ type: 'query', id: 0, flags: 0x100, questions: [question] });
      const far = decode(await forwarder.ask(asked, 'udp'));
      return { ...known, answers: [...known.answers, ...(far.answers ?? [])] };
    }
    return answer;
  }

  #coded(query: Query, transport: 'udp' | 'tcp', code: ResponseCode): Buffer {
    return this.#write(query, transport, { code, answers: [], authorities: [], additionals: [] }, false);
  }

  #write(
    query: Query,
    transport: 'udp' | 'tcp',
    answer: Pick<ZoneAnswer, 'code' | 'answers' | 'authorities' | 'additionals'>,
    authoritative = true,
  ): Buffer {
    return writeResponse(query, answer, {
      limit: transport === 'udp' ? datagramLimit(query) : largestMessage,
      authoritative,
      recursion: this.#options.forwarder.hasUpstreams,
    });
  }

  /** Clients take the first address: each gets another one. What is behind an alias stays behind it. */
  #shuffled(records: readonly Answer[]): readonly Answer[] {
    if (records.some(({ type }) => type === 'CNAME')) return records;
    const shuffled = [...records];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = Math.floor(this.#options.random() * (last + 1));
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    return shuffled;
  }
}
