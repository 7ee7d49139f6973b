import { expect } from 'chai';
import type { LogSink } from '@ambient/runtime';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import type { NodeService } from './serve-node.ts';
import { Tenure } from './tenure.ts';

describe('tenure of a node', () => {
  let clock: ManualClock;
  let lines: string[];
  let served: boolean;
  let succeeded: boolean;
  let began: number;
  let ended: number;
  let failure: Error | undefined;
  let tenure: Tenure;

  beforeEach(() => {
    clock = new ManualClock();
    [lines, served, succeeded, began, ended, failure] = [[], true, false, 0, 0, undefined];
    const sink: LogSink = { write: (level, _scope, message) => lines.push(`${level} ${message}`) };
    tenure = new Tenure({
      serve: (signal) => {
        if (failure !== undefined) return Promise.reject(failure);
        if (signal.aborted) return Promise.resolve(undefined);
        began++;
        return Promise.resolve(service());
      },
      ztunnelSocket: 'ztunnel.sock',
      isServed: () => Promise.resolve(served),
      clock,
      log: new Logger(new LogLevels(), sink, 'app'),
    });
  });

  afterEach(async () => {
    await tenure.end();
    expect(clock.pendingTimers).to.equal(0);
  });

  function service(): NodeService {
    return {
      get isSucceeded() {
        return succeeded;
      },
      keepInstalled: () => undefined,
      uninstall: () => undefined,
      releaseAll: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => {
        ended++;
        return Promise.resolve();
      },
    };
  }

  async function looks(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      clock.advance(500);
      await new Promise(setImmediate);
    }
  }

  async function standBy(): Promise<void> {
    await tenure.begin(new AbortController().signal);
    succeeded = true;
    await looks(1);
    succeeded = false;
  }

  it('lasts while nobody else takes the node', async () => {
    expect(await tenure.begin(new AbortController().signal)).to.equal(true);
    await looks(10);
    expect([began, ended, lines]).to.deep.equal([1, 0, []]);
    expect(await tenure.end()).to.not.equal(undefined);
    expect(ended, 'its end is the caller’s').to.equal(0);
  });

  it('ends when another agent has taken it, and does not begin again while that listens', async () => {
    await standBy();
    await looks(10);
    expect([began, ended]).to.deep.equal([1, 1]);
    expect(await tenure.end()).to.equal(undefined);
  });

  it('begins again when the other has ended, but not when it was started again at once', async () => {
    await standBy();
    served = false;
    await looks(1);
    served = true;
    await looks(1);
    served = false;
    await looks(1);
    expect(began).to.equal(1);
    await looks(1);
    expect(began).to.equal(2);
    await looks(10);
    expect([began, ended]).to.deep.equal([2, 1]);
  });

  it('tries again to begin what fails', async () => {
    await standBy();
    served = false;
    failure = new Error('no space');
    await looks(3);
    expect(lines.join()).to.match(/error .*tried again/);
    failure = undefined;
    await looks(1);
    expect(began).to.equal(2);
  });

  it('fails where it cannot begin at all, and is not begun by one who is asked to end', async () => {
    failure = new Error('no space');
    const error = await tenure.begin(new AbortController().signal).catch((each: unknown) => each);
    expect(error).to.equal(failure);
    failure = undefined;
    expect(await tenure.begin(AbortSignal.abort())).to.equal(false);
    expect(began).to.equal(0);
  });
});
