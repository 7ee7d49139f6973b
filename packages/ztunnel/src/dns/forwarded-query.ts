import type { Reactor, SocketAddress } from '@ambient/linux';
import { Timer } from '@ambient/linux';
import { HEADER_BYTES, flags, rcodes } from './message.ts';
import type { UpstreamHealth } from './upstream-health.ts';

export type DnsProtocol = 'udp' | 'tcp';

/** When another server is asked as well; the first may still answer. */
const NEXT_ATTEMPT_MS = 1000;
/** The end, before clients ask again by themselves (5 s in resolv.conf(5)). */
const DEADLINE_MS = 4500;
const MAX_ATTEMPTS = 4;

/** One question to one server, under way. */
export interface Attempt {
  /** Gives up; the callbacks are not called any more. */
  close(): void;
}

export interface AttemptHandler {
  /** The server's answer, whose bytes are good until the call returns. The attempt has closed. */
  onAnswer(answer: Buffer): void;
  /** The server cannot be reached, or ended the conversation. The attempt has closed. */
  onFailure(error: Error): void;
}

/** Asks a server; failures come by the handler, later or at once. */
export type AskServer = (
  server: SocketAddress,
  protocol: DnsProtocol,
  message: Buffer,
  questionEnd: number,
  handler: AttemptHandler,
) => Attempt;

/** Codes by which a server says that it cannot answer, so that another might (as the C library does). */
const tryAnother: readonly number[] = [rcodes.SERVFAIL, rcodes.NOTIMP, rcodes.REFUSED];

interface Awaited {
  readonly server: SocketAddress;
  readonly sinceMs: number;
}

/** Nobody upstream has answered. */
export class UpstreamError extends Error {
  readonly code = 'DNS_UPSTREAM_UNREACHABLE';
  constructor(servers: readonly SocketAddress[], cause: Error | undefined) {
    const tried = [...new Set(servers.map(({ ip }) => ip))].join(', ');
    super(
      `no answer from ${tried}${cause === undefined ? ` within ${DEADLINE_MS} ms` : `: ${cause.message}`}; check the nameservers in the proxy's resolv.conf, and that NetworkPolicies let the pod reach them on port 53`,
      cause === undefined ? undefined : { cause },
    );
    this.name = 'UpstreamError';
  }
}

/**
 * A query on its way upstream: asks the servers in turn until one answers. A server that is slow is not given up when the next
 * one is asked, since a hard question may take any server long.
 */
