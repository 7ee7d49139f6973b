import { X509Certificate } from 'node:crypto';

import { damagedBytes, damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

import { CaError } from './ca-error.ts';
import { CertificateReplyError, readCertificateReply } from './certificate.ts';
import { CrlError, crlIssuer, parseRevocationLists, verifyRevocationList } from './crl.ts';
import { createCsr, CsrError, parseCsr } from './csr.ts';
import { DerCursor, DerError, derTag } from './der.ts';
import { parseCaAddress } from './grpc-ca-transport.ts';
import { issueCertificate } from './issue-certificate.ts';
import { generateKeyPair } from './key-pair.ts';
import type { PeerCertificate } from './peer-certificate.ts';
import { MalformedCertificateError, parsePeerCertificate } from './peer-certificate.ts';
import { pemBodies, splitPem, toPem } from './pem.ts';
import { findRevoked } from './revocation-set.ts';
import { formatSpiffe, parseSpiffe } from './spiffe.ts';
import { cart, cartUri, derOf, fakeCa, startMs } from './test-fixtures.ts';
import { peerRefusals, verifyClientPeer, verifyServerPeer } from './verify-peer.ts';

/** The result, or undefined when it was refused by an error of this kind; anything else that is thrown fails the test. */
function attempt<R>(read: () => R, refusal: new (...args: never[]) => Error): R | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof refusal) return undefined;
    throw error;
  }
}

/** Pieces that certificates and lists are made of, to be put where they do not belong. */
const DER_PIECES = [
  '0500',
  '3000',
  '3080',
  '30840000',
  '0101ff',
  '020100',
  '0603551d11',
  '0603551d13',
  '0603551d23',
  '0603551d25',
  '0603551d1c',
  'a003020102',
  '170d3235303130313030303030305a',
  '180f32303235303130313030303030305a',
  '0c0141',
  '130141',
  '1e020041',
].map((hex) => Buffer.from(hex, 'hex'));

