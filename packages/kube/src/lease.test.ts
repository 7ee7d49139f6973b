import { expect } from 'chai';
import fc from 'fast-check';
import { ManualClock } from '@ambient/runtime';
import { fuzzBudget } from '@ambient/testkit';

import { KubeConnectionError, KubeStatusError } from './errors.ts';
import { LeaderElection } from './lease.ts';
import type { LeaderElectionOptions, LeaseApi } from './lease.ts';
import type { Lease, LeaseSpec } from './lease-record.ts';
import { settled, testLog } from './testing/quiet-log.ts';

/** One Lease with optimistic concurrency, as the API server keeps it. */
class FakeLease {
  lease: Lease | undefined;
  #version = 0;
  readonly writes: string[] = [];

  /** The way of one candidate to it, which may be cut or hang. */
  api(): LeaseApi & { mode: 'up' | 'down' | 'hangs' } {
    const way: LeaseApi & { mode: 'up' | 'down' | 'hangs' } = {
      mode: 'up',
      get: () => this.#answer(way.mode, () => this.lease),
      create: (spec) =>
        this.#answer(way.mode, () => {
          if (this.lease !== undefined) throw new KubeStatusError('create', 409, 'AlreadyExists', 'exists');
          return this.#write(spec);
        }),
      update: (lease, spec) =>
        this.#answer(way.mode, () => {
          if (this.lease?.metadata.resourceVersion !== lease.metadata.resourceVersion)
            throw new KubeStatusError('update', 409, 'Conflict', 'changed');
          return this.#write(spec);
        }),
    };
    return way;
  }

  #write(spec: LeaseSpec): Lease {
    const metadata = { name: 'l', namespace: 'n', uid: 'u', resourceVersion: String(++this.#version) };
    this.lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    this.writes.push(`${spec.holderIdentity}/${spec.leaseTransitions}`);
    return this.lease;
  }

  #answer<T>(mode: 'up' | 'down' | 'hangs', act: () => T): Promise<T> {
    if (mode === 'hangs') return new Promise<T>(() => {});
    if (mode === 'down') return Promise.reject(new KubeConnectionError('KUBE_CONNECT', 'down'));
    return new Promise((resolve) => resolve(act()));
  }
}

class Candidate {
  readonly api;
  readonly clock: ManualClock;
  readonly events: string[] = [];
  readonly election: LeaderElection;

  constructor(
    lease: FakeLease,
    identity: string,
    clock: ManualClock,
    options: Partial<LeaderElectionOptions> = {},
  ) {
    this.api = lease.api();
    this.clock = clock;
    this.election = new LeaderElection({
      api: this.api,
      identity,
      log: testLog(),
      clock,
      random: () => 0,
      onStarted: () => this.events.push('started'),
      onStopped: () => this.events.push('stopped'),
      ...options,
    });
  }
}

async function pass(ms: number, ...clocks: ManualClock[]): Promise<void> {
  for (let i = 0; i < ms; i += 500) {
    for (const clock of clocks) clock.advance(500);
    await settled(2);
  }
}

