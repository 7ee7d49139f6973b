import { expect } from 'chai';

import { IssuedLog } from './issued-log.ts';

const account = (serviceAccount: string) => ({
  trustDomain: 'cluster.local',
  namespace: 'shop',
  serviceAccount,
});
const till = account('till');
const lifeMs = 1000;

function issue(log: IssuedLog, identity = till, atMs = 0): void {
  log.add(identity, { serialNumber: String(atMs), issuedMs: atMs, notAfterMs: atMs + lifeMs });
}

describe('log of issued certificates', () => {
  it('finds what was issued up to a time and is valid', () => {
    const log = new IssuedLog();
    for (const atMs of [0, 500, 900]) issue(log, till, atMs);
    const found = (untilMs: number, nowMs: number): number[] =>
      log.find(till, untilMs, nowMs).map(({ issuedMs }) => issuedMs);
    expect(found(500, 900)).to.deep.equal([0, 500]);
    expect(found(900, 1000)).to.deep.equal([500, 900]);
    expect(log.find(account('cart'), 900, 900)).to.deep.equal([]);
  });

  it('forgets what has ended, of an account that goes on too, without a look at all of it each time', () => {
    const log = new IssuedLog();
    for (let atMs = 0; atMs < 20 * lifeMs; atMs += 10) issue(log, till, atMs);
    expect(log.size).to.be.at.most((2 * lifeMs) / 10);
    issue(log, account('cart'), 100 * lifeMs);
    expect(log.size).to.equal(1);
  });

  it('is bounded: the identity that asked longest ago goes first', () => {
    const log = new IssuedLog(10);
    for (let index = 0; index < 11; index++) issue(log, account(`a${index}`), index);
    expect(log.size).to.equal(10);
    expect(log.find(account('a0'), 100, 100)).to.be.empty;
    expect(log.find(account('a1'), 100, 100)).to.have.length(1);
  });
});
