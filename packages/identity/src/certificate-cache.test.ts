import { setImmediate } from 'node:timers/promises';

import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import type { CertificateAuthority } from './certificate-authority.ts';
import type { CertificateEvent } from './certificate-cache.ts';
import { CertificateCache, CertificateUnavailableError } from './certificate-cache.ts';
import type { WorkloadCertificate } from './certificate.ts';
import { FakeCa } from './fake-ca.ts';
import type { Identity } from './spiffe.ts';
import { cart, cartUri, fakeCa, startMs } from './test-fixtures.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface Call {
  readonly identity: Identity;
  readonly signal: AbortSignal;
  answer(certificate: WorkloadCertificate): Promise<void>;
  refuse(error: Error): Promise<void>;
}

/** A CA that answers when the test says so. */
class ScriptedCa implements CertificateAuthority {
  readonly calls: Call[] = [];

  fetch(identity: Identity, signal: AbortSignal): Promise<WorkloadCertificate> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        identity,
        signal,
        answer: async (certificate) => {
          resolve(certificate);
          await setImmediate();
        },
        refuse: async (error) => {
          reject(error);
          await setImmediate();
        },
      });
    });
  }

  close(): void {
    // Nothing is open.
  }
}

function named(serviceAccount: string): Identity {
  return { ...cart, serviceAccount };
}

