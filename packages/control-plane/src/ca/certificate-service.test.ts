import { createPrivateKey, X509Certificate } from 'node:crypto';

import { createCsr, generateKeyPair, parsePeerCertificate } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { AuthError } from '../auth/auth-error.ts';
import type { Caller } from '../auth/caller.ts';
import { CaAudit } from './audit.ts';
import { cacerts, dayMs, FakeMetrics, openssl, recordingLogger, startMs, testCa } from './ca.test-data.ts';
import type { KeyType } from './ca.test-data.ts';
import { readPluggedIn } from './ca-files.ts';
import { CertificateError } from './certificate-error.ts';
import { CertificateService, defaultCallerLimits } from './certificate-service.ts';
import type { CertificateCall } from './certificate-service.ts';
import { IssuedLog } from './issued-log.ts';
import { initialTrust, offer } from './rotation.ts';
import type { TrustState } from './rotation.ts';

const till: Identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'till' };
const cart: Identity = { ...till, serviceAccount: 'cart' };
const caller: Caller = {
  identity: till,
  proof: 'token',
  clusterId: 'Kubernetes',
  pod: { name: 'till-1', uid: 'uid-1' },
  nodeName: 'node-a',
};

describe('certificate service', () => {
  let clock: ManualClock;
  let metrics: FakeMetrics;
  let lines: string[];
  let trust: TrustState;
  let issued: IssuedLog;
  let service: CertificateService;
  let authenticated: () => Promise<Caller>;
  let nodeAgent: boolean;

  async function make(keyType: KeyType = 'ec'): Promise<void> {
    const root = await testCa('root', { keyType });
    const middle = await testCa('middle', { parent: root, keyType });
    const issuing = await testCa('issuing', { parent: middle, keyType });
    const files = {
      ...cacerts(issuing, root.certificate),
      'cert-chain.pem': issuing.certificate + middle.certificate,
    };
    trust = initialTrust(readPluggedIn(files, 'cacerts')!);
  }

  beforeEach(async () => {
    clock = new ManualClock(startMs);
    metrics = new FakeMetrics();
    issued = new IssuedLog();
    authenticated = () => Promise.resolve(caller);
    nodeAgent = false;
    const recording = recordingLogger();
    lines = recording.lines;
    await make();
    service = new CertificateService({
      authenticator: { authenticate: () => authenticated() },
      nodes: {
        isNodeAgent: () => nodeAgent,
        authorize: (_, requested) => {
          if (requested !== 'spiffe://cluster.local/ns/shop/sa/cart')
            throw new AuthError('impersonation-node', 'no such pod on its node');
          return { identity: cart, nodeName: 'node-a' };
        },
      },
      trust: () => trust,
      defaultTtlMs: dayMs,
      maxTtlMs: 90 * dayMs,
      nodeAgentLimit: defaultCallerLimits.nodeAgent,
      workloadLimit: defaultCallerLimits.workload,
      unprovenLimit: defaultCallerLimits.unproven,
      audit: new CaAudit(recording.logger),
      issued,
      metrics,
      clock,
    });
  });

  async function call(changes: Partial<CertificateCall> = {}): Promise<string[]> {
    return service.createCertificate({
      csr: await createCsr(cart, generateKeyPair()),
      validitySeconds: 0,
      impersonated: undefined,
      credentials: { authorization: ['Bearer secret-token'], clusterIds: [] },
      remoteAddress: '10.0.0.7:4711',
      ...changes,
    });
  }

  async function refused(changes: Partial<CertificateCall> = {}): Promise<AuthError | CertificateError> {
    const outcome = await call(changes).then(
      () => 'was issued',
      (error: unknown) => error,
    );
    expect(outcome).to.satisfy((it: unknown) => it instanceof AuthError || it instanceof CertificateError);
    return outcome as AuthError | CertificateError;
  }

  const leafOf = (chain: readonly string[]) => parsePeerCertificate(new X509Certificate(chain[0]!).raw);

  for (const keyType of ['ec', 'rsa'] as const)
    it(`issues what openssl and node:crypto verify, under an ${keyType} CA`, async () => {
      await make(keyType);
      const chain = await call();
      expect(chain).to.have.length(4);
      const [leaf, issuing, middle] = chain.slice(0, 3).map((pem) => new X509Certificate(pem));
      expect(leaf!.checkIssued(issuing!) && leaf!.verify(issuing!.publicKey)).to.be.true;
      expect(issuing!.checkIssued(middle!) && issuing!.verify(middle!.publicKey)).to.be.true;
      const at = String(startMs / 1000);
      for (const purpose of ['sslserver', 'sslclient'])
        expect(
          openssl(
            [
              'verify',
              '-x509_strict',
              '-attime',
              at,
              '-purpose',
              purpose,
              '-CAfile',
              'root',
              '-untrusted',
              'between',
              'leaf',
            ],
            { root: chain[3]!, between: chain[1]! + chain[2]!, leaf: chain[0]! },
          ),
        ).to.match(/leaf: OK/);
    });

  it('takes the name from the caller, never from the request', async () => {
    const leaf = leafOf(await call());
    expect(leaf.uriSans).to.deep.equal(['spiffe://cluster.local/ns/shop/sa/till']);
    expect(leaf.isCa).to.be.false;
    expect(leaf.extendedKeyUsages).to.have.members(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect([leaf.notBeforeMs, leaf.notAfterMs]).to.deep.equal([startMs - 120_000, startMs + dayMs]);
  });

  it('says critical of the one name, since the subject is empty, and of the key usage', async () => {
    const text = openssl(['x509', '-in', 'leaf', '-noout', '-text'], { leaf: (await call())[0]! });
    expect(text).to.match(/Subject: *\n/);
    expect(text).to.match(
      /Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster.local\/ns\/shop\/sa\/till\n/,
    );
    expect(text).to.match(/Key Usage: critical\s+Digital Signature\n/);
  });

  it('never gives a serial number twice', async () => {
    nodeAgent = true;
    const serials = new Set<string>();
    for (let i = 0; i < 50; i++) serials.add(leafOf(await call()).serialNumber);
    expect(serials.size).to.equal(50);
    for (const serial of serials) expect(serial).to.have.length(32);
  });

  it('sends every trusted root in the last element while a root is rotated', async () => {
    const next = await testCa('next');
    const authority = readPluggedIn(cacerts(next, next.certificate), 'cacerts')!;
    trust = offer(trust, authority, 'offered', startMs).state;
    const chain = await call();
    expect(chain).to.have.length(4);
    expect(chain[3]).to.equal(trust.roots.map(({ pem }) => pem).join(''));
    expect(chain[3]!.split('BEGIN CERTIFICATE')).to.have.length(3);
  });

  it('issues for a workload of the caller’s node', async () => {
    const chain = await call({ impersonated: 'spiffe://cluster.local/ns/shop/sa/cart' });
    expect(leafOf(chain).uriSans).to.deep.equal(['spiffe://cluster.local/ns/shop/sa/cart']);
    expect(metrics.values.get('ca_certificates_issued_total/true')).to.equal(1);
    expect(leafOf(await call({ impersonated: '' })).uriSans, 'empty is none').to.deep.equal([
      'spiffe://cluster.local/ns/shop/sa/till',
    ]);
  });

  it('refuses impersonation that is no text, or not allowed', async () => {
    expect((await refused({ impersonated: null })).code).to.equal('impersonation-malformed');
    expect((await refused({ impersonated: 'spiffe://cluster.local/ns/shop/sa/paid' })).code).to.equal(
      'impersonation-node',
    );
  });

  it('limits each caller, and says when to come again', async () => {
    for (let i = 0; i < defaultCallerLimits.workload.burst; i++) await call();
    const error = await refused();
    expect(error.code).to.equal('rate-limited');
    expect(error.message).to.match(/come again in 2 s/);
    authenticated = () => Promise.resolve({ ...caller, pod: { name: 'till-2', uid: 'uid-2' } });
    await call();
    authenticated = () => Promise.resolve(caller);
    clock.advance(2000);
    await call();
  });

  it('asks nobody about the tokens of an address that only guesses, writes one line of it, and serves others', async () => {
    let asked = 0;
    authenticated = () => {
      asked += 1;
      return Promise.reject(new AuthError('token-rejected', 'forged'));
    };
    const { burst } = defaultCallerLimits.unproven;
    const codes: string[] = [];
    for (let port = 1; port <= burst + 50; port++)
      codes.push((await refused({ remoteAddress: `10.0.0.66:${port}` })).code);
    expect(asked).to.equal(burst);
    expect(codes.slice(burst)).to.deep.equal(Array.from({ length: 50 }, () => 'address-limited'));
    expect(lines.filter((line) => line.includes('address-limited'))).to.have.length(1);
    expect(metrics.values.get('ca_certificates_refused_total/address-limited')).to.equal(50);
    authenticated = () => Promise.resolve(caller);
    await call();
    clock.advance(1000);
    await call({ remoteAddress: '10.0.0.66:1' });
  });

  it('does not hold it against an address that the API server is away', async () => {
    authenticated = () => Promise.reject(new AuthError('token-review-unavailable', 'away'));
    for (let i = 0; i <= defaultCallerLimits.unproven.burst; i++)
      expect((await refused()).code).to.equal('token-review-unavailable');
  });

  it('writes one audit line for each request, with neither request nor token', async () => {
    const csr = await createCsr(cart, generateKeyPair());
    const leaf = leafOf(await call({ csr }));
    await refused({ csr, impersonated: 'spiffe://cluster.local/ns/shop/sa/paid' });
    authenticated = () => Promise.reject(new AuthError('token-rejected', 'expired'));
    await refused({ csr });
    authenticated = () => Promise.reject(new TypeError('a bug with secret-token'));
    await call({ csr }).catch(() => undefined);
    expect(lines).to.have.length(4);
    expect(lines[0]).to.match(/^info ca certificate issued/);
    for (const part of [
      '"caller":"spiffe://cluster.local/ns/shop/sa/till"',
      '"pod":"till-1"',
      '"node":"node-a"',
      leaf.serialNumber,
      '"notAfter":"2026-06-02T00:00:00.000Z"',
      '"remote":"10.0.0.7:4711"',
      trust.signing.id,
    ])
      expect(lines[0]).to.include(part);
    expect(lines[1])
      .to.match(/^warn ca certificate refused/)
      .and.include('sa/paid')
      .and.include('impersonation-node');
    expect(lines[2]).to.include('"caller":"unknown"').and.include('token-rejected');
    expect(lines[3]).to.include('"reason":"internal"');
    const all = lines.join('\n');
    expect(all).to.not.include('secret-token').and.not.include('BEGIN').and.not.include(csr.split('\n')[1]!);
    expect(metrics.values.get('ca_certificates_refused_total/token-rejected')).to.equal(1);
  });

  it('knows afterwards what it issued to whom', async () => {
    const leaf = leafOf(await call());
    expect(issued.find(till, startMs, startMs).map(({ serialNumber }) => serialNumber)).to.deep.equal([
      leaf.serialNumber,
    ]);
    expect(issued.find(cart, startMs, startMs)).to.deep.equal([]);
    expect(issued.find(till, startMs, startMs + 2 * dayMs), 'expired').to.deep.equal([]);
  });

  it('signs with what signs now', async () => {
    const other = await testCa('other');
    trust = initialTrust(readPluggedIn(cacerts(other, other.certificate), 'cacerts')!);
    const chain = await call();
    expect(chain).to.have.length(2);
    const leaf = new X509Certificate(chain[0]!);
    expect(leaf.verify(new X509Certificate(other.certificate).publicKey)).to.be.true;
    expect(leaf.checkPrivateKey(createPrivateKey(other.key))).to.be.false;
  });
});
