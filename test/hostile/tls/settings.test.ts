import { expect } from 'chai';
import { CLIENT_PREFACE, connectFrame } from '@ambient/testkit/hostile-peer';
import type { HandshakeOptions } from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, useRig } from '../peers/rig.ts';
import type { HostileRig } from '../peers/rig.ts';

/** Makes a tunnel as a good member of the mesh would, but for its handshake. @returns the answer to CONNECT */
async function tunnel(rig: HostileRig, options: HandshakeOptions): Promise<string> {
  const peer = rig.handshake({ ...rig.credentials, ...options });
  peer.send(CLIENT_PREFACE);
  await peer.start();
  peer.send(connectFrame(1, `${rig.server.ipv4}:${ECHO_PORT}`));
  return peer.answer(1);
}

/** Asserts that a handshake fails, and that the server says why. */
async function refused(rig: HostileRig, options: HandshakeOptions, reason: string): Promise<void> {
  const peer = rig.handshake({ ...rig.credentials, ...options });
  await peer.waitForEnd();
  await rig.verdict(peer, { message: 'connection failed', reason });
}

describe('TLS12_ENABLED=true', () => {
  const rig = useRig({ env: { TLS12_ENABLED: 'true' } });

  it('admits TLS 1.2 with ECDHE and AES-GCM, beside 1.3', async () => {
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    expect(await tunnel(rig(), old)).to.equal('200');
    expect(await tunnel(rig(), {})).to.equal('200');
  });

  it('admits no other suite of 1.2, and nothing older', async () => {
    const cbc = {
      ciphers: 'ECDHE-ECDSA-AES128-SHA256',
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
    } as const;
    await refused(rig(), cbc, 'no-shared-parameters');
    await refused(
      rig(),
      { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' },
      'no-shared-version',
    );
  });
});

describe('COMPLIANCE_POLICY=pqc', () => {
  const rig = useRig({ env: { COMPLIANCE_POLICY: 'pqc' } });

  it('admits the hybrid group, by which its own proxies speak to each other', async () => {
    expect(await tunnel(rig(), { ecdhCurve: 'X25519MLKEM768' })).to.equal('200');
  });

  it('admits no group that a quantum computer may break', async () => {
    for (const ecdhCurve of ['X25519', 'P-256', 'P-384'])
      await refused(rig(), { ecdhCurve }, 'no-shared-parameters');
  });
});
