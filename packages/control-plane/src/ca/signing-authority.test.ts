import { inspect } from 'node:util';

import { expect } from 'chai';

import { cacerts, dayMs, startMs, testCa } from './ca.test-data.ts';
import type { TestCa } from './ca.test-data.ts';
import { CaMaterialError } from './ca-material-error.ts';
import { readPluggedIn, readSelfSigned, selfSignedFiles } from './ca-files.ts';
import { makeSelfSignedRoot } from './self-signed-root.ts';
import { rootId } from './signing-authority.ts';
import type { SigningAuthority } from './signing-authority.ts';

describe('signing authority', () => {
  let root: TestCa;
  let middle: TestCa;
  let issuing: TestCa;
  let stranger: TestCa;

  before(async () => {
    root = await testCa('root');
    middle = await testCa('middle', { parent: root });
    issuing = await testCa('issuing', { parent: middle });
    stranger = await testCa('stranger');
  });

  function read(files: Readonly<Record<string, string>>): SigningAuthority | undefined {
    return readPluggedIn(files, 'Secret istio-system/cacerts');
  }

  function problem(files: Readonly<Record<string, string>>): CaMaterialError {
    try {
      read(files);
    } catch (error) {
      expect(error).to.be.instanceOf(CaMaterialError);
      return error as CaMaterialError;
    }
    return expect.fail('was accepted');
  }

  it('orders the chain from the signing certificate up, and puts its own root first', () => {
    const authority = read({
      ...cacerts(issuing, stranger.certificate, root.certificate),
      'cert-chain.pem': middle.certificate + issuing.certificate + stranger.certificate,
    })!;
    expect(authority.intermediatesPem).to.deep.equal([issuing.certificate, middle.certificate]);
    expect(authority.rootsPem).to.deep.equal([root.certificate, stranger.certificate]);
    expect(authority.anchorId).to.equal(rootId(root.certificate));
  });

  it('takes the names of a kubernetes.io/tls Secret too', () => {
    const authority = read({
      'tls.crt': issuing.certificate + middle.certificate,
      'tls.key': issuing.key,
      'ca.crt': root.certificate,
    })!;
    expect(authority.intermediatesPem).to.deep.equal([issuing.certificate, middle.certificate]);
  });

  it('is none where no file is there', () => {
    expect(read({})).to.equal(undefined);
    expect(read({ 'ca-cert.pem': ' \n', other: 'x' })).to.equal(undefined);
  });

  it('names each file that is missing', () => {
    const whole = cacerts(middle, root.certificate);
    for (const name of Object.keys(whole)) {
      const { [name]: _, ...rest } = whole;
      const error = problem(rest);
      expect(error.code).to.equal('incomplete');
      expect(error.message).to.include(`lacks ${name}`);
    }
    expect(problem({ 'tls.crt': 'x', 'tls.key': 'y' }).message).to.include('lacks ca.crt');
  });

  it('refuses what does not fit together, by name', async () => {
    const leaf = await testCa('leaf', { parent: root, isCa: false });
    const serverOnly = await testCa('narrow', { parent: root, extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'] });
    const good = cacerts(middle, root.certificate);
    const rows: [string, Record<string, string>, string][] = [
      ['foreign key', { ...good, 'ca-key.pem': stranger.key }, 'key-mismatch'],
      ['leaf as CA', cacerts(leaf, root.certificate), 'not-a-ca'],
      ['another root', cacerts(middle, stranger.certificate), 'chain-broken'],
      ['missing intermediate', cacerts(issuing, root.certificate), 'chain-broken'],
      ['narrow usage', cacerts(serverOnly, root.certificate), 'usage'],
      ['garbage certificate', { ...good, 'ca-cert.pem': 'garbage' }, 'malformed'],
      [
        'garbage in PEM',
        { ...good, 'root-cert.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
        'malformed',
      ],
      ['garbage key', { ...good, 'ca-key.pem': 'SECRETGARBAGE' }, 'malformed'],
      ['certificate as key', { ...good, 'ca-key.pem': root.certificate }, 'malformed'],
    ];
    for (const [what, files, code] of rows) {
      const error = problem(files);
      expect(error.code, what).to.equal(code);
      expect(error.message, what).to.include('istio-system/cacerts').and.not.include('SECRETGARBAGE');
    }
  });

  it('is judged by the clock apart from its form', async () => {
    const young = await testCa('young', { parent: root, notBeforeMs: startMs + dayMs });
    const authority = read(cacerts(young, root.certificate))!;
    expect(() => authority.checkValidity(startMs, 'cacerts')).to.throw(CaMaterialError, /clock/);
    authority.checkValidity(startMs + 2 * dayMs, 'cacerts');
    expect(() => authority.checkValidity(startMs + 366 * dayMs, 'cacerts')).to.throw(CaMaterialError);
  });

  for (const keyType of ['ec', 'rsa'] as const)
    it(`makes a root of its own (${keyType}), whose files read the same again`, async () => {
      const made = await makeSelfSignedRoot({ keyType, trustDomain: 'cluster.local' }, startMs);
      const again = readSelfSigned(selfSignedFiles(made), 'Secret');
      expect(again.id).to.equal(made.id);
      expect(again.intermediatesPem).to.deep.equal([]);
      expect(again.notAfterMs).to.equal(startMs + 3650 * dayMs);
      expect(() => readSelfSigned({ 'ca-cert.pem': made.certificatePem }, 'Secret')).to.throw(
        CaMaterialError,
        /ca-key.pem/,
      );
    });

  it('never shows its key', async () => {
    const made = await makeSelfSignedRoot({ keyType: 'ec', trustDomain: 'cluster.local' }, startMs);
    const secret = made.keyPem.split('\n')[1]!;
    expect(made.keyPem).to.include('PRIVATE KEY');
    for (const text of [
      inspect(made, { depth: 9, showHidden: true }),
      JSON.stringify(made),
      JSON.stringify({ ...made }),
    ])
      expect(text).to.not.include(secret).and.not.include('PRIVATE');
  });
});
