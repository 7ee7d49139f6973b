/** The CA end to end: our client of it, over TLS, against this service and its own serving certificate. */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';

import {
  CaClient,
  CaError,
  createCsr,
  generateKeyPair,
  GrpcCaTransport,
  privateKeyPem,
} from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import { ManualClock, realClock } from '@ambient/runtime';
import { grpcMethod, istio } from '@ambient/wire';
import { Client, credentials as grpcCredentials, Metadata, Server, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';

import { Authenticator } from '../auth/authenticate.ts';
import { NodeAuthorizer } from '../auth/node-authorization.ts';
import { TokenReviewer } from '../auth/token-review.ts';
import type { TokenReviewStatus } from '../auth/token-review.ts';
import { CaAudit } from './audit.ts';
import { AuthorityKeeper, caSecretNames, rotateAnnotation } from './authority-keeper.ts';
import { dayMs, FakeMetrics, FakeSecrets, recordingLogger } from './ca.test-data.ts';
import { CertificateService, defaultCallerLimits } from './certificate-service.ts';
import { addCertificateService } from './grpc-certificate-service.ts';
import { IssuedLog } from './issued-log.ts';
import { RevocationKeeper } from './revocation-keeper.ts';
import { ServingCertificate, servingNames } from './serving-certificate.ts';

const cart: Identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' };
// TLS goes by the clock of the machine: time is moved by less than certificates are backdated.
const overlapMs = 60_000;
const servingLifetimeMs = 100_000;

function review(token: string): Promise<TokenReviewStatus> {
  const [namespace, serviceAccount, pod] = token.split('.');
  return token === 'down'
    ? Promise.reject(new Error('ECONNREFUSED'))
    : Promise.resolve({
        authenticated: token !== 'forged',
        audiences: ['istio-ca'],
        user: {
          username: `system:serviceaccount:${namespace}:${serviceAccount}`,
          extra:
            pod === undefined
              ? {}
              : {
                  'authentication.kubernetes.io/pod-name': [pod],
                  'authentication.kubernetes.io/pod-uid': [`uid-${pod}`],
                },
        },
      });
}

describe('CA over gRPC', () => {
  let clock: ManualClock;
  let secrets: FakeSecrets;
  let keeper: AuthorityKeeper;
  let revocations: RevocationKeeper;
  let serving: ServingCertificate;
  let server: Server;
  let port: number;
  let lines: string[];
  const opened: { close(): void }[] = [];

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    secrets = new FakeSecrets();
    const metrics = new FakeMetrics();
    const recording = recordingLogger();
    lines = recording.lines;
    const { logger } = recording;
    const selfSigned = { keyType: 'ec', trustDomain: 'cluster.local' } as const;
    keeper = new AuthorityKeeper({
      secrets,
      folder: undefined,
      selfSigned,
      overlapMs,
      clock,
      logger,
      metrics,
    });
    await keeper.start();
    await keeper.lead();
    const trust = () => keeper.state;
    const issued = new IssuedLog();
    revocations = new RevocationKeeper({
      secrets,
      trust,
      issued,
      stored: () => Promise.resolve({ entries: [], forgottenMs: 0 }),
      maxTtlMs: dayMs,
      clock,
      logger,
      metrics,
    });
    await revocations.lead();
    const pods = {
      podByName: (_: string, name: string) => ({
        uid: `uid-${name}`,
        serviceAccount: 'ztunnel',
        nodeName: 'node-a',
        phase: 'Running',
      }),
      hasPodOnNode: (node: string, namespace: string, account: string) =>
        `${node}/${namespace}/${account}` === 'node-a/shop/cart',
    };
    const trustDomain = () => 'cluster.local';
    const service = new CertificateService({
      authenticator: new Authenticator({
        trustDomain,
        primaryClusterId: 'Kubernetes',
        reviewers: new Map([['Kubernetes', new TokenReviewer({ review, clock })]]),
        revoked: ({ serialNumber }) => revocations.isRevoked(serialNumber),
      }),
      nodes: new NodeAuthorizer({
        trustedAccounts: new Set(['istio-system/ztunnel']),
        trustDomain,
        clusters: new Map([['Kubernetes', pods]]),
      }),
      trust,
      defaultTtlMs: dayMs,
      maxTtlMs: dayMs,
      nodeAgentLimit: defaultCallerLimits.nodeAgent,
      workloadLimit: defaultCallerLimits.workload,
      unprovenLimit: defaultCallerLimits.unproven,
      audit: new CaAudit(logger),
      issued,
      metrics,
      clock,
    });
    serving = new ServingCertificate({
      trust,
      dnsNames: [...servingNames('istio-system', '', []), 'localhost'],
      lifetimeMs: servingLifetimeMs,
      clock,
      logger,
    });
    await serving.start();
    keeper.onChange(() => void serving.trustChanged());
    server = new Server();
    addCertificateService(server, service, logger);
    port = await listen();
  });

  afterEach(() => {
    for (const it of opened.splice(0)) it.close();
    server.forceShutdown();
    for (const it of [serving, revocations, keeper]) it[Symbol.dispose]();
    expect(clock.pendingTimers).to.equal(0);
    expect(lines.join('\n')).to.not.include('PRIVATE');
  });

  function listen(): Promise<number> {
    return new Promise((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', serving.serverCredentials(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
  }

  const rootsPem = (): string => keeper.state.roots.map(({ pem }) => pem).join('');

  function client(
    token: string,
    options: { impersonate?: boolean; roots?: string; ttlSeconds?: number } = {},
  ): CaClient {
    const made = new CaClient({
      transport: new GrpcCaTransport({
        address: `https://localhost:${port}`,
        roots: { kind: 'pem', pem: options.roots ?? rootsPem() },
        altHostname: undefined,
        clock: realClock,
      }),
      token: { kind: 'literal', token },
      clusterId: 'Kubernetes',
      headers: {},
      impersonate: options.impersonate ?? false,
      ttlSeconds: options.ttlSeconds ?? 3600,
      now: () => clock.nowMs(),
    });
    opened.push(made);
    return made;
  }

  async function failure(promise: Promise<unknown>): Promise<CaError> {
    const outcome = await promise.then(
      () => 'was issued',
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(CaError);
    return outcome as CaError;
  }

  /** One raw call, with TLS of the given client certificate. */
  function rawCall(request: Buffer, options: { token?: string; certificate?: string; key?: string } = {}) {
    const tls = grpcCredentials.createSsl(
      Buffer.from(rootsPem()),
      options.key === undefined ? null : Buffer.from(options.key),
      options.certificate === undefined ? null : Buffer.from(options.certificate),
    );
    const raw = new Client(`localhost:${port}`, tls, { 'grpc.use_local_subchannel_pool': 1 });
    opened.push(raw);
    const metadata = new Metadata();
    if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
    return new Promise<{ error: ServiceError | null; chain: string[] }>((resolve) =>
      raw.makeUnaryRequest(
        grpcMethod.createCertificate,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => istio.v1.auth.IstioCertificateResponse.decode(bytes).certChain,
        request,
        metadata,
        { deadline: Date.now() + 5000 },
        (error, chain) => resolve({ error, chain: chain ?? [] }),
      ),
    );
  }

  async function requestBytes(changes: istio.v1.auth.IIstioCertificateRequest = {}): Promise<Buffer> {
    const csr = await createCsr(cart, generateKeyPair());
    return Buffer.from(istio.v1.auth.IstioCertificateRequest.encode({ csr, ...changes }).finish());
  }

  it('gives a workload its own certificate, and a node agent those of its node', async () => {
    const own = await client('shop.till').fetch({ ...cart, serviceAccount: 'till' });
    expect(new X509Certificate(own.certificateChainPem[0]!).subjectAltName).to.include('sa/till');
    expect(own.rootsPem.join('')).to.equal(rootsPem());
    const forCart = await client('istio-system.ztunnel.zt', { impersonate: true }).fetch(cart);
    expect(new X509Certificate(forCart.certificateChainPem[0]!).subjectAltName).to.include('sa/cart');
    expect(
      lines.filter((line) => line.includes('certificate issued') && line.includes('127.0.0.1')),
    ).to.have.length(2);
  });

  it('tells its refusals apart for the client', async () => {
    const agent = client('istio-system.ztunnel.zt', { impersonate: true });
    expect((await failure(agent.fetch({ ...cart, serviceAccount: 'paid' }))).code).to.equal(
      'ca-unauthenticated',
    );
    expect((await failure(client('shop.till', { impersonate: true }).fetch(cart))).code).to.equal(
      'ca-unauthenticated',
    );
    expect((await failure(client('forged').fetch(cart))).code).to.equal('ca-unauthenticated');
    expect((await failure(client('down').fetch(cart))).code).to.equal('ca-unreachable');
    const tooLong = await failure(client('shop.till', { ttlSeconds: 86_401 }).fetch(cart));
    expect(tooLong.code).to.equal('ca-refused');
    expect(tooLong.message).to.include('SECRET_TTL');
  });

  it('answers garbage by name and goes on', async () => {
    const rows: [Buffer, number][] = [
      [Buffer.from([0x0a, 0xff]), status.INVALID_ARGUMENT],
      [Buffer.alloc(0), status.INVALID_ARGUMENT],
      [await requestBytes({ csr: 'garbage' }), status.INVALID_ARGUMENT],
      [await requestBytes({ validityDuration: 2 ** 60 }), status.INVALID_ARGUMENT],
      [
        await requestBytes({ metadata: { fields: { ImpersonatedIdentity: { boolValue: true } } } }),
        status.UNAUTHENTICATED,
      ],
      [await requestBytes({ metadata: { fields: { ImpersonatedIdentity: {} } } }), status.UNAUTHENTICATED],
    ];
    for (const [bytes, code] of rows) {
      const { error } = await rawCall(bytes, { token: 'shop.till' });
      expect(error?.code).to.equal(code);
    }
    const audited = lines.filter((line) => line.includes('certificate refused'));
    expect(audited, 'one audit line each, the undecodable one included').to.have.length(rows.length);
    expect(audited[0]).to.match(/"caller":"unknown".*"remote":"127\.0\.0\.1.*malformed-request/);
    expect((await rawCall(await requestBytes())).error?.code).to.equal(status.UNAUTHENTICATED);
    expect((await rawCall(await requestBytes(), { token: 'shop.till' })).chain).to.have.length(2);
  });

  it('takes a client certificate of the mesh instead of a token, for its own name only, until it is revoked', async () => {
    const held = await client('shop.till').fetch({ ...cart, serviceAccount: 'till' });
    const proof = { certificate: held.certificateChainPem.join(''), key: held.privateKeyPem };
    const renewed = await rawCall(await requestBytes(), proof);
    expect(renewed.error).to.equal(null);
    expect(new X509Certificate(renewed.chain[0]!).subjectAltName).to.include('sa/till');
    const posing = await rawCall(
      await requestBytes({
        metadata: {
          fields: { ImpersonatedIdentity: { stringValue: 'spiffe://cluster.local/ns/shop/sa/cart' } },
        },
      }),
      proof,
    );
    expect(posing.error?.code).to.equal(status.UNAUTHENTICATED);
    await revocations.revokeSerial(held.serialNumber, 'keyCompromise');
    expect((await rawCall(await requestBytes(), proof)).error?.details).to.include('revoked');
  });

  it('believes no client certificate of another CA', async () => {
    const keyPair = generateKeyPair();
    const { FakeCa } = await import('@ambient/identity');
    const stranger = await FakeCa.create({ now: () => Date.now() });
    const [leaf] = await stranger.signChain(cart, keyPair.publicKeyDer);
    const { error } = await rawCall(await requestBytes(), {
      certificate: leaf!,
      key: privateKeyPem(keyPair),
    });
    expect(error?.code).to.equal(status.UNAUTHENTICATED);
    expect(error?.details).to.include('neither a token nor');
  });

  const servedSerial = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port, servername: 'localhost', ca: rootsPem(), ALPNProtocols: ['h2'] },
        () => {
          resolve(socket.getPeerCertificate().serialNumber.toLowerCase());
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });

  it('renews its serving certificate at half life, for new connections, and cuts none', async () => {
    const open = client('shop.till');
    await open.fetch(cart);
    const first = await servedSerial();
    const renewed = Promise.withResolvers<void>();
    using _ = serving.onChange(() => renewed.resolve());
    clock.advance(servingLifetimeMs / 2);
    await renewed.promise;
    expect(await servedSerial()).to.not.equal(first);
    await open.fetch(cart);
    const names = new X509Certificate(serving.material.cert).subjectAltName;
    for (const name of [
      'istiod.istio-system.svc',
      'istiod-remote.istio-system.svc',
      'istio-pilot.istio-system.svc',
    ])
      expect(names).to.include(`DNS:${name}`);
  });

  it('rotates its root under clients that trust the old one, the new one, or both', async () => {
    const before = rootsPem();
    const old = client('shop.till', { roots: before });
    await old.fetch(cart);
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: '1' });
    await keeper.refresh();
    const both = rootsPem();
    expect((await client('shop.till', { roots: before }).fetch(cart)).rootsPem).to.have.length(2);
    clock.advance(overlapMs);
    const swapped = Promise.withResolvers<void>();
    using _ = serving.onChange(({ cert }) => {
      const issuer = new X509Certificate(keeper.state.signing.certificatePem);
      if (new X509Certificate(cert).checkIssued(issuer)) swapped.resolve();
    });
    await keeper.refresh();
    await swapped.promise;
    expect(keeper.state.roots[0]!.pem).to.not.equal(before);
    await client('shop.till', { roots: both }).fetch(cart);
    await client('shop.till', { roots: keeper.state.roots[0]!.pem }).fetch(cart);
    await old.fetch(cart);
    expect((await failure(client('shop.till', { roots: before }).fetch(cart))).code).to.equal(
      'ca-server-untrusted',
    );
  });

  it('names a revision, and further hosts once', () => {
    expect(servingNames('mesh', 'canary', ['cp.example', 'cp.example'])).to.deep.equal([
      'istiod.mesh.svc',
      'istiod-remote.mesh.svc',
      'istio-pilot.mesh.svc',
      'istiod-canary.mesh.svc',
      'cp.example',
    ]);
    expect(servingNames('mesh', 'default', [])).to.have.length(3);
  });
});