async function failure(promise: Promise<unknown>): Promise<CertificateUnavailableError> {
  const error = await promise.then(
    () => expect.fail('was not refused'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(CertificateUnavailableError);
  return error as CertificateUnavailableError;
}

describe('certificate cache', () => {
  let clock: ManualClock;
  let ca: ScriptedCa;
  let signer: FakeCa;
  let cache: CertificateCache;
  let events: CertificateEvent[];
  const down = new Error('the CA is down');

  beforeEach(async () => {
    clock = new ManualClock(startMs);
    ca = new ScriptedCa();
    signer = await FakeCa.create({ now: () => clock.nowMs() });
    cache = new CertificateCache({ ca, clock, concurrency: 2, random: () => 0.5 });
    events = [];
    cache.onUpdate((event) => events.push(event));
  });

  afterEach(() => {
    cache[Symbol.dispose]();
    expect(clock.pendingTimers, 'timers left').to.equal(0);
  });

  async function available(): Promise<WorkloadCertificate> {
    const request = cache.request(cart);
    await ca.calls[0]!.answer(await signer.issue(cart));
    return request;
  }

  it('fetches once for all who wait', async () => {
    const requests = [cache.request(cart), cache.request({ ...cart }), cache.request(cart, 'prefetch')];
    expect(cache.state(cart)).to.deep.equal({ kind: 'initializing' });
    expect(cache.current(cart)).to.equal(undefined);
    expect(ca.calls).to.have.length(1);
    await ca.calls[0]!.answer(await signer.issue(cart));
    const [first, ...others] = await Promise.all(requests);
    for (const other of others) expect(other).to.equal(first);
    expect(cache.current(cart)).to.equal(first);
    expect(await cache.request(cart)).to.equal(first);
    expect(events.map(({ kind }) => kind)).to.deep.equal(['available']);
  });

  it('renews at half life, a little early, and goes on serving meanwhile', async () => {
    const first = await available();
    // Jitter of a half: 2.5 % of half a day before noon, counted from notBefore.
    const dueInMs = ((dayMs + 120_000) / 2) * 0.975 - 120_000;
    clock.advance(dueInMs - 1000);
    expect(ca.calls).to.have.length(1);
    clock.advance(1001);
    expect(ca.calls).to.have.length(2);
    expect(await cache.request(cart)).to.equal(first);
    await ca.calls[1]!.answer(await signer.issue(cart));
    expect(cache.current(cart)?.serialNumber).to.not.equal(first.serialNumber);
    expect(events.map(({ kind }) => kind)).to.deep.equal(['available', 'available']);
  });

  it('renews within seconds when the clock was set forward, or the machine has slept', async () => {
    await available();
    clock.setTime(clock.nowMs() + dayMs / 2);
    clock.advance(10_000);
    expect(ca.calls).to.have.length(2);
  });

  it('says so within seconds when the clock was set beyond the end of a certificate', async () => {
    await available();
    clock.setTime(clock.nowMs() + 2 * dayMs);
    clock.advance(10_001);
    expect(events.at(-1)?.kind).to.equal('unavailable');
    expect(cache.state(cart)?.kind).to.equal('unavailable');
    await ca.calls[1]!.answer(await signer.issue(cart));
    expect(events.at(-1)?.kind).to.equal('available');
  });

  it('asks the CA anew at once when the clock is set right', async () => {
    cache.prefetch([cart]);
    for (let attempt = 0; attempt < 9; attempt++) {
      await ca.calls[attempt]!.refuse(new Error('certificate is not yet valid'));
      if (attempt < 8) clock.advance(150_000);
    }
    clock.setTime(clock.nowMs() + hourMs);
    clock.advance(10_000);
    expect(ca.calls).to.have.length(10);
    await ca.calls[9]!.answer(await signer.issue(cart));
    expect(cache.current(cart)).to.not.equal(undefined);
  });

  it('keeps the valid certificate when renewal fails, and retries ever more slowly', async () => {
    const first = await available();
    clock.advance(dayMs / 2);
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt++) {
      expect(ca.calls, `attempt ${attempt}`).to.have.length(attempt + 1);
      await ca.calls[attempt]!.refuse(down);
      const event = events[events.length - 1]!;
      expect(event.kind).to.equal('renewal-failed');
      if (event.kind === 'renewal-failed') delays.push(event.retryInMs);
      expect(await cache.request(cart)).to.equal(first);
      clock.advance(delays[delays.length - 1]!);
    }
    expect(delays.map((ms) => ms / 1000)).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 128, 150, 150]);
    expect(cache.state(cart)).to.include({ kind: 'available', renewalError: down });
    await ca.calls[11]!.answer(await signer.issue(cart));
    expect(cache.state(cart)).to.include({ kind: 'available', renewalError: undefined });
  });

  it('is unavailable once the certificate expired while the CA was down, and recovers', async () => {
    await available();
    clock.advance(dayMs / 2);
    await ca.calls[1]!.refuse(down);
    clock.advance(1000);
    clock.advance(dayMs / 2);
    expect(events[events.length - 1], 'told at the end, not at the next failure').to.include({
      kind: 'unavailable',
    });
    const error = await failure(cache.request(cart));
    expect(error.code).to.equal('certificate-unavailable');
    expect(error.cause).to.equal(down);
    expect(cache.state(cart)).to.include({ kind: 'unavailable' });
    expect(cache.current(cart)).to.equal(undefined);
    await ca.calls[2]!.refuse(down);
    expect(events[events.length - 1]).to.include({ kind: 'unavailable' });
    clock.advance(2000);
    await ca.calls[3]!.answer(await signer.issue(cart));
    expect(cache.current(cart)).to.not.equal(undefined);
  });

  it('fails those who wait for a first fetch, and later ones at once until a retry succeeded', async () => {
    const waiting = [failure(cache.request(cart)), failure(cache.request(cart))];
    await ca.calls[0]!.refuse(down);
    for (const error of await Promise.all(waiting)) {
      expect(error.cause).to.equal(down);
      expect(error.message).to.include(cartUri).and.include('the CA is down');
    }
    expect((await failure(cache.request(cart))).cause).to.equal(down);
    clock.advance(1000);
    expect(ca.calls).to.have.length(2);
    expect((await failure(cache.request(cart))).cause).to.equal(down);
    await ca.calls[1]!.answer(await signer.issue(cart));
    expect(await cache.request(cart)).to.equal(cache.current(cart));
    expect(clock.pendingTimers, 'renewal, end, and a look at the clock').to.equal(3);
  });

  it('spreads retries by 20 percent either way', async () => {
    for (const [random, expectedMs] of [
      [0, 800],
      [0.999999, 1200],
    ] as const) {
      const own = new CertificateCache({ ca, clock, random: () => random });
      own.prefetch([cart]);
      await ca.calls.at(-1)!.refuse(down);
      expect(clock.nextTimerInMs).to.be.closeTo(expectedMs, 1);
      own[Symbol.dispose]();
    }
  });

  it('asks the CA for so many at a time, connections first, renewals last', async () => {
    cache.prefetch([named('a'), named('b'), named('c'), named('d')]);
    const urgent = cache.request(named('e'));
    const promoted = cache.request(named('d'));
    const asked = (): string[] => ca.calls.map(({ identity }) => identity.serviceAccount);
    expect(asked()).to.deep.equal(['a', 'b']);
    await ca.calls[0]!.answer(await signer.issue(named('a')));
    expect(asked()).to.deep.equal(['a', 'b', 'e']);
    await ca.calls[1]!.refuse(down);
    expect(asked()).to.deep.equal(['a', 'b', 'e', 'd']);
    await ca.calls[2]!.answer(await signer.issue(named('e')));
    await ca.calls[3]!.answer(await signer.issue(named('d')));
    expect((await urgent).identity.serviceAccount).to.equal('e');
    expect((await promoted).identity.serviceAccount).to.equal('d');
    expect(asked()).to.deep.equal(['a', 'b', 'e', 'd', 'c']);
  });

  it('forgets what is dropped: waiters fail, the call is aborted, its late answer is ignored', async () => {
    const waiting = failure(cache.request(cart));
    cache.drop(cart);
    expect((await waiting).code).to.equal('certificate-dropped');
    expect(ca.calls[0]!.signal.aborted).to.be.true;
    expect(cache.state(cart)).to.equal(undefined);
    const again = cache.request(cart);
    await ca.calls[0]!.answer(await signer.issue(cart));
    expect(cache.state(cart)).to.deep.equal({ kind: 'initializing' });
    await ca.calls[1]!.answer(await signer.issue(cart));
    expect(await again).to.equal(cache.current(cart));
    cache.drop(cart);
    cache.drop(cart);
    expect(events.map(({ kind }) => kind)).to.deep.equal(['dropped', 'available', 'dropped']);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('trusts old and new roots until the leaf of the old reply has ended', async () => {
    const first = await available();
    expect(first.rootsPem).to.deep.equal([signer.rootPem]);
    const successor = await fakeCa(startMs + dayMs / 2);
    clock.advance(dayMs / 2);
    await ca.calls[1]!.answer(await successor.issue(cart));
    expect(cache.current(cart)?.rootsPem).to.deep.equal([successor.rootPem, signer.rootPem]);
    // The next renewal comes about when the first leaf ends: its root goes with the leaf, and listeners hear it.
    clock.advance(first.notAfterMs - clock.nowMs());
    expect(cache.current(cart)?.rootsPem).to.have.length(2);
    clock.advance(1);
    expect(cache.current(cart)?.rootsPem).to.deep.equal([successor.rootPem]);
    const last = events[events.length - 1]!;
    expect(last.kind === 'available' && last.certificate.rootsPem).to.deep.equal([successor.rootPem]);
  });

  it('never renews in a tight loop, however old the certificate is that the CA gives', async () => {
    const request = cache.request(cart);
    const old = { notBeforeMs: startMs - dayMs, notAfterMs: startMs + 1000 };
    await ca.calls[0]!.answer(await signer.issue(cart, old));
    await request;
    expect(clock.nextTimerInMs).to.equal(1000);
  });

  it('asks at half of what is left when this clock is so far ahead that half is over at once', async () => {
    const request = cache.request(cart);
    const aheadMs = 20 * 60_000;
    const leftMs = hourMs - aheadMs - 15 * 60_000;
    const reply = { notBeforeMs: clock.nowMs() + leftMs - hourMs, notAfterMs: clock.nowMs() + leftMs };
    await ca.calls[0]!.answer(await signer.issue(cart, reply));
    await request;
    clock.advance((leftMs / 2) * 0.975 - 1);
    expect(ca.calls).to.have.length(1);
    clock.advance(1);
    expect(ca.calls).to.have.length(2);
  });

  it('is shown on the admin page', async () => {
    cache.prefetch([cart, named('other')]);
    await ca.calls[0]!.answer(await signer.issue(cart));
    await ca.calls[1]!.refuse(down);
    cache.prefetch([named('third')]);
    const dump = cache.dump();
    expect(dump.map(({ identity, state }) => [identity, state])).to.deep.equal([
      [cartUri, 'Available'],
      ['spiffe://cluster.local/ns/shop/sa/other', 'Unavailable'],
      ['spiffe://cluster.local/ns/shop/sa/third', 'Initializing'],
    ]);
    expect(dump[0]!.certChain).to.have.length(1);
    expect(dump[0]!.rootCerts).to.have.length(1);
    expect(dump[1]!.reason).to.equal('the CA is down');
    expect(JSON.stringify(dump)).to.not.include('PRIVATE');
  });

  it('works with a CA in the same process', async () => {
    const own = new CertificateCache({ ca: signer, clock, random: Math.random });
    const certificate = await own.request(cart);
    expect(certificate.identity).to.deep.equal(cart);
    own[Symbol.dispose]();
  });
});
