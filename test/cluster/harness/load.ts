import { waitThroughFailures } from '@ambient/testkit/lab';
import { kubectl } from './command.ts';
import { pause } from './timing.ts';

/** Sums of the program `http-load` up to now. */
export interface LoadSums {
  readonly answers: number;
  readonly failures: number;
}

/** A connection to an address that nobody answers for fails after three seconds. */
const QUIET_MS = 5000;

/** The endless requests of a namespace's pod `load`, as its log tells of them. */
export class Load {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Waits until it has said again how it goes. */
  async now(): Promise<LoadSums> {
    const before = await this.#last();
    return waitThroughFailures(async () => {
      const sums = await this.#last();
      if (
        sums === undefined ||
        sums.answers + sums.failures === (before?.answers ?? -1) + (before?.failures ?? 0)
      )
        return undefined;
      return sums;
    }, 'further answers, or failures, of the load');
  }

  /** Waits until no request has failed for a while: those from before the Service had its rules on the node take seconds. */
  answering(): Promise<LoadSums> {
    return waitThroughFailures(async () => {
      const before = await this.now();
      await pause(QUIET_MS);
      const after = await this.now();
      return after.failures === before.failures ? after : undefined;
    }, 'load without failures');
  }

  /**
   * What came of the requests since `before`.
   * @returns each failure with its time, and the number of answers
   */
  async since(before: LoadSums): Promise<{ readonly answers: number; readonly failures: readonly string[] }> {
    const sums = await this.now();
    const failures = (await this.#lines('--tail=-1')).flatMap((line) => {
      const { failure, at } = JSON.parse(line) as { failure?: string; at?: string };
      return failure === undefined ? [] : [`${at ?? ''} ${failure}`];
    });
    return { answers: sums.answers - before.answers, failures: failures.slice(before.failures) };
  }

  async #last(): Promise<LoadSums | undefined> {
    const lines = (await this.#lines('--tail=20')).toReversed();
    const line = lines.find((each) => each.includes('"answers"'));
    return line === undefined ? undefined : (JSON.parse(line) as LoadSums);
  }

  async #lines(tail: string): Promise<readonly string[]> {
    const log = await kubectl(['--namespace', this.#namespace, 'logs', 'deployment/load', tail]);
    return log.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  }
}
