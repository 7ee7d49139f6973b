import { expect } from 'chai';
import { FakeCa } from '@ambient/identity';
import type { FakeCertificateOptions, Identity } from '@ambient/identity';
import { CLIENT_PREFACE, connectFrame } from '@ambient/testkit/hostile-peer';
import type { HandshakeOptions } from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, useRig } from '../peers/rig.ts';
import { attacker, issueCredentials, openMeshAuthority } from './mesh-authority.ts';

const HOUR_MS = 3_600_000;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

interface BadHandshake {
  readonly name: string;
  readonly reason: string;
  readonly certificate?: FakeCertificateOptions;
  readonly identity?: Identity;
  /** Another authority than the mesh's signs. */
  readonly foreignRoot?: boolean;
  readonly handshake?: HandshakeOptions;
}

const bothRoles: readonly BadHandshake[] = [
  {
    name: 'a certificate that has expired',
    reason: 'expired-certificate',
    certificate: { notBeforeMs: Date.now() - 2 * HOUR_MS, notAfterMs: Date.now() - HOUR_MS },
  },
  {
    name: 'a certificate that is not valid yet',
    reason: 'future-certificate',
    certificate: { notBeforeMs: Date.now() + HOUR_MS, notAfterMs: Date.now() + 2 * HOUR_MS },
  },
  { name: 'a certificate of another root', reason: 'untrusted-certificate', foreignRoot: true },
  { name: 'the certificate of a CA as its own', reason: 'wrong-purpose', certificate: { isCa: true } },
];

async function handshakeOf(authority: FakeCa, bad: BadHandshake): Promise<HandshakeOptions> {
  const signer = bad.foreignRoot === true ? await FakeCa.create({ now: Date.now }) : authority;
  const { cert, key } = await issueCredentials(signer, bad.certificate, bad.identity);
  return { cert, key, ...bad.handshake };
}

describe('clients with bad certificates against our HBONE port', () => {
  const rig = useRig();
  let authority: FakeCa;
  before(async () => {
    authority = await openMeshAuthority(rig().mesh);
  });

  const bad: readonly BadHandshake[] = [
    ...bothRoles,
    {
      name: 'TLS 1.2',
      reason: 'no-shared-version',
      handshake: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    },
    { name: 'no h2 by ALPN', reason: 'no-shared-protocol', handshake: { protocols: ['http/1.1'] } },
    {
      name: 'a certificate of another trust domain',
      reason: 'foreign-trust-domain',
      identity: { ...attacker, trustDomain: 'elsewhere.example' },
    },
    {
      name: 'a certificate that is for servers only',
      reason: 'wrong-purpose',
      certificate: { extendedKeyUsages: [SERVER_AUTH] },
    },
    {
      name: 'a certificate that names no workload',
      reason: 'no-spiffe-id',
      certificate: { uriSans: ['https://shop.example/'] },
    },
  ];

  for (const each of bad)
    it(`${each.name}: no tunnel, ${each.reason}`, async () => {
      const peer = rig().handshake(await handshakeOf(authority, each));
      await peer.waitForEnd();
      expect(peer.frames.filter(({ stream }) => stream > 0)).to.deep.equal([]);
      await rig().verdict(peer, { reason: each.reason, direction: 'inbound', message: 'connection failed' });
    });

  it('no certificate: no tunnel, no-certificate', async () => {
    const peer = rig().handshake({});
    await peer.waitForEnd();
    await rig().verdict(peer, { reason: 'no-certificate', direction: 'inbound' });
  });

  it('a certificate under an intermediate of the root is good: what is refused above is not refused for all', async () => {
    const { cert, key } = await issueCredentials(authority, { intermediate: true });
    const peer = rig().handshake({ cert, key });
    peer.send(CLIENT_PREFACE);
    await peer.start();
    peer.send(connectFrame(1, `${rig().server.ipv4}:${ECHO_PORT}`));
    expect(await peer.answer(1)).to.equal('200');
  });
});

describe('servers with bad certificates against our client side', () => {
  const rig = useRig();
  let authority: FakeCa;
  let port = 2000;
  before(async () => {
    authority = await openMeshAuthority(rig().mesh);
    await rig().admitAttacker();
  });

  const bad: readonly BadHandshake[] = [
    ...bothRoles,
    {
      name: 'the certificate of another workload',
      reason: 'unexpected-identity',
      identity: { ...attacker, serviceAccount: 'server' },
    },
    {
      name: 'the right name in another trust domain',
      reason: 'unexpected-identity',
      identity: { ...attacker, trustDomain: 'elsewhere.example' },
    },
    {
      name: 'a certificate that is for clients only',
      reason: 'wrong-purpose',
      certificate: { extendedKeyUsages: [CLIENT_AUTH] },
    },
    {
      name: 'a certificate that names no workload',
      reason: 'no-spiffe-id',
      certificate: { uriSans: [] },
    },
    {
      name: 'the name of a web site',
      reason: 'unexpected-identity',
      certificate: { uriSans: ['https://shop.example/'] },
    },
    {
      name: 'TLS 1.2 alone',
      reason: 'refused-by-peer',
      handshake: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    },
  ];

  for (const each of bad)
    it(`${each.name}: it gets nothing, ${each.reason}`, async () => {
      const server = rig().serveHostile(() => undefined, await handshakeOf(authority, each));
      const destination = `${rig().attacker.ipv4}:${++port}`;
      const caller = rig().callFromClient(rig().attacker.ipv4, port);
      caller.send(Buffer.from('a secret'));
      await caller.waitForEnd();
      expect(caller.bytes.length).to.equal(0);
      await rig().outboundVerdict(destination, { message: 'connection complete', reason: each.reason });
      for (const peer of server.peers) expect(peer.frames, 'what it got to read').to.deep.equal([]);
    });
});
