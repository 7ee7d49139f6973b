import { expect } from 'chai';
import type { TurnTask } from './reactor.ts';
import { FairTurns, Tenant } from './fair-turns.ts';

describe('FairTurns', () => {
  let nowMs: number;
  let turns: FairTurns;
  let done: string[];
  /** What it takes to send what the share has written. */
  let sendMs: number;

  beforeEach(() => {
    nowMs = 0;
    turns = new FairTurns(
      () => nowMs,
      () => {
        nowMs += sendMs;
        sendMs = 0;
      },
    );
    done = [];
    sendMs = 0;
  });

  const job = (name: string, ms: number): TurnTask => ({
    run: () => {
      nowMs += ms;
      done.push(name);
    },
    onFault: (error) => {
      throw error;
    },
  });
  const turn = (): void => {
    turns.runFresh();
    turns.runBacklog();
  };

  it('a tenant with one thing to do passes by one with a thousand', () => {
    const storm = new Tenant();
    const neighbour = new Tenant();
    for (let i = 0; i < 1000; i++) turns.add(storm, job('storm', 0.05), true);
    turn();
    const before = done.length;
    turns.add(neighbour, job('neighbour', 0.05), true);
    turns.runFresh();
    expect(done.slice(before)).to.deep.equal(['neighbour']);
    expect(before).to.be.within(3, 6); // a share, and one time for those who wait
    while (turns.pending) turn();
    expect(done).to.have.length(1001);
  });

  it('who has used little lately goes first, whoever was ready first', () => {
    const [storm, neighbour] = [new Tenant(), new Tenant()];
    const both = (): void => {
      done = [];
      turns.add(storm, job('storm', 0.1), true);
      turns.add(neighbour, job('neighbour', 0.01), true);
      turns.runFresh();
      turns.onIdle();
    };
    both();
    expect(done, 'nothing is known of either').to.deep.equal(['storm', 'neighbour']);
    both();
    expect(done).to.deep.equal(['neighbour', 'storm']);
    nowMs += 10_000;
    turns.add(neighbour, job('neighbour', 0.05), true);
    turns.runFresh();
    both();
    expect(done, 'what was long ago does not count').to.deep.equal(['storm', 'neighbour']);
  });

  it('those who all have much to do get the same time, whatever the size of their jobs', () => {
    const used = new Map<string, number>();
    for (const [name, ms] of [
      ['small', 0.01],
      ['middle', 0.1],
      ['large', 1.1],
    ] as const) {
      const tenant = new Tenant();
      const again: TurnTask = {
        run: () => {
          nowMs += ms;
          used.set(name, (used.get(name) ?? 0) + ms);
          turns.add(tenant, again, false);
        },
        onFault: (error) => {
          throw error;
        },
      };
      turns.add(tenant, again, true);
    }
    while (nowMs < 1000) turn();
    for (const [name, ms] of used) expect(ms, name).to.be.within(310, 355);
  });

  it('who has overdrawn does not go first, until a moment when nobody had anything to do', () => {
    const heavy = new Tenant();
    const light = new Tenant();
    turns.add(heavy, job('heavy', 5), true);
    turn();
    turns.add(heavy, job('heavy', 5), true);
    turns.add(light, job('light', 0.1), true);
    turns.runFresh();
    expect(done).to.deep.equal(['heavy', 'light']);
    turns.runBacklog();
    expect(done).to.deep.equal(['heavy', 'light', 'heavy']);
    turns.onIdle();
    turns.add(heavy, job('heavy', 5), true);
    turns.runFresh();
    expect(done).to.have.length(4);
  });

  it('a job that throws is told of it, and the others go on', () => {
    const faults: unknown[] = [];
    const tenant = new Tenant();
    turns.add(
      tenant,
      {
        run: () => {
          throw new Error('a defect');
        },
        onFault: (error) => faults.push(error),
      },
      true,
    );
    turns.add(tenant, job('next', 0.01), true);
    turn();
    expect(faults).to.have.length(1);
    expect(done).to.deep.equal(['next']);
    expect(turns.pending).to.equal(false);
  });

  it('tells a job in a loop when its share is over', () => {
    const tenant = new Tenant();
    let steps = 0;
    turns.add(
      tenant,
      {
        run: () => {
          while (!turns.shareUsed) {
            nowMs += 0.06;
            steps++;
          }
        },
        onFault: (error) => {
          throw error;
        },
      },
      true,
    );
    turn();
    expect(steps).to.equal(2);
    expect(turns.shareUsed).to.equal(false);
  });

  it('sends what a tenant has written before the next one has its share', () => {
    const order: string[] = [];
    turns = new FairTurns(
      () => nowMs,
      () => order.push('send'),
    );
    for (const name of ['first', 'second']) {
      const step: TurnTask = { run: () => order.push(name), onFault: () => undefined };
      turns.add(new Tenant(), step, true);
    }
    turns.runFresh();
    expect(order).to.deep.equal(['first', 'send', 'second', 'send']);
  });

  it('sending counts: who writes much waits longer for its next share', () => {
    const [writer, other] = [new Tenant(), new Tenant()];
    const write: TurnTask = {
      run: () => {
        nowMs += 0.1;
        sendMs = 1;
        done.push('writer');
        turns.add(writer, write, false);
      },
      onFault: () => undefined,
    };
    const compute: TurnTask = {
      run: () => {
        nowMs += 0.1;
        done.push('other');
        turns.add(other, compute, false);
      },
      onFault: () => undefined,
    };
    turns.add(writer, write, true);
    turns.add(other, compute, true);
    while (nowMs < 100) turn();
    const writes = done.filter((name) => name === 'writer').length;
    expect(writes / done.length).to.be.within(0.05, 0.15); // a tenth, as each of them takes ten times as long
  });

  it('is in company from the second tenant on, until the others have been quiet for long', () => {
    const [storm, neighbour] = [new Tenant(), new Tenant()];
    const goOn = (tenant: Tenant): void => {
      turns.add(tenant, job('job', 0.01), true);
      turn();
    };
    goOn(storm);
    goOn(storm);
    expect(turns.inCompany, 'a single one').to.equal(false);
    goOn(neighbour);
    goOn(storm);
    expect(turns.inCompany).to.equal(true);
    nowMs += 9000;
    goOn(storm);
    expect(turns.inCompany).to.equal(true);
    nowMs += 2000;
    goOn(storm);
    expect(turns.inCompany).to.equal(false);
  });

  it('keeps order within a tenant over thousands of jobs', () => {
    const tenant = new Tenant();
    const seen: number[] = [];
    const numbered = (i: number): TurnTask => ({
      run: () => {
        nowMs += 0.001;
        seen.push(i);
      },
      onFault: (error) => {
        throw error;
      },
    });
    for (let i = 0; i < 5000; i++) turns.add(tenant, numbered(i), true);
    while (turns.pending) turn();
    expect(seen).to.deep.equal(Array.from({ length: 5000 }, (_, i) => i));
  });
});
