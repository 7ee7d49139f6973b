import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaClient, FakeCa } from '@ambient/identity';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { dedicatedSettings } from '../testing/dedicated-settings.ts';
import { recordingLog } from '../testing/log-lines.ts';
import { openCertificateAuthority } from './open-authority.ts';

describe('openCertificateAuthority', () => {
  const clock = new ManualClock();

  it('opens the throwaway CA with a warning, and with the lifetime of SECRET_TTL', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fake-ca-'));
    const settings = await dedicatedSettings({ FAKE_CA_DIR: directory, SECRET_TTL: '1h' });
    const { log, lines } = recordingLog('ca');
    const ca = await openCertificateAuthority(settings, clock, log);
    expect(ca).instanceOf(FakeCa);
    expect(lines[0]).match(/^warn\tca\tFAKE_CA is on/);
    const certificate = await ca.fetch({
      trustDomain: 'cluster.local',
      namespace: 'a',
      serviceAccount: 'client',
    });
    expect(certificate.notAfterMs).equal(clock.nowMs() + 3_600_000);
    rmSync(directory, { recursive: true });
  });

  it('opens the CA of the settings, and names an address that is none', async () => {
    const { log, lines } = recordingLog('ca');
    const real = { FAKE_CA: 'false', CA_ADDRESS: 'istiod:15012' };
    const settings = await dedicatedSettings(real);
    const ca = await openCertificateAuthority(settings, clock, log);
    expect(ca).instanceOf(CaClient);
    ca.close();
    expect([lines, clock.pendingTimers]).deep.equal([[], 0]);
    const odd = { ...settings, ca: { ...settings.ca, address: 'https://istiod:15012/path' } };
    const error = await openCertificateAuthority(odd, clock, log).catch((reason: unknown) => reason);
    expect(error).property('code', 'ca-address');
  });
});
