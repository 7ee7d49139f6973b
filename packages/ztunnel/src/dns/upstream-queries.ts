import type { Reactor } from '@ambient/linux';
import { Timer } from '@ambient/linux';
import type { AskServer, DnsProtocol } from './forwarded-query.ts';
import { ForwardedQuery, UpstreamError, isPositive } from './forwarded-query.ts';
import type { DnsQuery } from './message.ts';
import { StaleAnswers, staleKey } from './stale-answers.ts';
import type { UpstreamHealth } from './upstream-health.ts';

/** How long a client waits for upstream when there is an old answer for it (RFC 8767 section 5). */
const STALE_AFTER_MS = 1800;

/** Told of one question. The client gets one answer or failure; upstream may end later, with what the client had no time for. */
export interface UpstreamOutcome {
  /** @param answer good until the call returns @param stale of old, since upstream is silent */
  onAnswer(answer: Buffer, stale: boolean): void;
  onFailure(error: UpstreamError): void;
  /** Upstream has ended. @param answered whether by an answer */
  onUpstream(answered: boolean): void;
}

/** The questions of one pod that others answer, and the answers that are kept for when those others are down. */
export class UpstreamQueries {
  readonly #reactor: Reactor;
  readonly #ask: AskServer;
  readonly #health: UpstreamHealth;
  readonly #stale = new StaleAnswers();
  readonly #queries = new Map<ForwardedQuery, Timer | undefined>();
  /** Questions whose client has got an old answer: so many at most, while all servers are down. */
  #late = 0;

  constructor(reactor: Reactor, ask: AskServer, health: UpstreamHealth) {
    this.#reactor = reactor;
    this.#ask = ask;
    this.#health = health;
  }

  /** Questions on their way. */
  get waiting(): number {
    return this.#queries.size;
  }

  /** @param message stays as it is until upstream has ended */
  ask(message: Buffer, query: DnsQuery, protocol: DnsProtocol, outcome: UpstreamOutcome): void {
    const key = staleKey(message, query);
    const { nowMs } = this.#reactor;
    const old = key === undefined ? undefined : this.#stale.find(key, nowMs);
    let answered = false;
    let late = false;
    const useOld = (): void => {
      answered = true;
      late = true;
      this.#late++;
      outcome.onAnswer(old!, true);
    };
    const waitForOld =
      old === undefined
        ? undefined
        : new Timer(() => {
            useOld();
          });
    const forwarded: ForwardedQuery = new ForwardedQuery(
      this.#reactor,
      this.#ask,
      this.#health,
      { message, questionEnd: query.questionEnd, protocol },
      (result) => {
        this.#queries.delete(forwarded);
        if (waitForOld !== undefined) this.#reactor.cancelTimer(waitForOld);
        if (late) this.#late--;
        const failed = result instanceof UpstreamError;
        outcome.onUpstream(!failed);
        if (failed) {
          if (answered) return;
          if (old !== undefined) outcome.onAnswer(old, true);
          else outcome.onFailure(result);
          return;
        }
        if (key !== undefined && isPositive(result))
          this.#stale.keep(key, query, result, this.#reactor.nowMs);
        if (!answered) outcome.onAnswer(result, false);
      },
    );
    if (waitForOld !== undefined) {
      if (this.#health.allDown(nowMs)) {
        // One question finds out whether upstream is back; for the others that would only be noise.
        if (this.#late > 0) {
          outcome.onUpstream(false);
          outcome.onAnswer(old!, true);
          return;
        }
        useOld();
      } else this.#reactor.setTimer(waitForOld, STALE_AFTER_MS);
    }
    this.#queries.set(forwarded, waitForOld);
    forwarded.start();
  }

  /** Gives up every question without a word. */
  close(): void {
    for (const [query, timer] of this.#queries) {
      query.close();
      if (timer !== undefined) this.#reactor.cancelTimer(timer);
    }
    this.#queries.clear();
  }
}
