import { formatSpiffe } from '@ambient/identity';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { dayMs, FakeMetrics, FakeSecrets, recordingLogger, startMs } from './ca.test-data.ts';
import { CaMaterialError } from './ca-material-error.ts';
import { IssuedKeeper } from './issued-keeper.ts';
import { IssuedLog } from './issued-log.ts';
import type { IssuedEntry } from './issued-log.ts';
import {
  issuedSecretName,
  issuedSecretNames,
  mergeIssued,
  readIssuedRecord,
  writeIssuedRecord,
} from './issued-record.ts';

const account = (serviceAccount: string) => ({
  trustDomain: 'cluster.local',
  namespace: 'shop',
  serviceAccount,
});
const till = account('till');

function entry(serialNumber: string, changes: Partial<IssuedEntry> = {}): IssuedEntry {
  return { serialNumber, issuedMs: startMs, notAfterMs: startMs + dayMs, ...changes };
}

describe('record of what was issued', () => {
  let secrets: FakeSecrets;
  let clock: ManualClock;
  let lines: string[];
  const opened: IssuedKeeper[] = [];

  beforeEach(() => {
    secrets = new FakeSecrets();
    clock = new ManualClock(startMs);
  });
  afterEach(() => {
    for (const each of opened.splice(0)) each[Symbol.dispose]();
    expect(clock.pendingTimers).to.equal(0);
  });

  function replica(): IssuedKeeper {
    const recording = recordingLogger();
    lines = recording.lines;
    const made = new IssuedKeeper({
      secrets,
      log: new IssuedLog(),
      clock,
      logger: recording.logger,
      metrics: new FakeMetrics(),
    });
    opened.push(made);
    return made;
  }

  const serials = async (it: IssuedKeeper, identity = till): Promise<string[]> =>
    (await it.stored(identity)).entries.map(({ serialNumber }) => serialNumber);

  it('is stored after a while, and known to whoever starts later', async () => {
    const first = replica();
    first.add(till, entry('0a'));
    first.add(till, entry('0b'));
    first.add(account('cart'), entry('0c'));
    expect(secrets.writes).to.equal(0);
    clock.advance(15_000);
    await first.store();
    expect(await serials(replica())).to.deep.equal(['0a', '0b']);
    expect(await serials(replica(), account('cart'))).to.deep.equal(['0c']);
    expect(await serials(replica(), account('nobody'))).to.deep.equal([]);
  });

  it('keeps what two replicas store at once, and forgets what has ended', async () => {
    const [one, two] = [replica(), replica()];
    one.add(till, entry('0a', { notAfterMs: startMs + 1000 }));
    one.add(till, entry('0b'));
    two.add(till, entry('0c'));
    let between = true;
    secrets.beforeWrite = () => {
      if (!between) return;
      between = false;
      const name = issuedSecretName(till);
      secrets.put(
        name,
        writeIssuedRecord({ issued: new Map([[formatSpiffe(till), [entry('0d')]]]), forgottenMs: 0 }),
      );
    };
    await Promise.all([one.store(), two.store()]);
    expect((await serials(one)).toSorted()).to.deep.equal(['0a', '0b', '0c', '0d']);
    clock.advance(2000);
    two.add(till, entry('0e'));
    await two.store();
    expect((await serials(one)).toSorted()).to.deep.equal(['0b', '0c', '0d', '0e']);
  });

  it('is tried again when the API server was away, with one line in the log', async () => {
    const it = replica();
    it.add(till, entry('0a'));
    secrets.down = true;
    await it.store();
    await it.store();
    expect(lines.filter((line) => line.includes('cannot be stored'))).to.have.length(1);
    secrets.down = false;
    it.add(till, entry('0b'));
    await it.store();
    expect(await serials(it)).to.deep.equal(['0a', '0b']);
  });

  it('is bounded: what ends first is left out, and it says up to when something is missing', () => {
    const issued = new Map(
      Array.from({ length: 300 }, (_, account) => [
        `spiffe://cluster.local/ns/shop/sa/account-${account}`,
        Array.from({ length: 100 }, (_, index) =>
          entry(Buffer.from(`${account}-${index}`.padEnd(16, '.')).toString('hex'), {
            notAfterMs: startMs + (account * 100 + index) * 1000,
          }),
        ),
      ]),
    );
    const files = writeIssuedRecord({ issued, forgottenMs: 0 });
    expect(files['issued.json']!.length).to.be.within(800_000, 900_000);
    const record = readIssuedRecord(files, 'Secret');
    expect(record.issued.has('spiffe://cluster.local/ns/shop/sa/account-299')).to.equal(true);
    expect(record.issued.has('spiffe://cluster.local/ns/shop/sa/account-0')).to.equal(false);
    expect(record.forgottenMs).to.be.above(startMs);
    const alive = [...record.issued.values()].flat();
    expect(alive.every(({ notAfterMs }) => notAfterMs > record.forgottenMs)).to.equal(true);
    expect(mergeIssued(record, new Map(), record.forgottenMs).forgottenMs, 'once they have ended').to.equal(
      0,
    );
  });

  for (const [what, text] of [
    ['no JSON', '{'],
    ['null', 'null'],
    ['another version', '{"version":2,"forgottenMs":0,"issued":{}}'],
    [
      'a serial number that is none',
      '{"version":1,"forgottenMs":0,"issued":{"spiffe://c/ns/a/sa/b":[["zz",1,2]]}}',
    ],
    ['an identity that is none', '{"version":1,"forgottenMs":0,"issued":{"bob":[["0a",1,2]]}}'],
  ] as const)
    it(`that was changed by hand is refused by name: ${what}`, () =>
      expect(() => readIssuedRecord({ 'issued.json': text }, 'Secret s'))
        .to.throw(CaMaterialError, /^Secret s .*Delete it/)
        .with.property('code', 'record-malformed'));

  it('is spread over Secrets whose names a role can list', () => {
    const used = new Set(Array.from({ length: 500 }, (_, index) => issuedSecretName(account(`a${index}`))));
    expect([...used].toSorted()).to.deep.equal(issuedSecretNames);
  });
});
