import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { ManualClock } from '../clock/manual-clock.ts';
import { LogOutput } from '../log/log-output.ts';
import { SettingsError } from '../settings/schema.ts';
import type { LifeSettings, ProcessHost, ProcessLife } from './process-life.ts';
import { runProcess } from './process-life.ts';
import type { EndWish } from './run-until-signal.ts';
import { runUntilSignal } from './run-until-signal.ts';

const settings: LifeSettings = { log: { levels: 'info', format: 'plain' } };

/** A process that keeps what is told and asked of it. */
class TestHost implements ProcessHost {
  readonly events = new EventEmitter();
  readonly clock = new ManualClock();
  readonly complaints: string[] = [];
  readonly exits: number[] = [];
  /** Levels, scopes and messages, without the time. */
  readonly lines: string[] = [];

  openLog(): Promise<LogOutput> {
    const write = (line: string): void => void this.lines.push(line.trimEnd().split('\t').slice(1).join(' '));
    return Promise.resolve(
      new LogOutput('plain', { write, flushSync: () => undefined, end: () => undefined }),
    );
  }

  complain(text: string): void {
    this.complaints.push(text);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  get listeners(): number {
    return this.events
      .eventNames()
      .map((name) => this.events.listenerCount(name))
      .reduce((sum, count) => sum + count, 0);
  }
}

describe('runProcess', () => {
  const life: ProcessLife<LifeSettings> = {
    name: 'prog',
    loadSettings: () => settings,
    onDefect: () => undefined,
    run: () => Promise.resolve(),
  };

  it('ends with 0 in good order, and leaves no listener', async () => {
    const host = new TestHost();
    expect(await runProcess(life, host)).to.equal(0);
    expect(host.lines).to.deep.equal([]);
    expect(host.listeners).to.equal(0);
  });

  it('tells on standard error, by the name of the program, which settings cannot be used', async () => {
    const host = new TestHost();
    const loadSettings = (): never => {
      throw new SettingsError([{ env: 'LIMIT', value: '"x"', expected: 'a number' }]);
    };
    expect(await runProcess({ ...life, loadSettings }, host)).to.equal(1);
    expect(host.complaints).to.have.length(1);
    expect(host.complaints[0]).to.match(/^prog: 1 setting cannot be used.*LIMIT="x": expected a number\n$/s);
    expect(host.lines).to.deep.equal([]);
  });

  it('does not take a defect in the settings for a setting that cannot be used', async () => {
    const loadSettings = (): never => {
      throw new TypeError('x is not a function');
    };
    const error: unknown = await runProcess({ ...life, loadSettings }, new TestHost()).catch(
      (e: unknown) => e,
    );
    expect(error).to.be.instanceOf(TypeError);
  });

  it('logs what the program cannot run for, and where it came from if that is asked for', async () => {
    const run = (): Promise<void> => Promise.reject(new Error('no such port'));
    const host = new TestHost();
    expect(await runProcess({ ...life, run }, host)).to.equal(1);
    expect(host.lines).to.deep.equal(['error app cannot run error="no such port"']);
    const asked = new TestHost();
    const loadSettings = (): LifeSettings => ({ log: { levels: 'debug', format: 'plain' } });
    await runProcess({ ...life, run, loadSettings }, asked);
    expect(asked.lines[1]).to.contain('program.test.ts');
  });

  it('logs a defect, lets the program end, and gives 1 though the end was orderly', async () => {
    const host = new TestHost();
    const ended = Promise.withResolvers<void>();
    const done = runProcess(
      {
        ...life,
        defectMessage: 'a defect of the main thread',
        onDefect: () => ended.resolve(),
        run: () => {
          host.events.emit('uncaughtException', new Error('nobody expects it'));
          return ended.promise;
        },
      },
      host,
    );
    expect(await done).to.equal(1);
    expect(host.lines).to.deep.equal(['error app a defect of the main thread error="nobody expects it"']);
  });
});

describe('runUntilSignal', () => {
  /** Starts a program that serves at once; it ends when `stopped` does. */
  function start(host: TestHost, run: (end: EndWish) => Promise<void>): Promise<number> {
    return runUntilSignal(
      {
        name: 'prog',
        loadSettings: () => settings,
        endPatienceMs: 5000,
        run: (_, end) => run(end),
      },
      host,
    );
  }

  it('asks the program to end at the first signal, and lets go of signals, clock and patience', async () => {
    const host = new TestHost();
    const serving = Promise.withResolvers<AbortSignal>();
    const done = start(host, async (end) => {
      serving.resolve(end.signal);
      await end.asked;
    });
    const signal = await serving.promise;
    expect(signal.aborted).to.equal(false);
    host.events.emit('SIGTERM', 'SIGTERM');
    expect(signal.aborted).to.equal(true);
    host.events.emit('SIGINT', 'SIGINT');
    expect(await done).to.equal(0);
    expect(host.lines).to.deep.equal(['info app stopping reason="SIGTERM"']);
    expect([host.listeners, host.clock.pendingTimers]).to.deep.equal([0, 0]);
  });

  it('cuts an end short that takes longer than its patience', async () => {
    const host = new TestHost();
    const stopped = Promise.withResolvers<void>();
    const stopping = Promise.withResolvers<void>();
    const done = start(host, async (end) => {
      await end.asked;
      stopping.resolve();
      await stopped.promise;
    });
    await new Promise((resolve) => setImmediate(resolve));
    host.events.emit('SIGINT', 'SIGINT');
    await stopping.promise;
    host.clock.advance(4999);
    expect(host.exits).to.deep.equal([]);
    host.clock.advance(1);
    expect(host.exits).to.deep.equal([1]);
    expect(host.lines.at(-1)).to.equal('error app the end took too long error="SIGINT"');
    stopped.resolve();
    await done;
  });

  it('ends after a defect, with exit code 1', async () => {
    const host = new TestHost();
    const done = start(host, async (end) => {
      host.events.emit('uncaughtException', new Error('nobody expects it'));
      await end.asked;
    });
    expect(await done).to.equal(1);
    expect(host.lines).to.deep.equal([
      'error app defect, the process ends error="nobody expects it"',
      'info app stopping reason="defect"',
    ]);
  });
});
