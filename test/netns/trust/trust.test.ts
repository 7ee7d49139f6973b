import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { WorkloadCertificate } from '@ambient/identity';
import { connectFrom } from '@ambient/testkit/hostile-peer';
import { waitFor } from '@ambient/testkit/lab';

import { cacerts, testCa } from '../../../packages/control-plane/src/ca/ca.test-data.ts';
import { HttpLoad } from '../function/http-load.ts';
import type { Pod } from '../harness/index.ts';
import { ECHO_PORT, HTTP_PORT, TrustMesh } from './trust-mesh.ts';

const HBONE_PORT = 15_008;

describe('trust: certificates of a control plane in two replicas', function () {
  this.timeout(120_000);
  let trust: TrustMesh;

  before(async () => {
    trust = await TrustMesh.start({ certificate: 16, overlap: 20 });
  });
  after(() => trust.stop());
  const sockets: Socket[] = [];
  /** Serial numbers that a test has revoked. */
  const revoked = new Set<unknown>();
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  /** A connection from a pod to the echo server, over which one message has gone there and back. */
  async function openConnection(from: Pod): Promise<Socket> {
    const socket = connectFrom(from.netns, trust.server.ipv4, ECHO_PORT);
    sockets.push(socket);
    await echo(socket, 'first');
    return socket;
  }

  async function echo(socket: Socket, text: string): Promise<void> {
    socket.write(text);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).to.equal(text);
  }

  const reaches = async (from: Pod): Promise<boolean> => {
    const { text } = await from.exchange(trust.server.ipv4, ECHO_PORT, {
      send: 'ping',
      until: 4,
      'timeout-ms': 5000,
    });
    return text === 'ping';
  };

  /** A connection to the server's proxy with this certificate; `over` when the proxy has ended it. */
  async function handshake({ certificateChainPem, privateKeyPem, rootsPem }: WorkloadCertificate) {
    const socket = connectTls({
      socket: connectFrom(trust.server.netns, trust.server.ipv4, HBONE_PORT),
      cert: certificateChainPem.join('\n'),
      key: privateKeyPem,
      ca: [...rootsPem],
      checkServerIdentity: () => undefined,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
    });
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    const over = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
    await once(socket, 'secureConnect');
    return { over };
  }

  /** Fingerprints of what a PEM text holds, sorted. */
  const rootsOf = (pem: string): string[] =>
    (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [])
      .map((each) => new X509Certificate(each).fingerprint256)
      .toSorted();
  const trusted = (): string[] => rootsOf(trust.mounted.read('root-cert.pem') ?? '');

  it('a revoked certificate: its live connection is cut, others live on, and a renewed one is welcome', async () => {
    const serial = await trust.freshSerial(trust.client);
    revoked.add(serial);
    const bad = await openConnection(trust.client);
    const bystander = await openConnection(trust.other);
    const ended = new Promise<void>((resolve) => bad.on('error', () => undefined).once('close', resolve));
    const { code, output } = await trust.operate('revoke', '--serial', serial, '--reason', 'keyCompromise');
    expect(code, output).to.equal(0);
    await ended;
    const line = await trust.server.proxy.waitForLine(
      (text) => text.includes('revoked') && text.includes(serial),
    );
    expect(line).to.contain('certificate-revoked');
    await echo(bystander, 'still there');
    await trust.renewed(trust.client);
    expect(await reaches(trust.client)).to.equal(true);
  });

  it('a revoked certificate is refused in a new handshake, by the serial number in the log', async () => {
    const spare = await trust.askForCertificate(trust.client);
    revoked.add(spare.serialNumber);
    const before = await handshake(spare);
    const { code, output } = await trust.operate('revoke', '--serial', spare.serialNumber.toUpperCase());
    expect(code, output).to.equal(0);
    await before.over;
    await (
      await handshake(spare)
    ).over;
    const refused = await trust.server.proxy.waitForLine(
      (text) => text.includes('connection failed') && text.includes(spare.serialNumber),
    );
    expect(refused).to.contain('certificate-revoked');
    expect(await reaches(trust.client)).to.equal(true);
  });

  it('an identity is revoked: every certificate that it has, of either replica, is listed', async () => {
    const before = trust.certificatesOf(trust.client);
    const { code, output } = await trust.operate(
      'revoke',
      '--identity',
      `spiffe://${trust.client.principal}`,
    );
    expect(code, output).to.equal(0);
    const live = before.filter(
      ({ notAfter, serial }) => Date.parse(String(notAfter)) > Date.now() && !revoked.has(serial),
    );
    expect(live).to.not.be.empty;
    for (const { serial } of live) expect(output).to.contain(String(serial));
    expect(await reaches(trust.other)).to.equal(true);
    await trust.renewed(trust.client);
    expect(await reaches(trust.client)).to.equal(true);
  });

  describe('under the load of new and of kept connections', () => {
    let load: HttpLoad;

    beforeEach(async () => {
      load = new HttpLoad([trust.client.netns, trust.other.netns], trust.server.ipv4, HTTP_PORT);
      await load.round();
    });
    afterEach(async () => {
      await load.round();
      await load.stop();
      expect(load.failures.length, load.failures.slice(0, 5).join('; ')).to.equal(0);
    });

    it('the root of our own is rotated by command: the old one is gone at the end', async () => {
      const before = trusted();
      const { code, output } = await trust.operate('rotate-root', '--follow');
      expect(code, output).to.equal(0);
      expect(output).to.match(
        /handed out and will sign[^]*signs no more and is still trusted[^]*root \w+ signs\n$/,
      );
      await waitFor(() => trusted().length === 1, 'the end of the old root');
      expect(before).to.have.length(1);
      expect(trusted()).to.not.deep.equal(before);
      await trust.renewed(trust.client);
      const { rootsPem } = await trust.askForCertificate(trust.client);
      expect(rootsOf(rootsPem.join(''))).to.deep.equal(trusted());
    });

    it('a CA of others is plugged in, and the leader dies in the middle: the other replica brings it to its end', async () => {
      const own = trusted();
      const root = await testCa('plugged root', validity);
      const first = await testCa('first intermediate', { parent: root, ...validity });
      await trust.putSecret('cacerts', cacerts(first, root.certificate));
      const both = [...own, ...rootsOf(root.certificate)].toSorted();
      await waitFor(() => trusted().join() === both.join(), 'the new root beside the old one', 60_000);
      const leader = await trust.leader();
      await trust.kill(leader);
      const known = trust.certificatesOf(trust.client).length;
      await trust.renewed(trust.client);
      expect(trust.certificatesOf(trust.client).length).to.be.above(known);
      await trust.startReplica(leader);
      await waitFor(
        () => trusted().join() === rootsOf(root.certificate).join(),
        'the end of the old root',
        60_000,
      );

      const second = await testCa('second intermediate', { parent: root, ...validity });
      await trust.putSecret('cacerts', cacerts(second, root.certificate));
      const wanted = rootsOf(second.certificate).join();
      await waitFor(
        () => trust.certificatesOf(trust.client).at(-1)!['authority'] === authorityId(second.certificate),
        'certificates of the second intermediate',
      );
      const { certificateChainPem, rootsPem } = await trust.askForCertificate(trust.client);
      expect(rootsOf(certificateChainPem.slice(1).join('')).join()).to.equal(wanted);
      expect(rootsOf(rootsPem.join(''))).to.deep.equal(rootsOf(root.certificate));
    });
  });

  // A suite of its own, since those run last.
  describe('after all of it', () => {
    it('nothing that was printed holds a key or a token', async () => {
      const printed = await trust.everythingPrinted();
      expect(
        printed.some((text) => text.includes('certificate issued')),
        'the audit lines',
      ).to.equal(true);
      const secrets = ['PRIVATE KEY', ...[...trust.tokens.values()].map((token) => token.split('.').at(-1)!)];
      for (const secret of secrets) expect(printed.filter((text) => text.includes(secret))).to.deep.equal([]);
    });
  });
});

const validity = { notBeforeMs: Date.now() - 3_600_000, notAfterMs: Date.now() + 24 * 3_600_000 };

/** As audit lines name an authority. */
function authorityId(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16);
}
