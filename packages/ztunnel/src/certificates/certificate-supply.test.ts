import { CertificateCache, FakeCa } from '@ambient/identity';
import type { CertificateAuthority } from '@ambient/identity';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { recordingLog } from '../testing/log-lines.ts';
import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';
import { CertificateSupply } from './certificate-supply.ts';
import { openingAuthority } from './open-authority.ts';

const spiffe = 'spiffe://cluster.local/ns/a/sa/client';
const identity = { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'client' };

function worker(): WorkerLink & { readonly posted: string[]; readonly messages: ToWorker[] } {
  const messages: ToWorker[] = [];
  return {
    index: 0,
    messages,
    get posted() {
      return messages.map((message) =>
        message.kind === 'certificate-failed' ? `failed: ${message.message}` : message.kind,
      );
    },
    post: (message) => void messages.push(message),
  };
}

describe('CertificateSupply', () => {
  const clock = new ManualClock();
  let ca: FakeCa;
  before(async () => {
    ca = await FakeCa.create({ now: () => clock.nowMs() });
  });

  /** All workers are one: `all`. */
  function setup(authority: CertificateAuthority, only?: { namespace: string; serviceAccount: string }) {
    const all = worker();
    const { log, lines } = recordingLog('ca');
    const cache = new CertificateCache({ ca: authority, clock, random: () => 0.5 });
    const heard = Promise.withResolvers<void>();
    const supply = new CertificateSupply({
      cache,
      toWorkers: (message) => all.post(message),
      only,
      clock,
      log,
    });
    cache.onUpdate(() => heard.resolve());
    return { all, lines, cache, supply, heard: heard.promise };
  }

  it('answers a need by telling all workers, later ones at once, and new ones unasked', async () => {
    const { all, cache, supply, heard, lines } = setup(ca);
    supply.need(all, spiffe);
    expect(all.posted).deep.equal([]);
    await heard;
    expect(all.posted).deep.equal(['certificate']);
    const [message] = all.messages as [Extract<ToWorker, { kind: 'certificate' }>];
    expect(message.identity).equal(spiffe);
    expect(message.material.privateKeyPem).match(/^-----BEGIN PRIVATE KEY-----/);
    expect(message.material.rootsPem).deep.equal([ca.rootPem]);
    expect(lines[0]).match(/^info\tca\tcertificate obtained/);
    const second = worker();
    supply.need(second, spiffe);
    supply.introduce(second);
    expect(second.posted).deep.equal(['certificate', 'certificate']);
    cache.drop(identity);
    expect(all.posted.at(-1)).match(/^failed: the last workload/);
    const third = worker();
    supply.introduce(third);
    expect(third.posted).deep.equal([]);
    supply[Symbol.dispose]();
    cache[Symbol.dispose]();
  });

  it('says that the clock of this node is behind that of the CA', async () => {
    const ahead = await FakeCa.create({ now: () => clock.nowMs() + 3_600_000 });
    const { all, cache, supply, heard, lines } = setup(ahead);
    supply.need(all, spiffe);
    await heard;
    expect(lines[1]).match(/^warn\tca\tthe certificate is not valid yet by the clock of this node/);
    expect(all.posted).deep.equal(['certificate']);
    supply[Symbol.dispose]();
    cache[Symbol.dispose]();
  });

  it('tells why there is none, also to those who ask later', async () => {
    const broken = { fetch: () => Promise.reject(new Error('CA is away')), close: () => {} };
    const { all, cache, supply, heard, lines } = setup(broken);
    supply.need(all, spiffe);
    await heard;
    expect(all.posted[0]).match(/^failed: .*CA is away/);
    const second = worker();
    supply.need(second, spiffe);
    expect(second.posted[0]).match(/^failed: CA is away/);
    expect(lines[0]).match(/^error\tca\tno certificate/);
    cache[Symbol.dispose]();
  });

  it('asks the CA of a dedicated proxy for its own identity only, and never for a malformed one', () => {
    const { all, cache, supply } = setup(ca, { namespace: 'a', serviceAccount: 'client' });
    supply.need(all, 'spiffe://cluster.local/ns/a/sa/other');
    supply.need(all, 'spiffe://cluster.local/other');
    expect(all.posted.map((text) => text.includes('PROXY_WORKLOAD_INFO'))).deep.equal([true, true]);
    expect(cache.dump()).deep.equal([]);
    cache[Symbol.dispose]();
  });

  it('lets fetches wait for a CA that is being opened, and fail with it', async () => {
    const opening = Promise.withResolvers<CertificateAuthority>();
    const fetching = openingAuthority(opening.promise).fetch(identity);
    opening.resolve(ca);
    expect((await fetching).identity).deep.equal(identity);
    const failed = openingAuthority(Promise.reject(new Error('no directory')));
    const error = await failed.fetch(identity).catch((reason: unknown) => reason);
    expect((error as Error).message).equal('no directory');
    failed.close();
  });
});
