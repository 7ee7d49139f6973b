// What happens to the CA when somebody edits its Secrets, and to its certificates when a clock is wrong.
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { waitFor } from '@ambient/testkit/lab';

import { CertificateCaller } from './certificate-caller.ts';
import { account, Cluster, pod, service, uidOf } from './cluster.ts';
import { ControlPlaneInProcess, TestClock } from './control-plane-in-process.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';

const secrets = '/api/v1/namespaces/istio-system/secrets';
const ca = `${secrets}/istio-ca-secret`;
const hourMs = 3_600_000;

interface Stored {
  readonly data: Record<string, string>;
}

const goesOn = 'the CA goes on with the last good certificates and keys';

describe('a CA whose Secrets are edited by hand', () => {
  let cluster: Cluster;

  beforeEach(async () => {
    cluster = await Cluster.start();
    await cluster.lab.load([account('web'), pod('web-1', 1, { account: 'web' })]);
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  async function files(path = ca): Promise<Record<string, string>> {
    const secret = await cluster.get<Stored>(path);
    const entries = Object.entries(secret?.data ?? {});
    return Object.fromEntries(entries.map(([name, text]) => [name, Buffer.from(text, 'base64').toString()]));
  }

  function edit(data: Readonly<Record<string, string | null>>, path = ca): Promise<unknown> {
    const encoded = Object.entries(data).map(([name, text]) => [
      name,
      text === null ? null : Buffer.from(text).toString('base64'),
    ]);
    return cluster.client.request({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: { data: Object.fromEntries(encoded) as unknown },
    });
  }

  /** A certificate for shop/web. @returns the leaf and the roots beside it */
  async function issue(
    controlPlane: ControlPlaneInProcess,
    root: string,
  ): Promise<{ leaf: X509Certificate; roots: string }> {
    const address = `localhost:${controlPlane.ports.secureGrpc}`;
    using caller = new CertificateCaller(address, CertificateCaller.trusting(root));
    const outcome = await caller.ask({ token: await cluster.token('shop/web', { pod: 'web-1' }) });
    if (outcome.kind === 'refused') throw new Error(outcome.details);
    const { chain } = outcome;
    return { leaf: new X509Certificate(chain[0]!), roots: chain.at(-1)! };
  }

  const root = async (): Promise<string> =>
    (
      await cluster.get<{ data?: Record<string, string> }>(
        '/api/v1/namespaces/shop/configmaps/istio-ca-root-cert',
      )
    )?.data?.['root-cert.pem'] ?? '';

  it('is made useless while a control plane runs: it signs on, says why, and heeds the repair', async () => {
    await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    const good = await files();
    const certificate = good['ca-cert.pem']!;
    await waitFor(async () => (await root()) === certificate, 'the root in the namespace');
    const damages: readonly (readonly [Record<string, string | null>, RegExp])[] = [
      [{ 'ca-cert.pem': 'no certificate' }, /malformed/],
      [{ 'ca-cert.pem': certificate, 'ca-key.pem': null }, /malformed|incomplete/],
      [{ 'ca-key.pem': good['ca-key.pem']!.replace(/[a-z]/, 'A') }, /malformed|key-mismatch/],
    ];
    for (const [at, [damage, code]] of damages.entries()) {
      await edit(damage);
      const line = await controlPlane.line(goesOn, at);
      expect(line.level).equal('error');
      expect(line['code']).match(code);
      const { leaf, roots } = await issue(controlPlane, certificate);
      expect(leaf.verify(new X509Certificate(certificate).publicKey)).equal(true);
      expect(roots).equal(certificate);
    }
    await edit(good);
    expect(await root()).equal(certificate);
    expect(JSON.stringify(controlPlane.log)).not.match(/PRIVATE KEY|BEGIN/);
  });

  it('is deleted: the same root is written again', async () => {
    await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    await controlPlane.line('leading');
    const good = await files();
    await cluster.client.request({ method: 'DELETE', path: ca });
    await waitFor(async () => (await cluster.get(ca)) !== undefined, 'the Secret');
    expect(await files()).deep.equal(good);
    expect(await root()).equal(good['ca-cert.pem']);
  });

  it('is another CA all of a sudden: both are trusted before the new one signs', async () => {
    const other = await Cluster.start();
    let foreign: Stored;
    try {
      await using elsewhere = await ControlPlaneInProcess.start(other.lab.kubeconfig, new TestClock());
      await elsewhere.line('leading');
      foreign = (await other.get<Stored>(ca))!;
    } finally {
      await other[Symbol.asyncDispose]();
    }
    await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    const before = (await files())['ca-cert.pem']!;
    await waitFor(async () => (await root()) === before, 'the root in the namespace');
    await cluster.client.request({
      method: 'PATCH',
      path: ca,
      contentType: 'application/merge-patch+json',
      body: { data: foreign.data },
    });
    await controlPlane.line('a new authority is made known; it signs once every proxy trusts its root');
    const { leaf, roots } = await issue(controlPlane, before);
    expect(leaf.verify(new X509Certificate(before).publicKey), 'the old one signs').equal(true);
    expect(roots.match(/BEGIN CERTIFICATE/g)).lengthOf(2);
    await waitFor(async () => (await root()) === roots, 'both roots in the namespace');
  });

  it('has a damaged record of its rotation: nothing changes hands', async () => {
    await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    const record = `${secrets}/istio-ca-rotation`;
    await waitFor(async () => (await cluster.get(record)) !== undefined, 'the record');
    const good = await files();
    const written = Object.keys(await files(record));
    await edit(Object.fromEntries(written.map((name) => [name, '{"state":'])), record);
    const line = await controlPlane.line(goesOn);
    expect(line).include({ level: 'error', code: 'record-malformed' });
    const { roots } = await issue(controlPlane, good['ca-cert.pem']!);
    expect(roots).equal(good['ca-cert.pem']);
    expect(await files()).deep.equal(good);
  });

  it('is useless when a control plane starts for the first time: it ends, names place and remedy, and no key', async () => {
    await cluster.client.request({
      method: 'POST',
      path: secrets,
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'istio-ca-secret', namespace: 'istio-system' },
        type: 'istio.io/ca-root',
        stringData: { 'ca-cert.pem': 'x', 'ca-key.pem': 'MARZIPAN' },
      },
    });
    await using controlPlane = ControlPlaneProcess.spawn(cluster.file('lab', cluster.lab.kubeconfig));
    expect((await controlPlane.exit).code).equal(1);
    const [line] = controlPlane.lines({ level: 'error', message: 'cannot run' });
    expect(line!['error']).match(/Secret istio-system\/istio-ca-secret/);
    expect(JSON.stringify(controlPlane.log) + controlPlane.errors).not.contain('MARZIPAN');
    expect((await files())['ca-key.pem'], 'it is left as it was').equal('MARZIPAN');
  });

  it('is not what the namespaces say: ConfigMaps that are edited or deleted come back', async () => {
    await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    await controlPlane.line('leading');
    const certificate = (await files())['ca-cert.pem']!;
    await waitFor(async () => (await root()) === certificate, 'the root in the namespace');
    const path = '/api/v1/namespaces/shop/configmaps/istio-ca-root-cert';
    await cluster.client.request({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: { data: { 'root-cert.pem': 'of somebody else' } },
    });
    await waitFor(async () => (await root()) === certificate, 'the root after the edit');
    await cluster.client.request({ method: 'DELETE', path });
    await waitFor(async () => (await root()) === certificate, 'the root after the deletion');
  });

  describe('and clocks that are wrong', () => {
    const differs = 'the clock of this machine differs from that of the API server';

    for (const [title, aheadMs] of [
      ['an hour ahead', hourMs],
      ['an hour behind', -hourMs],
    ] as const)
      it(`${title}: the log says so at once, and everything else works`, async () => {
        const clock = new TestClock(1, aheadMs);
        await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, clock);
        const line = await controlPlane.line(differs);
        expect(line.level).equal('error');
        expect(line['ahead']).match(aheadMs > 0 ? /^36\d\ds$|^3599s$/ : /^-(36\d\d|3599)s$/);
        expect(controlPlane.lines(differs)).lengthOf(1);
        using client = new DiscoveryClient({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
        await client.until(uidOf('web-1'));
      });

    it('set back and forth while it runs: pushes, the lead and certificates go on', async () => {
      const clock = new TestClock();
      await using controlPlane = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, clock);
      await controlPlane.line('leading');
      const certificate = (await files())['ca-cert.pem']!;
      using client = new DiscoveryClient({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
      await client.until(uidOf('web-1'));
      for (const [at, byMs] of [-2 * hourMs, 3 * hourMs, 48 * hourMs, -49 * hourMs].entries()) {
        clock.set(byMs);
        await cluster.lab.load([pod(`step-${at}`, 10 + at), service(`step-${at}`)]);
        await client.until(uidOf(`step-${at}`));
        expect((await issue(controlPlane, certificate)).roots).equal(certificate);
      }
      await controlPlane.line('the clocks of this machine and of the API server agree again');
      expect(client.open).equal(true);
      expect(client.removed).deep.equal([]);
      await controlPlane.line(differs);
      expect(controlPlane.errors()).deep.equal([]);
      const now = await issue(controlPlane, certificate);
      expect(Date.parse(now.leaf.validFrom)).lessThan(Date.now());
      expect(Date.parse(now.leaf.validTo)).greaterThan(Date.now());
    });
  });
});
