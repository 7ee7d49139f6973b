import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateCache, FakeCa } from '@ambient/identity';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { recordingLink } from '../testing/links.ts';
import { recordingLog } from '../testing/log-lines.ts';
import type { ToWorker } from '../worker/messages.ts';
import { RevocationSupply } from './revocation-supply.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'client' };
/** Past the poll of the file and its debounce. */
const settledMs = 12_001;

describe('RevocationSupply', () => {
  let directory: string;
  let path: string;
  let ca: FakeCa;
  const clock = new ManualClock();

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'crl-'));
    path = join(directory, 'ca-crl.pem');
    ca = await FakeCa.create({ now: () => clock.nowMs() });
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
    expect(clock.pendingTimers).equal(0);
  });

  function setup(crlPath: string | undefined) {
    const sent: ToWorker[] = [];
    const { log, lines } = recordingLog('crl');
    const cache = new CertificateCache({ ca, clock, random: () => 0.5 });
    const supply = new RevocationSupply({
      path: crlPath,
      cache,
      toWorkers: (message) => void sent.push(message),
      clock,
      log,
    });
    const close = (): void => {
      supply[Symbol.dispose]();
      cache[Symbol.dispose]();
    };
    return { sent, lines, cache, supply, close };
  }

  it('sends the lists of the start to each new worker, and each new set to all', async () => {
    writeFileSync(path, await ca.revocationList(['01']));
    const { sent, supply, close } = setup(path);
    const link = recordingLink();
    supply.introduce(link);
    expect(link.posted.map(({ kind }) => kind)).deep.equal(['revocations']);
    expect(structuredClone(link.posted)).deep.equal(link.posted);
    writeFileSync(path, await ca.revocationList(['01', '02']));
    clock.advance(settledMs);
    expect(sent.map(({ kind }) => kind)).deep.equal(['revocations']);
    close();
  });

  it('puts lists out of force that the CA of our certificates did not sign', async () => {
    const stranger = await FakeCa.create({ now: () => clock.nowMs() });
    writeFileSync(path, await stranger.revocationList(['01']));
    const { sent, lines, cache, close } = setup(path);
    // Both CAs have the same name, and other keys.
    await cache.request(identity);
    expect(lines.join('\n')).match(/^error.*its CA did not sign/m);
    expect(sent).deep.equal([{ kind: 'revocations', revocations: new Map() }]);
    close();
  });

  it('sends nothing without CRL_PATH, or before there is a list', () => {
    for (const crlPath of [undefined, path]) {
      const { sent, supply, close } = setup(crlPath);
      const link = recordingLink();
      supply.introduce(link);
      expect([link.posted, sent]).deep.equal([[], []]);
      close();
    }
  });
});
