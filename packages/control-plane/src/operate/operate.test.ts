import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import {
  cacerts,
  dayMs,
  FakeMetrics,
  FakeSecrets,
  recordingLogger,
  startMs,
  testCa,
} from '../ca/ca.test-data.ts';
import { AuthorityKeeper, caSecretNames } from '../ca/authority-keeper.ts';
import { IssuedLog } from '../ca/issued-log.ts';
import { RevocationKeeper } from '../ca/revocation-keeper.ts';
import { OperatorError } from './operator-error.ts';
import { revoke } from './revoke.ts';
import type { RevokeOptions } from './revoke.ts';
import { rotateRoot } from './rotate-root.ts';
import type { RotateRootOptions } from './rotate-root.ts';

const till = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'till' };
const overlapMs = dayMs;

describe('commands of operators', () => {
  let secrets: FakeSecrets;
  let clock: ManualClock;
  let authorities: AuthorityKeeper;
  let revocations: RevocationKeeper;
  let issued: IssuedLog;
  let said: string[];

  beforeEach(() => {
    secrets = new FakeSecrets();
    clock = new ManualClock(startMs);
    issued = new IssuedLog();
    said = [];
    const common = { secrets, clock, logger: recordingLogger().logger, metrics: new FakeMetrics() };
    authorities = new AuthorityKeeper({
      ...common,
      folder: undefined,
      selfSigned: { keyType: 'ec', trustDomain: 'cluster.local' },
      overlapMs,
    });
    revocations = new RevocationKeeper({
      ...common,
      trust: () => authorities.state,
      issued,
      stored: () => Promise.resolve({ entries: [], forgottenMs: 0 }),
      maxTtlMs: dayMs,
    });
  });
  afterEach(() => {
    authorities[Symbol.dispose]();
    revocations[Symbol.dispose]();
    expect(clock.pendingTimers).to.equal(0);
  });

  async function leads(): Promise<void> {
    await authorities.start();
    await authorities.lead();
    await revocations.lead();
  }

  /** Lets time go by until the command has ended. `meanwhile` is what the control plane does at each look of it. */
  async function outcome<T>(command: Promise<T>, meanwhile: () => Promise<void> = () => Promise.resolve()) {
    const settled: { result?: T; error?: unknown }[] = [];
    command.then(
      (result) => settled.push({ result }),
      (error: unknown) => settled.push({ error }),
    );
    while (settled.length === 0) {
      await meanwhile();
      await new Promise<void>((resolve) => setImmediate(resolve));
      clock.advance(250);
    }
    return settled[0]!;
  }

  describe('revoke', () => {
    function options(target: RevokeOptions['target']): RevokeOptions {
      return {
        secrets,
        publishedLists: () => Promise.resolve(revocations.listsPem),
        target,
        reason: 'keyCompromise',
        maxTtlMs: dayMs,
        clock,
        say: (line) => said.push(line),
      };
    }

    it('ends when the list with the certificate is published', async () => {
      await leads();
      const { result } = await outcome(revoke(options({ kind: 'serial', serialNumber: '0a' })), () =>
        revocations.refresh(),
      );
      expect(result).to.deep.equal(['0a']);
      expect(revocations.isRevoked('0a')).to.equal(true);
      expect(said.at(-1)).to.match(/^published/);
    });

    it('says which certificates of an identity it has revoked, and not those of before', async () => {
      await leads();
      await revocations.revokeSerial('0b', 'superseded');
      for (const serialNumber of ['0b', '0c', '0d'])
        issued.add(till, { serialNumber, issuedMs: startMs, notAfterMs: startMs + dayMs });
      const { result } = await outcome(revoke(options({ kind: 'identity', identity: till })), () =>
        revocations.refresh(),
      );
      expect(result).to.deep.equal(['0c', '0d']);
      expect(said.at(-1)).to.equal(
        '2 certificates of spiffe://cluster.local/ns/shop/sa/till are revoked: 0c, 0d',
      );
    });

    it('says so if an identity has no valid certificate', async () => {
      await leads();
      const { result } = await outcome(revoke(options({ kind: 'identity', identity: till })), () =>
        revocations.refresh(),
      );
      expect(result).to.deep.equal([]);
      expect(said.at(-1)).to.match(/^no valid certificate of spiffe/);
    });

    it('leaves it on record, and says so, if no control plane runs', async () => {
      const { error } = await outcome(revoke(options({ kind: 'serial', serialNumber: '0a' })));
      expect(error).to.be.instanceOf(OperatorError).with.property('code', 'not-taken-up');
      await leads();
      expect(revocations.isRevoked('0a')).to.equal(true);
      expect(revocations.listsPem).to.contain('BEGIN X509 CRL');
    });

    it('does not take a damaged list for one that holds the certificate', async () => {
      await leads();
      const damaged = '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n';
      const { error } = await outcome(
        revoke({
          ...options({ kind: 'serial', serialNumber: '0a' }),
          publishedLists: () => Promise.resolve(damaged),
        }),
      );
      expect(error).to.have.property('code', 'not-taken-up');
    });
  });

  describe('rotate-root', () => {
    function options(follow: boolean): RotateRootOptions {
      return {
        secrets,
        annotate: (secret, name, value) => Promise.resolve(secrets.annotate(secret, { [name]: value })),
        follow,
        clock,
        say: (line) => said.push(line),
      };
    }
    const step = (): Promise<void> => authorities.refresh();

    it('ends when the new root is handed out', async () => {
      await leads();
      const { error } = await outcome(rotateRoot(options(false)), step);
      expect(error).to.equal(undefined);
      expect(authorities.state.roots).to.have.length(2);
      expect(said[1]).to.match(/^root \w{16} signs; root \w{16} is handed out and will sign$/);
    });

    it('follows until the old root is gone', async () => {
      await leads();
      const old = authorities.state.signing.anchorId;
      const { error } = await outcome(rotateRoot(options(true)), async () => {
        await step();
        if (authorities.state.roots.length > 1) clock.advance(overlapMs / 10);
      });
      expect(error).to.equal(undefined);
      expect(authorities.state.roots.map(({ id }) => id)).to.not.include(old);
      expect(said.at(-1)).to.equal(`root ${authorities.state.signing.anchorId} signs`);
      expect(said.at(-2)).to.contain(`root ${old} signs no more and is still trusted`);
    });

    it('refuses where no control plane has led, naming what to check', async () => {
      const { error } = await outcome(rotateRoot(options(false)));
      expect(error).to.have.property('code', 'no-ca');
      expect((error as Error).message).to.contain('--namespace');
    });

    it('refuses a CA that is plugged in, and says how that is rotated', async () => {
      await leads();
      const root = await testCa('root');
      secrets.put(caSecretNames.pluggedIn, cacerts(root, root.certificate));
      const { error } = await outcome(rotateRoot(options(false)));
      expect(error).to.have.property('code', 'plugged-in');
    });

    it('refuses while a rotation is under way', async () => {
      await leads();
      await outcome(rotateRoot(options(false)), step);
      const { error } = await outcome(rotateRoot(options(false)), step);
      expect(error).to.have.property('code', 'rotating');
    });

    it('says so if nobody takes it up', async () => {
      await leads();
      authorities[Symbol.dispose]();
      const { error } = await outcome(rotateRoot(options(false)));
      expect(error).to.have.property('code', 'not-taken-up');
    });
  });
});
