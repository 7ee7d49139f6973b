import { IoBuffer } from '@ambient/linux';
import type { Reactor } from '@ambient/linux';
import type { Workload } from '@ambient/mesh';
import type { Logger } from '@ambient/runtime';
import { proofAddresses, PROOF_NAME } from '../worker/capture-proof.ts';
import type { LocalWorkloads } from '../worker/context.ts';
import { answerLimit, writeAnswer, writeFailure, writeRefusal, writeTruncated } from './answer.ts';
import type { DnsMetrics, DnsSeries } from './dns-metrics.ts';
import { typeName } from './dns-metrics.ts';
import type { AskServer, DnsProtocol } from './forwarded-query.ts';
import type { DnsQuery, Rcode } from './message.ts';
import { MAX_MESSAGE_BYTES, rcodes, readQuery, recordTypes } from './message.ts';
import type { NameScope } from './plan-answer.ts';
import { planAnswer } from './plan-answer.ts';
import { UpstreamQueries } from './upstream-queries.ts';
import type { UpstreamHealth } from './upstream-health.ts';

/** Questions of a pod in one worker that may wait for somebody else. */
const MAX_WAITING = 256;
/** Room before an answer for the length that TCP wants. */
export const ANSWER_AT = 2;

/** Where answers are written before they are sent: of one thread, whose answers never overlap. */
export const answerMemory = new IoBuffer(ANSWER_AT + MAX_MESSAGE_BYTES);
const out = answerMemory.bytes.subarray(ANSWER_AT);

/** The way back to a client. */
export interface DnsClientLink {
  readonly protocol: DnsProtocol;
  /** Sends the answer that lies at `ANSWER_AT` of `answerMemory`. A client that has gone is no error. */
  reply(length: number): void;
  /** The message deserves no answer. */
  ignore(): void;
}

/** What a responder needs from its worker and its pod. */
export interface ResponderOptions {
  readonly reactor: Reactor;
  readonly scope: NameScope;
  /** Who asks: the pod. */
  readonly workloads: LocalWorkloads;
  readonly ask: AskServer;
  readonly health: UpstreamHealth;
  readonly metrics: DnsMetrics;
  /** Of scope `dns`. */
  readonly log: Logger;
}

/** A question on its way to an answer. */
interface Asked {
  readonly message: Buffer;
  readonly query: DnsQuery;
  readonly link: DnsClientLink;
}