/** Damage that also puts whole elements in. */
const damagedDer = (valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> =>
  damagedBytes(
    fc.tuple(valid, fc.option(fc.tuple(fc.constantFrom(...DER_PIECES), fc.nat(600)))).map(([der, put]) => {
      if (put === null) return der;
      const [piece, where] = put;
      const at = where % (der.length + 1);
      return Buffer.concat([der.subarray(0, at), piece, der.subarray(at)]);
    }),
  );

describe('certificates under fuzz', () => {
  const valid: Buffer[] = [];
  before(async () => {
    const ca = await fakeCa();
    const { certificateChainPem } = await ca.issue(cart, { intermediate: true });
    valid.push(...certificateChainPem.map(derOf), derOf(ca.rootPem));
    const keyPair = generateKeyPair();
    valid.push(
      await issueCertificate({
        issuer: { commonName: 'Mesh / Root+CN=x', ...keyPair },
        publicKeyDer: keyPair.publicKeyDer,
        commonName: 'server',
        serialNumber: Buffer.alloc(20, 0x7f),
        notBeforeMs: startMs,
        notAfterMs: Date.UTC(2060, 1, 1),
        isCa: false,
        uriSans: [cartUri, 'https://x/?a=1,URI:spiffe://y', 'spiffe://cluster.local/ns/a/sa/b'],
        dnsSans: ['istiod.istio-system.svc'],
        extendedKeyUsages: ['1.3.6.1.5.5.7.3.1', '2.999.1', '0.39'],
      }),
    );
  });
  const anyValid = fc.nat(3).map((i) => valid[i]!);

  it('are read or refused by name, and read as OpenSSL reads them [fuzz]', () => {
    fc.assert(
      fc.property(damagedDer(anyValid), (der) => {
        const ours = attempt(() => parsePeerCertificate(der), MalformedCertificateError);
        if (ours === undefined) return;
        let theirs: X509Certificate;
        try {
          theirs = new X509Certificate(der);
        } catch {
          return; // OpenSSL refuses the connection before we look
        }
        expectSame(ours, theirs);
      }),
      fuzzBudget(),
    );
  });

  it('are judged without an exception, and refused for a reason with a name [fuzz]', () => {
    fc.assert(
      fc.property(damagedDer(anyValid), (der) => {
        for (const verdict of [verifyServerPeer(der, [cartUri]), verifyClientPeer(der, cart.trustDomain)]) {
          if (verdict.ok) {
            expect(verdict.certificate.version).to.equal(3);
            expect(verdict.certificate.isCa).to.equal(false);
            expect(verdict.certificate.uriSans.map(parseSpiffe)).to.deep.include(verdict.identity);
          } else {
            expect(peerRefusals).to.have.property(verdict.reason);
            expect(verdict.message.length).to.be.below(2000);
          }
        }
      }),
      fuzzBudget(),
    );
  });

  it('in a reply of a CA are taken or refused by name [fuzz]', async () => {
    const ca = await fakeCa();
    const keyPair = generateKeyPair();
    const leaf = toPem(
      await issueCertificate({
        issuer: { commonName: 'root', ...keyPair },
        publicKeyDer: keyPair.publicKeyDer,
        serialNumber: Uint8Array.of(7),
        notBeforeMs: startMs,
        notAfterMs: startMs + 1000,
        isCa: false,
        uriSans: [cartUri],
        extendedKeyUsages: undefined,
      }),
      'CERTIFICATE',
    );
    const dictionary = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '\r\n', '=', leaf];
    const element = fc.oneof(
      damagedText(fc.constantFrom(leaf, ca.rootPem, leaf + ca.rootPem, ''), dictionary),
      damagedDer(fc.constant(derOf(leaf))).map((der) => toPem(der, 'CERTIFICATE')),
      fc.constantFrom(leaf, ca.rootPem),
    );
    fc.assert(
      fc.property(fc.array(element, { maxLength: 4 }), fc.boolean(), (certChain, pinIdentity) => {
        const reply = { identity: cart, keyPair, certChain, pinIdentity, nowMs: startMs };
        const certificate = attempt(() => readCertificateReply(reply), CertificateReplyError);
        if (certificate === undefined) return;
        expect(certificate.certificateChainPem).to.not.have.lengthOf(0);
        expect(certificate.rootsPem).to.not.have.lengthOf(0);
        for (const pem of certificate.rootsPem) expect(() => new X509Certificate(pem)).to.not.throw();
        const [first] = certificate.certificateChainPem;
        expect(new X509Certificate(first!).checkPrivateKey(keyPair.privateKey)).to.equal(true);
        if (pinIdentity) expect(parsePeerCertificate(derOf(first!)).uriSans).to.deep.equal([cartUri]);
      }),
      fuzzBudget(),
    );
  });
});

