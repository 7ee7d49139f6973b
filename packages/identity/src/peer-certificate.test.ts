import { createHash, X509Certificate } from 'node:crypto';

import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

import { issueCertificate } from './issue-certificate.ts';
import { generateKeyPair } from './key-pair.ts';
import {
  clientAuth,
  MalformedCertificateError,
  parsePeerCertificate,
  serverAuth,
} from './peer-certificate.ts';
import { cart, cartUri, derOf, fakeCa, startMs } from './test-fixtures.ts';

describe('peer certificate', () => {
  let leaf: Buffer;
  let rootPem: string;

  before(async () => {
    const ca = await fakeCa();
    rootPem = ca.rootPem;
    leaf = derOf((await ca.issue(cart)).certificateChainPem[0]!);
  });

  it('agrees with OpenSSL about a workload certificate', () => {
    const parsed = parsePeerCertificate(leaf);
    const openssl = new X509Certificate(leaf);
    expect(parsed.version).to.equal(3);
    expect(parsed.isCa).to.equal(openssl.ca).and.equal(false);
    expect(parsed.uriSans).to.deep.equal([cartUri]);
    expect(parsed.serialNumber).to.equal(openssl.serialNumber.toLowerCase());
    expect(parsed.notBeforeMs)
      .to.equal(openssl.validFromDate.getTime())
      .and.equal(startMs - 120_000);
    expect(parsed.notAfterMs)
      .to.equal(openssl.validToDate.getTime())
      .and.equal(startMs + 86_400_000);
    expect(parsed.extendedKeyUsages).to.deep.equal([serverAuth, clientAuth]);
    expect(openssl.subjectAltName).to.equal(`URI:${cartUri}`);
  });

  it('is tied to its issuer by name and key id', () => {
    const root = parsePeerCertificate(derOf(rootPem));
    const parsed = parsePeerCertificate(leaf);
    expect(root.isCa).to.be.true;
    expect(root.extendedKeyUsages).to.equal(undefined);
    expect(parsed.issuerKey).to.equal(root.subjectKey).and.equal(root.issuerKey);
    expect(parsed.authorityKeyId).to.equal(root.authorityKeyId).and.have.length(40);
    expect(parsed.subjectKey).to.equal('');
  });

  it('keeps a URI with commas and quotes as one name', async () => {
    const ca = await fakeCa();
    const hostile = `spiffe://x/ns/a/sa/b,URI:${cartUri}"`;
    const { certificateChainPem } = await ca.issue(cart, { uriSans: [hostile, cartUri] });
    expect(parsePeerCertificate(derOf(certificateChainPem[0]!)).uriSans).to.deep.equal([hostile, cartUri]);
  });

  for (const hostile of [`${cartUri}\0.evil`, 'spiffe://cluster.local/ns/shop/sa/c\u00e4rt', `${cartUri} x`])
    it(`refuses the URI name ${JSON.stringify(hostile)}`, async () => {
      const ca = await fakeCa();
      const { certificateChainPem } = await ca.issue(cart, { uriSans: [hostile] });
      expect(() => parsePeerCertificate(derOf(certificateChainPem[0]!))).to.throw(
        MalformedCertificateError,
        /printable ASCII/,
      );
    });

  it('reads an RSA leaf and one without key usage', async () => {
    const ca = await fakeCa();
    const rsa = await ca.issue(cart, { keyType: 'rsa', extendedKeyUsages: undefined });
    const parsed = parsePeerCertificate(derOf(rsa.certificateChainPem[0]!));
    expect(parsed.extendedKeyUsages).to.equal(undefined);
    expect(parsed.uriSans).to.deep.equal([cartUri]);
  });

  it('refuses two extensions of one kind', () => {
    // authorityKeyIdentifier (2.5.29.35) becomes a second subjectKeyIdentifier (2.5.29.14).
    const forged = replaceOnce(leaf, Buffer.from('0603551d23', 'hex'), Buffer.from('0603551d0e', 'hex'));
    expect(() => parsePeerCertificate(forged)).to.throw(MalformedCertificateError, /present twice/);
  });

  it('refuses trailing bytes and every truncation', () => {
    expect(() => parsePeerCertificate(Buffer.concat([leaf, Buffer.of(0)]))).to.throw(
      MalformedCertificateError,
      /followed by bytes/,
    );
    for (let length = 0; length < leaf.length; length++)
      expect(() => parsePeerCertificate(leaf.subarray(0, length)), `${length} bytes`).to.throw(
        MalformedCertificateError,
      );
  });

  it('refuses a version that does not exist', () => {
    const forged = replaceOnce(leaf, Buffer.from('a003020102', 'hex'), Buffer.from('a003020103', 'hex'));
    expect(() => parsePeerCertificate(forged)).to.throw(MalformedCertificateError, /version/);
  });

  it('refuses dates that are not in the calendar', () => {
    const year = Buffer.from('2606');
    const forged = replaceOnce(leaf, year, Buffer.from('2613'));
    expect(() => parsePeerCertificate(forged)).to.throw(MalformedCertificateError, /calendar|time/);
  });

  it('refuses a list of names that holds something else', () => {
    const forged = replaceOnce(
      leaf,
      Buffer.from([0x86, cartUri.length]),
      Buffer.from([0x16, cartUri.length]),
    );
    expect(() => parsePeerCertificate(forged)).to.throw(MalformedCertificateError, /known form/);
  });

  it('reads a certificate full of extensions at once, and refuses one that has two alike', () => {
    const extensions = Array.from({ length: 10_000 }, (_, i) =>
      Buffer.from([0x30, 8, 0x06, 4, 0x55, i & 0x7f, (i >> 7) & 0x7f, (i >> 14) & 0x7f, 0x04, 0]),
    );
    const certificate = (list: Buffer[]): Buffer => {
      const time = tlv(0x17, Buffer.from('260101000000Z'));
      const empty = tlv(0x30);
      const tbs = tlv(
        0x30,
        tlv(2, Buffer.of(1)),
        empty,
        empty,
        tlv(0x30, time, time),
        empty,
        empty,
        tlv(0xa3, tlv(0x30, ...list)),
      );
      return tlv(0x30, tbs, empty, tlv(3, Buffer.of(0)));
    };
    expect(parsePeerCertificate(certificate(extensions)).version).to.equal(1);
    expect(() => parsePeerCertificate(certificate([...extensions, extensions[7]!]))).to.throw(/twice/);
  });

  it('writes and reads dates after 2049', async () => {
    const keyPair = generateKeyPair();
    const notAfterMs = Date.UTC(2057, 1, 3, 4, 5, 6);
    const der = await issueCertificate({
      issuer: { commonName: 'root', ...keyPair },
      publicKeyDer: keyPair.publicKeyDer,
      serialNumber: Uint8Array.of(0x80, 1),
      notBeforeMs: startMs,
      notAfterMs,
      isCa: false,
      uriSans: [],
      extendedKeyUsages: undefined,
    });
    const parsed = parsePeerCertificate(der);
    expect(parsed.notAfterMs).to.equal(notAfterMs);
    expect(parsed.serialNumber).to.equal('8001');
    expect(parsed.uriSans).to.deep.equal([]);
  });

  it('holds names for equal that differ in case, spaces and string type only', async () => {
    const utf8 = await issuedBy('Mesh  Root');
    const lower = await issuedBy('mesh root');
    const other = await issuedBy('mesh root/2.5.4.3=x');
    expect(utf8.issuerKey).to.equal(lower.issuerKey);
    expect(other.issuerKey).to.not.equal(lower.issuerKey);
    // The same name as PrintableString (0x13) instead of UTF8String (0x0c).
    const printable = await issuedBy('mesh root', Buffer.from([0x0c, 9]), Buffer.from([0x13, 9]));
    expect(printable.issuerKey).to.equal(lower.issuerKey);
  });

  it('fails only with its own error on arbitrary damage [fuzz]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(leaf.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (damage) => {
          const damaged = Buffer.from(leaf);
          for (const [at, byte] of damage) damaged[at] = byte;
          try {
            parsePeerCertificate(damaged);
          } catch (error) {
            expect(error).to.be.instanceOf(MalformedCertificateError);
          }
        },
      ),
      fuzzBudget(),
    );
  });

  it('refuses arbitrary bytes [fuzz]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(() => parsePeerCertificate(bytes)).to.throw(MalformedCertificateError);
      }),
      fuzzBudget(),
    );
  });
});

function tlv(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 128 ? [length] : [0x83, length >> 16, (length >> 8) & 255, length & 255];
  if (length >= 128 && length < 256) size.splice(0, 4, 0x81, length);
  else if (length >= 256 && length < 65_536) size.splice(0, 4, 0x82, length >> 8, length & 255);
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

async function issuedBy(commonName: string, from?: Buffer, to?: Buffer) {
  const keyPair = generateKeyPair();
  const der = await issueCertificate({
    issuer: { commonName, ...keyPair },
    publicKeyDer: keyPair.publicKeyDer,
    serialNumber: createHash('sha256').update('1').digest().subarray(0, 8),
    notBeforeMs: startMs,
    notAfterMs: startMs,
    isCa: false,
    uriSans: [],
    extendedKeyUsages: undefined,
  });
  return parsePeerCertificate(from === undefined ? der : replaceOnce(der, from, to!));
}

function replaceOnce(bytes: Buffer, from: Buffer, to: Buffer): Buffer {
  const at = bytes.indexOf(from);
  expect(at, 'bytes to replace').to.be.at.least(0);
  const copy = Buffer.from(bytes);
  to.copy(copy, at);
  return copy;
}