export class ForwardedQuery {
  readonly #reactor: Reactor;
  readonly #ask: AskServer;
  readonly #health: UpstreamHealth;
  readonly #message: Buffer;
  readonly #questionEnd: number;
  readonly #protocol: DnsProtocol;
  readonly #done: (outcome: Buffer | UpstreamError) => void;
  readonly #servers: readonly SocketAddress[];
  readonly #attempts = new Set<Attempt>();
  /** What is still awaited, the earliest first. */
  #awaited: Awaited[] = [];
  readonly #tried: SocketAddress[] = [];
  /** What is better than nothing: an answer that is cut off, or that says that the server cannot answer. */
  #lastResort: Buffer | undefined;
  #lastError: Error | undefined;
  #ended = false;
  readonly #next = new Timer(() => {
    this.#attemptNext();
  });
  readonly #deadline = new Timer(() => {
    this.#end(this.#lastResort ?? new UpstreamError(this.#tried, this.#lastError));
  });

  /**
   * @param message the client's, whole; of its id alone another is sent
   * @param done called once, later or at once; the bytes of an answer are good until the call returns
   */
  constructor(
    reactor: Reactor,
    ask: AskServer,
    health: UpstreamHealth,
    query: { readonly message: Buffer; readonly questionEnd: number; readonly protocol: DnsProtocol },
    done: (outcome: Buffer | UpstreamError) => void,
  ) {
    this.#reactor = reactor;
    this.#ask = ask;
    this.#health = health;
    this.#message = query.message;
    this.#questionEnd = query.questionEnd;
    this.#protocol = query.protocol;
    this.#done = done;
    this.#servers = health.order(reactor.nowMs);
  }

  start(): void {
    this.#reactor.setTimer(this.#deadline, DEADLINE_MS);
    this.#attemptNext();
  }

  #attemptNext(): void {
    const server = this.#servers[this.#tried.length % this.#servers.length]!;
    if (this.#tried.length >= MAX_ATTEMPTS) return;
    this.#tried.push(server);
    this.#attempt(server, this.#protocol);
    if (!this.#ended && this.#tried.length < MAX_ATTEMPTS)
      this.#reactor.setTimer(this.#next, NEXT_ATTEMPT_MS);
  }

  #attempt(server: SocketAddress, protocol: DnsProtocol): void {
    const under: { attempt?: Attempt } = {};
    let over = false;
    const awaited = { server, sinceMs: this.#reactor.nowMs };
    const end = (): void => {
      over = true;
      this.#awaited = this.#awaited.filter((other) => other !== awaited);
      if (under.attempt !== undefined) this.#attempts.delete(under.attempt);
    };
    this.#awaited.push(awaited);
    const attempt = this.#ask(server, protocol, this.#message, this.#questionEnd, {
      onAnswer: (answer) => {
        end();
        this.#take(server, protocol, answer);
      },
      onFailure: (error) => {
        end();
        this.#lastError = error;
        // By TCP after UDP it has answered before: only TCP is closed.
        if (protocol === this.#protocol) this.#health.failed(server, this.#reactor.nowMs);
        this.#goOn();
      },
    });
    // It may have failed before there was an attempt to remember.
    if (over) return;
    under.attempt = attempt;
    if (this.#ended) attempt.close();
    else this.#attempts.add(attempt);
  }

  #take(server: SocketAddress, protocol: DnsProtocol, answer: Buffer): void {
    this.#health.answered(server);
    const flagBits = answer.readUInt16BE(2);
    if (protocol === 'udp' && (flagBits & flags.truncated) !== 0) {
      this.#lastResort = Buffer.from(answer);
      this.#attempt(server, 'tcp');
      return;
    }
    const another = this.#tried.length < this.#servers.length || this.#awaited.length > 0;
    if (another && tryAnother.includes(flagBits & flags.rcode)) {
      this.#lastResort ??= Buffer.from(answer);
      this.#goOn();
      return;
    }
    this.#end(answer);
  }

  /** After a server that is no help: asks the next one that has not been asked, or waits for those that have. */
  #goOn(): void {
    if (this.#ended) return;
    if (this.#tried.length < this.#servers.length) this.#attemptNext();
    else if (this.#awaited.length === 0)
      this.#end(this.#lastResort ?? new UpstreamError(this.#tried, this.#lastError));
  }

  #end(outcome: Buffer | UpstreamError): void {
    if (this.#ended) return;
    const { nowMs } = this.#reactor;
    for (const { server, sinceMs } of this.#awaited)
      if (nowMs - sinceMs >= NEXT_ATTEMPT_MS) this.#health.failed(server, nowMs);
    this.close();
    this.#done(outcome);
  }

  /** Gives up without a word. */
  close(): void {
    this.#ended = true;
    this.#reactor.cancelTimer(this.#next);
    this.#reactor.cancelTimer(this.#deadline);
    for (const attempt of this.#attempts) attempt.close();
    this.#attempts.clear();
  }
}

/** Whether an answer says that its name is there, so that it may be kept for bad times. */
export function isPositive(answer: Buffer): boolean {
  const flagBits = answer.readUInt16BE(2);
  const whole = (flagBits & (flags.truncated | flags.rcode)) === 0;
  return whole && answer.length > HEADER_BYTES && answer.readUInt16BE(6) > 0;
}
