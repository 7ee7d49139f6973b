import { inspect } from 'node:util';

import { expect } from 'chai';

import type { CertificateReply } from './certificate.ts';
import {
  CertificateReplyError,
  dumpCertificates,
  readCertificateReply,
  WorkloadCertificate,
} from './certificate.ts';
import type { FakeCa, FakeCertificateOptions } from './fake-ca.ts';
import { generateKeyPair, privateKeyPem } from './key-pair.ts';
import { cart, cartUri, fakeCa, startMs } from './test-fixtures.ts';

describe('certificate reply', () => {
  let ca: FakeCa;
  const keyPair = generateKeyPair();
  before(async () => {
    ca = await fakeCa();
  });

  async function reply(
    options: FakeCertificateOptions = {},
    change: Partial<CertificateReply> = {},
  ): Promise<CertificateReply> {
    const certChain = await ca.signChain(cart, keyPair.publicKeyDer, options);
    return { identity: cart, keyPair, certChain, pinIdentity: true, nowMs: startMs, ...change };
  }

  function expectCode(input: CertificateReply, code: string, message: RegExp): void {
    expect(() => readCertificateReply(input))
      .to.throw(CertificateReplyError, message)
      .with.property('code', code);
  }

  it('is joined with its key', async () => {
    const certificate = readCertificateReply(await reply({ intermediate: true }));
    expect(certificate.certificateChainPem).to.have.length(2);
    expect(certificate.rootsPem).to.deep.equal([ca.rootPem]);
    expect(certificate.privateKeyPem).to.equal(privateKeyPem(keyPair));
    expect(certificate.notBeforeMs).to.equal(startMs - 120_000);
    expect(certificate.notAfterMs).to.equal(startMs + 86_400_000);
    expect(certificate.serialNumber).to.match(/^[0-9a-f]{32}$/);
  });

  it('takes several roots, from the last element only', async () => {
    const other = await fakeCa();
    const certChain = await ca.signChain(cart, keyPair.publicKeyDer);
    const roots = `# old and new\r\n${ca.rootPem.replaceAll('\n', '\r\n')}${other.rootPem}`;
    const certificate = readCertificateReply(await reply({}, { certChain: [certChain[0]!, roots] }));
    expect(certificate.rootsPem).to.deep.equal([ca.rootPem, other.rootPem]);
    expect(certificate.certificateChainPem).to.have.length(1);
  });

  it('needs two elements', async () => {
    expectCode(await reply({}, { certChain: [] }), 'ca-reply-too-short', /0 chain elements/);
    expectCode(await reply({}, { certChain: [ca.rootPem] }), 'ca-reply-too-short', /Istio CA/);
  });

  it('must be PEM', async () => {
    const [leaf] = await ca.signChain(cart, keyPair.publicKeyDer);
    expectCode(await reply({}, { certChain: ['x', ca.rootPem] }), 'ca-reply-malformed', /as leaf/);
    expectCode(await reply({}, { certChain: [leaf!, ''] }), 'ca-reply-malformed', /as root/);
    const garbage = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
    expectCode(await reply({}, { certChain: [garbage, ca.rootPem] }), 'ca-reply-malformed', /cannot be read/);
    expectCode(await reply({}, { certChain: [leaf!, garbage] }), 'ca-reply-malformed', /among the roots/);
  });

  it('must name whom it was asked for, and nobody else, when that is pinned', async () => {
    const wrong: FakeCertificateOptions = { uriSans: ['spiffe://cluster.local/ns/shop/sa/admin'] };
    expectCode(await reply(wrong), 'ca-reply-wrong-identity', /CA_TRUSTED_NODE_ACCOUNTS/);
    expectCode(await reply({ uriSans: [] }), 'ca-reply-wrong-identity', /no name/);
    expectCode(await reply({ uriSans: [cartUri, cartUri] }), 'ca-reply-wrong-identity', /cart/);
    expect(readCertificateReply(await reply(wrong, { pinIdentity: false }))).to.have.property(
      'identity',
      cart,
    );
  });

  it('must be for our key', async () => {
    expectCode(await reply({}, { keyPair: generateKeyPair() }), 'ca-reply-wrong-key', /another key/);
  });

  it('must not be expired, and the clock is named', async () => {
    expectCode(await reply({ notAfterMs: startMs - 1000 }), 'ca-reply-expired', /Compare the clocks/);
    const early = await reply({ notBeforeMs: startMs + 60_000 });
    expect(readCertificateReply(early)).to.have.property('notBeforeMs', startMs + 60_000);
  });
});

describe('workload certificate', () => {
  it('never shows its key by printing or cloning', async () => {
    const certificate = await (await fakeCa()).issue(cart);
    const secret = certificate.privateKeyPem.split('\n')[1]!;
    const shown = [
      certificate.toString(),
      `${certificate.toString()}`,
      inspect(certificate, { depth: 9, showHidden: true }),
      inspect({ certificate }),
      JSON.stringify({ certificate }),
      JSON.stringify({ ...certificate }),
      JSON.stringify(structuredClone(certificate)),
    ].join('\n');
    expect(shown).to.include(cartUri).and.include(certificate.serialNumber);
    expect(shown).to.not.include(secret).and.not.include('PRIVATE');
  });

  it('becomes a message that survives a structured clone', async () => {
    const certificate = await (await fakeCa()).issue(cart);
    const message = structuredClone(certificate.toMessage());
    expect(message.privateKeyPem).to.equal(certificate.privateKeyPem);
    const again = new WorkloadCertificate(message).withRoots(['a', 'b']);
    expect(again.rootsPem).to.deep.equal(['a', 'b']);
    expect(again.privateKeyPem).to.equal(certificate.privateKeyPem);
    expect(again.expiredAt(certificate.notAfterMs)).to.be.false;
    expect(again.expiredAt(certificate.notAfterMs + 1)).to.be.true;
  });

  it('is described for the admin page', async () => {
    const certificate = await (await fakeCa()).issue(cart);
    const [dump] = dumpCertificates(certificate.certificateChainPem);
    expect(dump).to.deep.equal({
      pem: Buffer.from(certificate.certificateChainPem[0]!).toString('base64'),
      serialNumber: BigInt(`0x${certificate.serialNumber}`).toString(10),
      validFrom: '2026-05-31T23:58:00Z',
      expirationTime: '2026-06-02T00:00:00Z',
    });
  });
});