describe('DER under fuzz', () => {
  /** Any tree of elements, with the ways of writing a length that DER forbids. */
  const { tree } = fc.letrec<{ tree: Buffer; leaf: Buffer }>((tie) => ({
    leaf: fc
      .tuple(fc.constantFrom(...Object.values(derTag), 0xa0, 0x80, 0x1f), fc.uint8Array({ maxLength: 9 }))
      .map(([tag, body]) => Buffer.concat([Buffer.of(tag, body.length), body])),
    tree: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc
        .tuple(fc.constantFrom(0x30, 0x31, 0xa0), fc.array(tie('tree'), { maxLength: 4 }), fc.nat(9))
        .map(([tag, children, form]) => {
          const body = Buffer.concat(children);
          const { length } = body;
          if (form === 0) return Buffer.concat([Buffer.of(tag, 0x80), body]);
          if (form === 1) return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 255), body]);
          if (form === 2) return Buffer.concat([Buffer.of(tag, 0x84, 0x7f, 0xff, 0xff, 0xff), body]);
          return length < 128
            ? Buffer.concat([Buffer.of(tag, length), body])
            : Buffer.concat([Buffer.of(tag, 0x81, length & 255), body]);
        }),
    ),
  }));

  it('elements lie within what holds them, and written again they are the same bytes [fuzz]', () => {
    const walk = (cursor: DerCursor, from: number, to: number): void => {
      let at = from;
      while (!cursor.done) {
        const element = cursor.next('element');
        expect(element.start).to.equal(at);
        expect(element.body).to.be.within(at + 2, element.end);
        expect(element.end).to.be.at.most(to);
        const length = element.end - element.body;
        expect(element.body - element.start).to.equal(length < 128 ? 2 : length < 256 ? 3 : 4);
        at = element.end;
        if ((element.tag & 0x20) !== 0) walk(cursor.inside(element), element.body, element.end);
      }
      expect(at).to.equal(to);
    };
    fc.assert(
      fc.property(damagedBytes(tree), (der) => {
        attempt(() => walk(new DerCursor(der), 0, der.length), DerError);
      }),
      fuzzBudget(),
    );
  });

  it('times are those of the calendar, and what Date makes of them [fuzz]', () => {
    const digits = fc.constantFrom(
      '00',
      '01',
      '02',
      '12',
      '13',
      '24',
      '29',
      '30',
      '31',
      '49',
      '50',
      '59',
      '60',
      '99',
    );
    const time = fc
      .tuple(fc.boolean(), fc.array(digits, { minLength: 7, maxLength: 7 }))
      .map(([long, pairs]) => ({ long, text: `${pairs.slice(long ? 0 : 1).join('')}Z` }));
    fc.assert(
      fc.property(time, ({ long, text }) => {
        const tag = long ? derTag.generalizedTime : derTag.utcTime;
        const der = Buffer.concat([Buffer.of(tag, text.length), Buffer.from(text)]);
        const read = attempt(() => new DerCursor(der).timeMs('time'), DerError);
        const year = long
          ? text.slice(0, 4)
          : `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text.slice(0, 2)}`;
        const rest = text.slice(long ? 4 : 2);
        const part = (at: number): string => rest.slice(at, at + 2);
        const iso = `${year}-${part(0)}-${part(2)}T${part(4)}:${part(6)}:${part(8)}Z`;
        // Date takes 24:00:00, and rolls 31 February over into March.
        const parsed = new Date(iso);
        const isDate = !Number.isNaN(parsed.getTime()) && parsed.toISOString() === iso.replace('Z', '.000Z');
        expect(read, iso).to.equal(isDate ? parsed.getTime() : undefined);
      }),
      fuzzBudget(),
    );
  });
});

describe('revocation lists under fuzz', () => {
  it('are read or refused by name, and judged without an exception [fuzz]', async () => {
    const ca = await fakeCa();
    const pem = await ca.revocationList(['01ff', '02', '7fffffffffffffffffff']);
    const empty = await ca.revocationList([]);
    const issuers = [crlIssuer(new X509Certificate(ca.rootPem))!];
    const [der] = pemBodies(pem, 'X509 CRL');
    const { certificateChainPem } = await ca.issue(cart);
    const leaf = parsePeerCertificate(derOf(certificateChainPem[0]!));
    const content = fc.oneof(
      damagedDer(fc.constant(der!)),
      damagedText(fc.constantFrom(pem, pem + empty, ''), [
        '-----BEGIN X509 CRL-----',
        '-----END X509 CRL-----',
        '\n',
        pem,
        ca.rootPem,
      ]).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(content, (bytes) => {
        const lists = attempt(() => parseRevocationLists(bytes), CrlError);
        if (lists === undefined) return;
        expect(lists).to.not.have.lengthOf(0);
        for (const list of lists) {
          const verdict = verifyRevocationList(list, issuers);
          // Whatever the damage did, a list that is signed says what it said before.
          if (verdict === 'valid') expect([0, 3]).to.include(list.serials.size);
          findRevoked(new Map([[list.issuerKey, [list]]]), [leaf]);
        }
      }),
      fuzzBudget(),
    );
  });
});

describe('certificate requests under fuzz', () => {
  it('are read or refused by name; no damaged one passes for signed [fuzz]', async () => {
    const keyPair = generateKeyPair();
    const pem = await createCsr(cart, keyPair);
    const [der] = pemBodies(pem, 'CERTIFICATE REQUEST');
    const request = fc.oneof(
      damagedDer(fc.constant(der!)).map((bytes) => toPem(bytes, 'CERTIFICATE REQUEST')),
      damagedText(fc.constant(pem), ['-----BEGIN CERTIFICATE REQUEST-----', '\n', 'A', pem]),
    );
    fc.assert(
      fc.property(request, (text) => {
        const read = attempt(() => parseCsr(text), CsrError);
        if (read === undefined) return;
        expect(read.uriSans).to.deep.equal([cartUri]);
        expect(read.publicKeyDer.equals(keyPair.publicKeyDer)).to.equal(true);
      }),
      fuzzBudget(),
    );
  });
});

