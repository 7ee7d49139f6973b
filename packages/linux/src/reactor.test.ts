import { expect } from 'chai';
import type { ReadinessHandler, TurnTask } from './reactor.ts';
import { Reactor, READABLE } from './reactor.ts';
import { Wakeup, notifyWakeup } from './wakeup.ts';

/** What one job of the busy tenant costs, in milliseconds. */
const JOB_MS = 0.05;
/** A share, the time for those who wait, and what jobs go beyond both. */
const MAX_WAIT_MS = 0.1 + 0.1 + 4 * JOB_MS;

function fail(error: unknown): never {
  throw error as Error;
}

function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('a reactor that tenants share', () => {
  let reactor: Reactor;
  let open: Disposable[];

  beforeEach(() => {
    reactor = new Reactor(fail);
    open = [];
  });
  afterEach(() => {
    for (const each of open.reverse()) each[Symbol.dispose]();
    reactor.close();
  });

  function tenant(): Reactor {
    const view = reactor.tenant();
    open.push(view);
    return view;
  }

  /** A descriptor that is readable from the start, edge-triggered. */
  function ready(view: Reactor, onReadiness: () => void): Wakeup {
    const wakeup = new Wakeup();
    open.push(wakeup);
    notifyWakeup(wakeup.fd);
    const handler: ReadinessHandler = {
      onReadiness: (readiness) => {
        if ((readiness & READABLE) !== 0) onReadiness();
      },
      onFault: fail,
    };
    view.register(wakeup.fd, handler);
    return wakeup;
  }

  it('one with 200 descriptors ready keeps one with a single one waiting for a share, and not for all', () => {
    const [busy, quiet] = [tenant(), tenant()];
    let jobs = 0;
    const after: number[] = [];
    for (let i = 0; i < 200; i++)
      ready(busy, () => {
        burn(JOB_MS);
        jobs++;
      });
    reactor.turn(0);
    const before = jobs;
    const wakeup = ready(quiet, () => after.push(jobs));
    reactor.turn(0);
    expect(before).to.be.below(MAX_WAIT_MS / JOB_MS);
    expect(after, 'the newcomer goes before who waits').to.deep.equal([before]);
    for (let i = 0; i < 1000 && jobs < 200; i++) reactor.turn(0);
    expect(jobs).to.equal(200);
    reactor.unregister(wakeup.fd);
  });

  it('rests of bulk are shared out too', () => {
    const [busy, quiet] = [tenant(), tenant()];
    let jobs = 0;
    const bulk: TurnTask = {
      run: () => {
        burn(JOB_MS);
        jobs++;
        busy.inNextTurn(bulk);
      },
      onFault: fail,
    };
    for (let i = 0; i < 100; i++) busy.inNextTurn(bulk);
    for (let i = 0; i < 20; i++) {
      let served = false;
      const before = jobs;
      ready(quiet, () => (served = true));
      for (let turns = 0; turns < 2 && !served; turns++) reactor.turn(0);
      expect(served).to.equal(true);
      expect(jobs - before).to.be.below((2 * MAX_WAIT_MS) / JOB_MS);
    }
  });

  it('alone, a tenant has the whole turn', () => {
    const only = tenant();
    let jobs = 0;
    for (let i = 0; i < 100; i++)
      ready(only, () => {
        burn(JOB_MS);
        jobs++;
        expect(only.shareUsed).to.equal(false);
      });
    reactor.turn(0);
    expect(jobs).to.equal(100);
  });

  it('what is unregistered while it waits is not told', () => {
    const [busy] = [tenant(), tenant()];
    const told: number[] = [];
    const wakeups = Array.from({ length: 50 }, (_, i) =>
      ready(busy, () => {
        burn(JOB_MS);
        told.push(i);
      }),
    );
    reactor.turn(0);
    expect(told.length).to.be.below(50);
    const before = told.length;
    for (const { fd } of wakeups) busy.unregister(fd);
    for (let i = 0; i < 50; i++) reactor.turn(0);
    expect(told).to.have.length(before);
  });

  it('who leaves does not end the reactor', () => {
    const [first, second] = [reactor.tenant(), tenant()];
    first.close();
    first.close();
    let told = false;
    ready(second, () => (told = true));
    reactor.turn(0);
    expect(told).to.equal(true);
  });
});
