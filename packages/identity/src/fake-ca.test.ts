import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { FakeCaDirectoryError } from './fake-ca-directory.ts';
import { FakeCa, fakeCaWarning } from './fake-ca.ts';
import { generateKeyPair } from './key-pair.ts';
import { parsePeerCertificate } from './peer-certificate.ts';
import { cart, derOf, fakeCa, startMs } from './test-fixtures.ts';

describe('throwaway CA', () => {
  let directory: string;
  const now = (): number => startMs;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fake-ca-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function rejection(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => expect.fail('was not refused'),
      (error: unknown) => error,
    );
  }

  it('issues what the root verifies', async () => {
    const ca = await fakeCa();
    const root = new X509Certificate(ca.rootPem);
    expect(root.verify(root.publicKey)).to.be.true;
    expect(root.ca).to.be.true;
    for (const keyType of ['ec', 'rsa'] as const) {
      const { certificateChainPem, privateKeyPem } = await ca.issue(cart, { keyType });
      const leaf = new X509Certificate(certificateChainPem[0]!);
      expect(leaf.checkIssued(root)).to.be.true;
      expect(leaf.verify(root.publicKey)).to.be.true;
      expect(leaf.ca).to.be.false;
      expect(privateKeyPem).to.match(/^-----BEGIN PRIVATE KEY-----/);
    }
  });

  it('issues through an intermediate', async () => {
    const ca = await fakeCa();
    const { certificateChainPem } = await ca.issue(cart, { intermediate: true });
    const [leaf, intermediate] = certificateChainPem.map((pem) => new X509Certificate(pem));
    const root = new X509Certificate(ca.rootPem);
    expect(leaf!.checkIssued(intermediate!)).to.be.true;
    expect(leaf!.verify(intermediate!.publicKey)).to.be.true;
    expect(intermediate!.checkIssued(root)).to.be.true;
    expect(intermediate!.verify(root.publicKey)).to.be.true;
    expect(leaf!.checkIssued(root)).to.be.false;
  });

  it('issues certificates that are wrong in the wanted way', async () => {
    const ca = await fakeCa();
    const read = async (options: Parameters<FakeCa['issue']>[1]) =>
      parsePeerCertificate(derOf((await ca.issue(cart, options)).certificateChainPem[0]!));
    expect((await read({ isCa: true })).isCa).to.be.true;
    expect((await read({ extendedKeyUsages: undefined })).extendedKeyUsages).to.equal(undefined);
    expect((await read({ notAfterMs: startMs - 5000 })).notAfterMs).to.equal(startMs - 5000);
    expect((await read({ notBeforeMs: startMs + 5000 })).notBeforeMs).to.equal(startMs + 5000);
  });

  it('takes under 10 ms a certificate', async () => {
    const ca = await fakeCa();
    await ca.issue(cart);
    const count = 20;
    const began = performance.now();
    for (let i = 0; i < count; i++) await ca.issue(cart);
    expect((performance.now() - began) / count).to.be.below(10);
  });

  it('is made on first use with a key that only its owner reads', async () => {
    const path = join(directory, 'deep', 'ca');
    const first = await FakeCa.open(path, { now });
    const second = await FakeCa.open(path, { now });
    expect(second.rootPem).to.equal(first.rootPem);
    expect((await stat(join(path, 'root-key.pem'))).mode & 0o777).to.equal(0o600);
    expect((await readdir(path)).sort()).to.deep.equal(['root-cert.pem', 'root-key.pem']);
    const leaf = new X509Certificate((await second.fetch(cart)).certificateChainPem[0]!);
    expect(leaf.verify(new X509Certificate(first.rootPem).publicKey)).to.be.true;
    expect(fakeCaWarning(path)).to.include(path).and.match(/Never/);
  });

  it('gives one root to many who open it at once', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => FakeCa.open(directory, { now })));
    expect(new Set(all.map((ca) => ca.rootPem)).size).to.equal(1);
    expect((await readdir(directory)).sort()).to.deep.equal(['root-cert.pem', 'root-key.pem']);
  });

  it('goes on from a crash between key and certificate', async () => {
    await FakeCa.open(directory, { now });
    await rm(join(directory, 'root-cert.pem'));
    const ca = await FakeCa.open(directory, { now });
    const root = new X509Certificate(ca.rootPem);
    expect(root.verify(root.publicKey)).to.be.true;
  });

  it('refuses a certificate without its key, a foreign key and an open key, naming the remedy', async () => {
    await FakeCa.open(directory, { now });
    const key = join(directory, 'root-key.pem');
    await chmod(key, 0o644);
    expect(await rejection(FakeCa.open(directory, { now })))
      .to.be.instanceOf(FakeCaDirectoryError)
      .with.property('message')
      .that.matches(/chmod 600/);
    await rm(key);
    expect(await rejection(FakeCa.open(directory, { now })))
      .to.be.instanceOf(FakeCaDirectoryError)
      .with.property('message')
      .that.matches(/not root-key.pem/);
    const foreign = generateKeyPair().privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(key, foreign, { mode: 0o600 });
    expect(await rejection(FakeCa.open(directory, { now })))
      .to.be.instanceOf(FakeCaDirectoryError)
      .with.property('message')
      .that.matches(/do not belong together/);
  });

  it('refuses an expired root and garbage', async () => {
    await FakeCa.open(directory, { now });
    const later = (): number => startMs + 11 * 365 * 86_400_000;
    expect(await rejection(FakeCa.open(directory, { now: later })))
      .to.be.instanceOf(FakeCaDirectoryError)
      .with.property('message')
      .that.matches(/expired/);
    await writeFile(join(directory, 'root-key.pem'), 'garbage', { mode: 0o600 });
    const error = await rejection(FakeCa.open(directory, { now }));
    expect(error).to.be.instanceOf(FakeCaDirectoryError).with.property('cause').that.is.instanceOf(Error);
  });
});
