import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakeCa } from '@ambient/identity';
import {
  CLIENT_PREFACE,
  connectFrame,
  dataFrame,
  headersFrame,
  nextRequest,
} from '@ambient/testkit/hostile-peer';
import type { HostilePeer, ServerScript } from '@ambient/testkit/hostile-peer';
import { logEntries } from '../../netns/harness/index.ts';
import type { Pod } from '../../netns/harness/index.ts';
import { ECHO_PORT, useRig } from '../peers/rig.ts';
import { issueCredentials, openMeshAuthority } from './mesh-authority.ts';
import type { IssuedCredentials } from './mesh-authority.ts';

/** Relative to the proxies' working directory, which is the lab's; the file is not there when they start. */
const CRL_FILE = 'revoked.pem';

describe('certificates that are revoked while proxies run', () => {
  const rig = useRig({ env: { CRL_PATH: CRL_FILE } });
  let authority: FakeCa;
  let port = 3000;
  const revoked: string[] = [];

  before(async () => {
    authority = await openMeshAuthority(rig().mesh);
    await rig().admitAttacker();
  });

  const outcomes = (pod: Pod): readonly (readonly [string, unknown])[] =>
    logEntries(pod.proxy)
      .filter(({ scope }) => scope === 'crl')
      .map(({ message, revoked }) => [String(message), revoked] as const)
      .filter(([message]) => message !== 'revocation lists');

  /** Puts a file in place at once, as an operator's tool does, and waits until both proxies have said what it is to them. */
  async function publish(text: string): Promise<(readonly [string, unknown])[]> {
    const path = join(rig().mesh.lab.directory, CRL_FILE);
    const pods = [rig().client, rig().server];
    const told = pods.map((pod) => outcomes(pod).length);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return Promise.all(
      pods.map((pod, index) =>
        pod.proxy.waitFor(() => outcomes(pod)[told[index]!], 'news of the revocation list'),
      ),
    );
  }

  async function revoke({ serialNumber }: IssuedCredentials): Promise<void> {
    revoked.push(serialNumber);
    const news = await publish(await authority.revocationList(revoked));
    for (const each of news) expect(each).to.deep.equal(['revocation lists loaded', revoked.length]);
  }

  /** A client's HBONE connection with a tunnel to the echo server. */
  async function openTunnel(credentials: IssuedCredentials): Promise<HostilePeer> {
    const { cert, key } = credentials;
    const peer = rig().handshake({ cert, key });
    peer.send(CLIENT_PREFACE);
    await peer.start();
    peer.send(connectFrame(1, `${rig().server.ipv4}:${ECHO_PORT}`));
    expect(await peer.answer(1)).to.equal('200');
    return peer;
  }

  /** The attacker as a server that greets on every tunnel. */
  const greet: ServerScript = async (peer) => {
    await peer.start();
    const stream = await nextRequest(peer);
    peer.send(headersFrame(stream, [':status', '200']), dataFrame(stream, 'hello'));
  };

  /** A call of an application of the client to the attacker. */
  function callAttacker(): { caller: HostilePeer; destination: string } {
    const destination = `${rig().attacker.ipv4}:${++port}`;
    return { caller: rig().callFromClient(rig().attacker.ipv4, port), destination };
  }

  it('a file that was absent at the start appears: its clients are refused from then on, others are not', async () => {
    const bad = await issueCredentials(authority);
    const good = await issueCredentials(authority);
    const before = await openTunnel(bad);
    const bystander = await openTunnel(good);
    await revoke(bad);
    await before.waitForEnd();
    await rig().verdict(before, { direction: 'inbound', reason: 'certificate-revoked' });

    const again = rig().handshake({ cert: bad.cert, key: bad.key });
    await again.waitForEnd();
    await rig().verdict(again, {
      direction: 'inbound',
      message: 'connection failed',
      reason: 'certificate-revoked',
    });
    expect(bystander.end, 'a client that nobody revoked').to.equal(undefined);
    bystander.send(connectFrame(3, `${rig().server.ipv4}:${ECHO_PORT}`));
    expect(await bystander.answer(3)).to.equal('200');
  });

  it('a server is revoked: the connection to it is cut, and no other is made', async () => {
    const bad = await issueCredentials(authority);
    const server = rig().serveHostile(greet, { cert: bad.cert, key: bad.key });
    const live = callAttacker();
    await live.caller.waitFor(() => (live.caller.bytes.length > 0 ? true : undefined), 'the first bytes');
    await revoke(bad);
    await live.caller.waitForEnd();
    await rig().outboundVerdict(live.destination, { reason: 'certificate-revoked' });

    server.script = () => undefined;
    const next = callAttacker();
    await next.caller.waitForEnd();
    await rig().outboundVerdict(next.destination, { reason: 'certificate-revoked' });
    const requests = server.peers.slice(1).flatMap(({ frames }) => frames.filter(({ stream }) => stream > 0));
    expect(requests, 'requests after the revocation').to.deep.equal([]);
  });

  it('a file that is no list is reported, and the last good one stays in force', async () => {
    const bad = await issueCredentials(authority);
    await revoke(bad);
    for (const [message] of await publish(
      '-----BEGIN X509 CRL-----\nbm90IGEgbGlzdA==\n-----END X509 CRL-----\n',
    ))
      expect(message).to.match(/revoked\.pem is unusable; the last good lists stay in force/);
    const peer = rig().handshake({ cert: bad.cert, key: bad.key });
    await peer.waitForEnd();
    await rig().verdict(peer, { reason: 'certificate-revoked' });
  });

  it('a list that another CA signed under the name of ours is reported, and not believed', async () => {
    const impostor = await FakeCa.create({ now: Date.now });
    const good = await issueCredentials(authority);
    for (const [message] of await publish(await impostor.revocationList([good.serialNumber])))
      expect(message).to.match(/unusable.*not signed by the CA that it names/);
    await openTunnel(good);
  });

  it('a revoked certificate is taken off the list: its owner is welcome again', async () => {
    const once = await issueCredentials(authority);
    await revoke(once);
    revoked.pop();
    for (const [message] of await publish(await authority.revocationList(revoked)))
      expect(message).to.equal('revocation lists loaded');
    await openTunnel(once);
  });
});