describe('LeaderElection', () => {
  it('makes the lease, leads, and renews it', async () => {
    const lease = new FakeLease();
    const clock = new ManualClock();
    const a = new Candidate(lease, 'a', clock);
    a.election.start();
    await settled();
    expect([a.election.leading, a.election.leader, a.events]).deep.equal([true, 'a', ['started']]);
    expect(lease.lease?.spec).deep.include({
      leaseDurationSeconds: 15,
      renewTime: '2026-01-01T00:00:00.000000Z',
    });
    await pass(4000, clock);
    expect(lease.lease?.spec).deep.include({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:04.000000Z',
    });
    expect(lease.writes).deep.equal(['a/0', 'a/0', 'a/0']);
    await a.election.stop();
    expect([a.events, lease.lease?.spec?.holderIdentity, clock.pendingTimers]).deep.equal([
      ['started', 'stopped'],
      '',
      0,
    ]);
  });

  it('two would-be leaders: one leads, the other takes over at once when it is given back', async () => {
    const lease = new FakeLease();
    const clock = new ManualClock();
    const [a, b] = [new Candidate(lease, 'a', clock), new Candidate(lease, 'b', clock)];
    a.election.start();
    b.election.start();
    await pass(60_000, clock);
    expect([a.events, b.events]).deep.equal([['started'], []]);
    await a.election.stop();
    await pass(2500, clock);
    expect(b.events).deep.equal(['started']);
    expect(lease.lease?.spec?.leaseTransitions).equal(1);
    await b.election.stop();
  });

  it('a leader that cannot reach the API stops leading before the other begins', async () => {
    for (const mode of ['down', 'hangs'] as const) {
      const lease = new FakeLease();
      const clock = new ManualClock();
      const [a, b] = [new Candidate(lease, 'a', clock), new Candidate(lease, 'b', clock)];
      a.election.start();
      await settled();
      b.election.start();
      await pass(4000, clock);
      a.api.mode = mode;
      await pass(9500, clock);
      expect([a.events, b.events], 'within the deadline').deep.equal([['started'], []]);
      await pass(1000, clock);
      expect([a.events, b.events], 'after the deadline').deep.equal([['started', 'stopped'], []]);
      await pass(7000, clock);
      expect(b.events, 'after the lease ran out').deep.equal(['started']);
      a.api.mode = 'up';
      await pass(4000, clock);
      expect(a.election.leading).equal(false);
      if (mode === 'down') await a.election.stop();
      await b.election.stop();
    }
  });

  it('clocks that show another day change nothing: a record counts from when it was first seen', async () => {
    for (const skewMs of [-86_400_000, 86_400_000]) {
      const lease = new FakeLease();
      const [clockA, clockB] = [new ManualClock(), new ManualClock(Date.UTC(2026, 0, 1) + skewMs)];
      const [a, b] = [new Candidate(lease, 'a', clockA), new Candidate(lease, 'b', clockB)];
      a.election.start();
      await settled();
      b.election.start();
      await pass(30_000, clockA, clockB);
      expect([a.events, b.events]).deep.equal([['started'], []]);
      a.api.mode = 'down';
      await pass(20_000, clockA, clockB);
      expect([a.events, b.events]).deep.equal([['started', 'stopped'], ['started']]);
      await a.election.stop();
      await b.election.stop();
    }
  });

  it('a lease taken by somebody by hand is noticed at the next renewal', async () => {
    const lease = new FakeLease();
    const clock = new ManualClock();
    const a = new Candidate(lease, 'a', clock);
    a.election.start();
    await settled();
    const held = lease.lease!;
    await lease.api().update(held, { ...held.spec, holderIdentity: 'x' }, 0);
    await pass(4000, clock);
    expect([a.events, a.election.leader]).deep.equal([['started', 'stopped'], 'x']);
    await a.election.stop();
    expect(lease.lease?.spec?.holderIdentity, 'what is not ours is not given back').equal('x');
  });

  it('never do two lead, whoever loses the API when [fuzz]', async () => {
    const step = fc.record({
      who: fc.nat(2),
      mode: fc.constantFrom('up' as const, 'down' as const),
      ms: fc.integer({ min: 1, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const lease = new FakeLease();
        const clock = new ManualClock();
        const all = ['a', 'b', 'c'].map((name) => new Candidate(lease, name, clock));
        for (const candidate of all) candidate.election.start();
        for (const { who, mode, ms } of steps) {
          all[who]!.api.mode = mode;
          for (let i = 0; i < ms; i += 2000) {
            await pass(500, clock);
            clock.advance(1500);
            await settled(1);
            expect(all.filter(({ election }) => election.leading).length).most(1);
          }
        }
        for (const { api, election } of all) {
          api.mode = 'up';
          await election.stop();
        }
        expect(clock.pendingTimers).equal(0);
      }),
      fuzzBudget(),
    );
  });
});
