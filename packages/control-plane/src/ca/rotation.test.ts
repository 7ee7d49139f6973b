import { X509Certificate } from 'node:crypto';

import { expect } from 'chai';
import fc from 'fast-check';

import { cacerts, dayMs, startMs, testCa } from './ca.test-data.ts';
import type { TestCa } from './ca.test-data.ts';
import { readPluggedIn } from './ca-files.ts';
import { advance, initialTrust, nextStepMs, offer, successorDueMs } from './rotation.ts';
import type { TrustState } from './rotation.ts';
import { readRotationRecord, writeRotationRecord } from './rotation-record.ts';
import { rootId } from './signing-authority.ts';
import type { SigningAuthority } from './signing-authority.ts';

const overlapMs = 25 * 3600 * 1000;
const ttlMs = dayMs;

describe('rotation', () => {
  let rootA: TestCa;
  let authorities: { a: SigningAuthority; a2: SigningAuthority; b: SigningAuthority; c: SigningAuthority };

  before(async () => {
    const years = { notAfterMs: startMs + 3000 * dayMs };
    rootA = await testCa('root A', years);
    const rootB = await testCa('root B', years);
    const rootC = await testCa('root C', years);
    const make = async (root: TestCa, name: string): Promise<SigningAuthority> =>
      readPluggedIn(cacerts(await testCa(name, { parent: root, ...years }), root.certificate), 'cacerts')!;
    authorities = {
      a: await make(rootA, 'issuing A'),
      a2: await make(rootA, 'issuing A2'),
      b: await make(rootB, 'issuing B'),
      c: await make(rootC, 'issuing C'),
    };
  });

  const roots = (state: TrustState): string[] => state.roots.map(({ id }) => id);

  it('hands out a new root for the overlap before its authority signs, and the old one for as long after', () => {
    const { a, b } = authorities;
    let state = offer(initialTrust(a), b, 'offered', startMs).state;
    expect(state.signing).to.equal(a);
    expect(roots(state)).to.deep.equal([a.anchorId, b.anchorId]);
    expect(nextStepMs(state, overlapMs)).to.equal(startMs + overlapMs);
    expect(advance(state, startMs + overlapMs - 1, overlapMs).state).to.equal(state);

    const promotedMs = startMs + overlapMs;
    const step = advance(state, promotedMs, overlapMs);
    expect(step.events).to.deep.equal([{ kind: 'signing', authority: b, early: false }]);
    state = step.state;
    expect(state.signing).to.equal(b);
    expect(roots(state)).to.deep.equal([b.anchorId, a.anchorId]);

    expect(roots(advance(state, promotedMs + overlapMs - 1, overlapMs).state)).to.include(a.anchorId);
    state = advance(state, promotedMs + overlapMs, overlapMs).state;
    expect(roots(state)).to.deep.equal([b.anchorId]);
    expect(nextStepMs(state, overlapMs)).to.equal(undefined);
  });

  it('has a new intermediate under a known root sign at once', () => {
    const { a, a2 } = authorities;
    const offered = offer(initialTrust(a), a2, 'offered', startMs);
    const { state } = advance(offered.state, startMs, overlapMs);
    expect(state.signing).to.equal(a2);
    expect(roots(state)).to.deep.equal([a.anchorId]);
  });

  it('goes back at once to an authority whose root is still trusted', () => {
    const { a, b } = authorities;
    let state = advance(
      offer(initialTrust(a), b, 'offered', startMs).state,
      startMs + overlapMs,
      overlapMs,
    ).state;
    const laterMs = startMs + overlapMs + 1000;
    state = advance(offer(state, a, 'offered', laterMs).state, laterMs, overlapMs).state;
    expect(state.signing).to.equal(a);
    expect(state.retired.map(({ authority }) => authority.id)).to.deep.equal([b.id]);
  });

  it('forgets what is withdrawn before it signed, but not what it made itself', () => {
    const { a, b, c } = authorities;
    const state = offer(initialTrust(a), b, 'offered', startMs).state;
    expect(roots(offer(state, a, 'offered', startMs + 1).state)).to.deep.equal([a.anchorId]);
    const replaced = offer(state, c, 'offered', startMs + 1);
    expect(roots(replaced.state)).to.deep.equal([a.anchorId, c.anchorId]);
    expect(replaced.events.map(({ kind }) => kind)).to.deep.equal(['withdrawn', 'waiting']);
    const generated = offer(initialTrust(a), b, 'generated', startMs).state;
    expect(offer(generated, a, 'offered', startMs + 1).state.waiting?.authority).to.equal(b);
  });

  it('does not wait longer than the signing authority lives', async () => {
    const short = await testCa('short', { parent: rootA, notAfterMs: startMs + 3 * 3600 * 1000 });
    const signing = readPluggedIn(cacerts(short, rootA.certificate), 'cacerts')!;
    const { state } = offer(initialTrust(signing), authorities.b, 'offered', startMs);
    const dueMs = nextStepMs(state, overlapMs)!;
    expect(dueMs).to.be.below(signing.notAfterMs).and.above(startMs);
    expect(advance(state, dueMs, overlapMs).events).to.deep.equal([
      { kind: 'signing', authority: authorities.b, early: true },
    ]);
  });

  it('wants a successor after four fifths of a life, and early enough for both overlaps', () => {
    const { a } = authorities;
    const lifeMs = a.notAfterMs - a.notBeforeMs;
    expect(successorDueMs(a, overlapMs)).to.equal(a.notBeforeMs + lifeMs * 0.8);
    expect(successorDueMs(a, lifeMs / 4)).to.equal(a.notAfterMs - lifeMs / 2);
    expect(successorDueMs(a, lifeMs)).to.equal(a.notBeforeMs + lifeMs / 2);
  });

  it('is the same again after a restart', () => {
    const { a, b, c } = authorities;
    let state = advance(
      offer(initialTrust(a), b, 'offered', startMs).state,
      startMs + overlapMs,
      overlapMs,
    ).state;
    state = offer(state, c, 'offered', startMs + overlapMs + 5).state;
    const read = readRotationRecord(writeRotationRecord({ state, heededRequest: 'x' }), 'Secret');
    expect(read.heededRequest).to.equal('x');
    expect(writeRotationRecord(read)).to.deep.equal(writeRotationRecord({ state, heededRequest: 'x' }));
    expect(read.state.signing.signer.keyId).to.deep.equal(b.signer.keyId);
  });

  it('at each moment, every valid leaf verifies at every proxy that holds a valid leaf [property]', () => {
    // A proxy renews at half life, later, or never: its roots are those of its last reply, good until its leaf expires.
    const event = fc.oneof(
      fc.record({
        kind: fc.constant('offer' as const),
        who: fc.constantFrom('a' as const, 'a2' as const, 'b' as const, 'c' as const),
      }),
      fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ kind: fc.constant('renew' as const), proxy: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    );
    let promotions = 0;
    let comparisons = 0;
    fc.assert(
      fc.property(fc.array(event, { minLength: 5, maxLength: 60 }), (events) => {
        let nowMs = startMs;
        let state = initialTrust(authorities.a);
        const proxies = new Map<number, { anchor: string; trusts: readonly string[]; untilMs: number }>();
        for (const step of events) {
          if (step.kind === 'offer') state = offer(state, authorities[step.who], 'offered', nowMs).state;
          else if (step.kind === 'wait') nowMs += step.hours * 3600 * 1000;
          else if (step.kind === 'restart')
            state = readRotationRecord(writeRotationRecord({ state, heededRequest: '' }), 'Secret').state;
          const advanced = advance(state, nowMs, overlapMs);
          promotions += advanced.events.filter(({ kind }) => kind === 'signing').length;
          state = advanced.state;
          expect(roots(state)[0], 'root of the signing authority first').to.equal(state.signing.anchorId);
          if (step.kind === 'renew')
            proxies.set(step.proxy, {
              anchor: state.signing.anchorId,
              trusts: roots(state),
              untilMs: nowMs + ttlMs,
            });
          const alive = Array.from(proxies.values()).filter(({ untilMs }) => untilMs > nowMs);
          for (const client of alive)
            for (const server of alive) {
              comparisons += 1;
              expect(server.trusts).to.include(client.anchor);
            }
        }
      }),
      { numRuns: 300 },
    );
    expect(promotions, 'the property saw rotations').to.be.above(50);
    expect(comparisons).to.be.above(1000);
  }).timeout(30_000);

  it('names roots by their bytes', () => {
    const { a } = authorities;
    expect(rootId(a.rootsPem[0]!)).to.equal(a.anchorId);
    expect(new X509Certificate(a.rootsPem[0]!).fingerprint256.replaceAll(':', '').toLowerCase()).to.match(
      new RegExp(`^${a.anchorId}`),
    );
  });

  describe('record', () => {
    it('that was changed by hand is refused by name, and its keys are quoted nowhere', () => {
      const { a, b } = authorities;
      const state = offer(initialTrust(a), b, 'offered', startMs).state;
      const good = writeRotationRecord({ state, heededRequest: '' });
      const state0 = JSON.parse(good['state.json']!) as object;
      const rows: [string, Record<string, string>][] = [
        ['no state', { ...good, 'state.json': '' }],
        ['no JSON', { ...good, 'state.json': a.keyPem }],
        ['an array', { ...good, 'state.json': '[]' }],
        ['null', { ...good, 'state.json': 'null' }],
        ['another version', { ...good, 'state.json': JSON.stringify({ ...state0, version: 2 }) }],
        [
          'a time that is none',
          { ...good, 'state.json': JSON.stringify({ ...state0, roots: [{ id: 'x', sinceMs: 'y' }] }) },
        ],
        [
          'an authority that is not there',
          { ...good, 'state.json': JSON.stringify({ ...state0, signing: 'ffff' }) },
        ],
        [
          'an unknown origin',
          { ...good, 'state.json': JSON.stringify({ ...state0, waiting: { id: b.id, origin: 'x' } }) },
        ],
        ['no roots', { ...good, 'roots.pem': '' }],
        ['a key of another', { ...good, [`${a.id}.key.pem`]: b.keyPem }],
        [
          'a certificate of another',
          { ...good, [`${a.id}.cert.pem`]: b.certificatePem, [`${a.id}.key.pem`]: b.keyPem },
        ],
        [
          'its own root left out',
          { ...good, 'state.json': JSON.stringify({ ...state0, roots: [{ id: b.anchorId, sinceMs: 0 }] }) },
        ],
      ];
      for (const [what, files] of rows)
        expect(() => readRotationRecord(files, 'Secret x'), what)
          .to.throw(/Secret x was changed by hand/)
          .with.property('message')
          .that.does.not.include('PRIVATE');
    });
  });
});