/** Answers the questions of one pod: from the mesh, or by asking upstream. */
export class Responder {
  readonly #options: ResponderOptions;
  readonly #upstream: UpstreamQueries;
  #waitingForWorkload = 0;
  #lastQuestionMs = -Infinity;
  #full = false;
  #closed = false;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#upstream = new UpstreamQueries(options.reactor, options.ask, options.health);
  }

  /** Questions whose answer is owed. */
  get waiting(): number {
    return this.#waitingForWorkload + this.#upstream.waiting;
  }

  /** When the last question came, by the reactor's clock. */
  get lastQuestionMs(): number {
    return this.#lastQuestionMs;
  }

  /**
   * Takes a message of a client, and answers it once, now or later, or ignores it.
   * @param bytes the message, good until the call returns
   */
  take(bytes: Buffer, link: DnsClientLink): void {
    const read = readQuery(bytes, bytes.length);
    if (read.kind !== 'query') {
      if (read.kind === 'refuse') link.reply(writeRefusal(out, bytes, read.rcode));
      else link.ignore();
      const { log } = this.#options;
      if (log.enabled('debug')) log.debug('a message that is no query', { reason: read.why });
      return;
    }
    const { query } = read;
    const proof = proofAddressFor(query);
    if (proof !== undefined) {
      const records = { canonicalName: undefined, addresses: [proof] };
      link.reply(writeAnswer(out, bytes, query, records, answerLimit(query, link.protocol)));
      return;
    }
    this.#lastQuestionMs = this.#options.reactor.nowMs;
    const source = this.#options.workloads.sender;
    if (source !== undefined) {
      this.#decide({ message: bytes, query, link }, source);
      return;
    }
    if (this.#refuseWhenFull({ message: bytes, query, link }, undefined)) return;
    const asked = { message: Buffer.from(bytes), query, link };
    this.#waitingForWorkload++;
    this.#options.workloads.findSender((found) => {
      this.#waitingForWorkload--;
      if (this.#closed) return;
      if (found !== undefined) this.#decide(asked, found);
      else {
        this.#series(asked, undefined).requests.add(1);
        this.#fail(asked, undefined, rcodes.SERVFAIL, 'the control plane has not told the pod that asks');
      }
    });
  }

  #series({ query, link }: Asked, source: Workload | undefined): DnsSeries {
    return this.#options.metrics.series(source, query.type, link.protocol);
  }

  #decide(asked: Asked, source: Workload): void {
    const { message, query, link } = asked;
    this.#series(asked, source).requests.add(1);
    if ((query.edns?.version ?? 0) !== 0) {
      this.#fail(asked, source, rcodes.BADVERS, 'an unknown version of EDNS');
      return;
    }
    if (link.protocol === 'tcp' && (query.type === recordTypes.AXFR || query.type === recordTypes.IXFR)) {
      this.#fail(asked, source, rcodes.REFUSED, 'a zone transfer: turn DNS capture off for this pod');
      return;
    }
    const plan = planAnswer(this.#options.scope, source, query);
    if (plan.kind === 'forward') {
      this.#forward(asked, source, plan.why);
      return;
    }
    const limit = answerLimit(query, link.protocol);
    link.reply(writeAnswer(out, message, query, plan.records, limit));
    const { log } = this.#options;
    if (log.enabled('debug'))
      this.#trace(asked, source, 'answered from the mesh', {
        service: plan.service.key,
        answers: plan.records.addresses.length,
      });
  }

  #forward(asked: Asked, source: Workload, why: string): void {
    const { query, link } = asked;
    if (this.#refuseWhenFull(asked, source)) return;
    // A message that waits must outlive the memory that it was received into.
    const own: Asked = { message: Buffer.from(asked.message), query, link };
    const series = this.#series(asked, source);
    const { reactor, log } = this.#options;
    const startedMs = reactor.nowMs;
    series.upstreamRequests.add(1);
    this.#upstream.ask(own.message, query, link.protocol, {
      onAnswer: (answer, stale) => {
        this.#handOn(own, answer);
        if (log.enabled('debug'))
          this.#trace(own, source, stale ? 'answered from the past' : 'forwarded', { why });
      },
      onFailure: (error) => {
        this.#fail(own, source, rcodes.SERVFAIL, error.message);
      },
      onUpstream: (answered) => {
        series.upstreamDuration.observe((reactor.nowMs - startedMs) / 1000);
        if (!answered) series.upstreamFailures.add(1);
      },
    });
  }

  /** Hands on what upstream said, under the id that the client knows. */
  #handOn({ message, query, link }: Asked, answer: Buffer): void {
    let length = answer.length;
    if (length > answerLimit(query, link.protocol)) length = writeTruncated(out, message, query, answer);
    else {
      answer.copy(out);
      out.writeUInt16BE(query.id, 0);
    }
    link.reply(length);
  }

  #refuseWhenFull(asked: Asked, source: Workload | undefined): boolean {
    const { waiting } = this;
    if (waiting < MAX_WAITING) {
      if (waiting < MAX_WAITING / 2) this.#full = false;
      return false;
    }
    const why = `${MAX_WAITING} questions of the pod wait already`;
    if (!this.#full)
      this.#options.log.warn(`${why}: further ones fail until some are answered`, whoIs(source));
    this.#full = true;
    this.#fail(asked, source, rcodes.SERVFAIL, why);
    return true;
  }

  #fail(asked: Asked, source: Workload | undefined, rcode: Rcode, why: string): void {
    asked.link.reply(writeFailure(out, asked.message, asked.query, rcode));
    if (this.#options.log.enabled('debug')) this.#trace(asked, source, 'failed', { rcode, error: why });
  }

  #trace(
    { query, link }: Asked,
    source: Workload | undefined,
    outcome: string,
    fields: Record<string, string | number>,
  ): void {
    this.#options.log.debug(outcome, {
      ...whoIs(source),
      query: query.name ?? '(bytes)',
      type: typeName(query.type),
      protocol: link.protocol,
      ...fields,
    });
  }

  /** Gives up every question without a word. */
  close(): void {
    this.#closed = true;
    this.#upstream.close();
  }
}

function whoIs(source: Workload | undefined): Record<string, string> {
  return source === undefined ? {} : { 'src.workload': source.name, 'src.namespace': source.namespace };
}

/** What the node agent is told, which makes sure that questions of the pod come here; undefined for any other question. */
function proofAddressFor({ name, type }: DnsQuery): string | undefined {
  if (name !== PROOF_NAME) return undefined;
  if (type === recordTypes.A) return proofAddresses.v4;
  return type === recordTypes.AAAA ? proofAddresses.v6 : undefined;
}
