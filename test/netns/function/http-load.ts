import { Agent, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { connectFrom } from '@ambient/testkit/hostile-peer';
import type { Netns } from '@ambient/testkit/lab';

/** A connection that is kept ends after so many requests, as those of well-behaved clients do at times. */
const REQUESTS_PER_CONNECTION = 15;
const LANES = 3;
const ANSWER_DEADLINE_MS = 10_000;

/** Requests from pods without a pause, over connections that are kept and over new ones, until it is stopped. */
export class HttpLoad {
  readonly failures: string[] = [];
  answers = 0;
  #stopping = false;
  readonly #lanes: { readonly done: Promise<void>; rounds: number }[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(from: readonly Pick<Netns, 'name' | 'path'>[], ip: string, port: number) {
    for (const netns of from)
      for (const perConnection of [1, REQUESTS_PER_CONNECTION])
        for (let lane = 0; lane < LANES; lane += 1) this.#start(netns, ip, port, perConnection);
  }

  /** Resolves when each lane has begun and ended a connection since the call. */
  async round(): Promise<void> {
    const goals = this.#lanes.map(({ rounds }) => rounds + 2);
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!this.#lanes.every(({ rounds }, index) => rounds >= goals[index]!)) return;
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#lanes.map(({ done }) => done));
  }

  #start(netns: Pick<Netns, 'name' | 'path'>, ip: string, port: number, perConnection: number): void {
    const what = `${netns.name}, ${perConnection === 1 ? 'new connection' : 'kept connection'}`;
    const run = async (): Promise<void> => {
      while (!this.#stopping) {
        const agent = new Agent({ keepAlive: perConnection > 1, maxSockets: 1 });
        agent.createConnection = (): Duplex => connectFrom(netns, ip, port);
        for (let count = 0; count < perConnection && !this.#stopping; count += 1) {
          const failure = await ask(agent, ip, port);
          if (failure === undefined) this.answers += 1;
          else this.failures.push(`${what}, request ${count + 1}: ${failure}`);
        }
        agent.destroy();
        lane.rounds += 1;
        for (const watcher of [...this.#watchers]) watcher();
      }
    };
    const lane = { rounds: 0, done: Promise.resolve() };
    this.#lanes.push(Object.assign(lane, { done: run() }));
  }
}

/** @returns what went wrong, undefined for an answer of status 200 */
function ask(agent: Agent, ip: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = request({ agent, host: ip, port, timeout: ANSWER_DEADLINE_MS }, (response) => {
      response.resume();
      response.on('error', (error) => resolve(error.message));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode ?? 0}`),
      );
    });
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', (error) => resolve(error.message));
    call.end();
  });
}