describe('texts of identity under fuzz', () => {
  it('PEM blocks come out whole, and again the same [fuzz]', () => {
    const block = fc
      .tuple(fc.uint8Array({ maxLength: 100 }), fc.constantFrom('CERTIFICATE', 'X509 CRL', 'PRIVATE KEY'))
      .map(([der, label]) => toPem(der, label));
    const text = damagedText(
      fc.array(block, { maxLength: 4 }).map((all) => all.join('# comment\n')),
      ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '-----', '-', '\r\n'],
    );
    fc.assert(
      fc.property(text, (given) => {
        const split = splitPem(given, 'CERTIFICATE');
        expect(splitPem(split.join(''), 'CERTIFICATE')).to.deep.equal(split);
        for (const one of split) expect(pemBodies(one, 'CERTIFICATE')).to.have.lengthOf(1);
      }),
      fuzzBudget(),
    );
  });

  it('a SPIFFE name is taken only as a whole, and written again is the same [fuzz]', () => {
    const uri = damagedText(
      fc.constantFrom(cartUri, 'spiffe://a/ns/b/sa/c', 'spiffe://td.example_1/ns/x-1/sa/y.z'),
      [
        '/',
        '//',
        '..',
        '.',
        '%2f',
        '%00',
        '?',
        '#',
        '@',
        ':',
        'spiffe://',
        '/ns/',
        '/sa/',
        '\n',
        ' ',
        'É',
        ',',
      ],
    );
    fc.assert(
      fc.property(uri, (text) => {
        const identity = parseSpiffe(text);
        if (identity === undefined) return;
        expect(formatSpiffe(identity)).to.equal(text);
        const parts = text.split('/');
        expect(parts).to.deep.equal([
          'spiffe:',
          '',
          identity.trustDomain,
          'ns',
          identity.namespace,
          'sa',
          identity.serviceAccount,
        ]);
        for (const part of [identity.trustDomain, identity.namespace, identity.serviceAccount])
          expect(part)
            .to.match(/^[\w.-]+$/)
            .and.not.match(/^\.\.?$/);
      }),
      fuzzBudget(),
    );
  });

  it('the address of a CA is read or refused by name [fuzz]', () => {
    const address = damagedText(
      fc.constantFrom('https://istiod.istio-system.svc:15012', 'http://127.0.0.1:1', '[::1]:15012', 'host'),
      ['/', ':', '@', '[', ']', '?', '#', '0', '65536', '%', '\\', '\0', 'unix:', '//', 'É'],
    );
    fc.assert(
      fc.property(address, (text) => {
        const endpoint = attempt(() => parseCaAddress(text), CaError);
        if (endpoint === undefined) return;
        expect(endpoint.hostname).to.not.equal('');
        expect(endpoint.target).to.match(/:\d{1,5}$/);
      }),
      fuzzBudget(),
    );
  });
});

function expectSame(ours: PeerCertificate, theirs: X509Certificate): void {
  expect(new Date(ours.notBeforeMs)).to.deep.equal(theirs.validFromDate);
  expect(new Date(ours.notAfterMs)).to.deep.equal(theirs.validToDate);
  const negative = theirs.serialNumber.startsWith('-');
  if (!negative) {
    const serial = theirs.serialNumber.toLowerCase();
    expect(BigInt(`0x${ours.serialNumber}`) === BigInt(`0x${serial}`), 'serial number').to.equal(true);
  }
  // OpenSSL holds nothing for a CA whose extensions it cannot make sense of; we must not hold a CA for a workload.
  if (theirs.ca) expect(ours.isCa, 'CA').to.equal(true);
  const printed = theirs.subjectAltName ?? '';
  if (printed === '') return; // no names, or OpenSSL cannot make sense of them, and then fails the chain
  for (const uri of ours.uriSans) if (!/[",\\']/.test(uri)) expect(printed).to.include(`URI:${uri}`);
  if (!/["]/.test(printed)) {
    const uris = printed.split(', ').filter((name) => name.startsWith('URI:'));
    expect(ours.uriSans.map((uri) => `URI:${uri}`)).to.deep.equal(uris);
  }
}
