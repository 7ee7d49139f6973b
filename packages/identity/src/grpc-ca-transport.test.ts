import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManualClock, realClock } from '@ambient/runtime';
import { FakeCaServer } from '@ambient/testkit';
import type { FakeCaBehaviour, FakeCaRequest } from '@ambient/testkit';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { CaClient } from './ca-client.ts';
import type { CaClientOptions } from './ca-client.ts';
import { CaError } from './ca-error.ts';
import { CertificateReplyError } from './certificate.ts';
import { FakeCa } from './fake-ca.ts';
import type { GrpcCaTransportOptions } from './grpc-ca-transport.ts';
import { GrpcCaTransport, parseCaAddress } from './grpc-ca-transport.ts';
import { cart, cartUri } from './test-fixtures.ts';

describe('CA client', () => {
  let directory: string;
  let ca: FakeCa;
  let server: FakeCaServer;
  let clock: ManualClock;
  const opened: { close(): void }[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ca-client-'));
    ca = await FakeCa.create({ now: () => Date.now() });
    server = await FakeCaServer.start({ ca });
    clock = new ManualClock(Date.now());
    await writeFile(join(directory, 'token'), 'first-token\n');
    await writeFile(join(directory, 'root.pem'), ca.rootPem);
  });

  afterEach(async () => {
    for (const { close } of opened.splice(0).map((it) => ({ close: () => it.close() }))) close();
    server.stop();
    await rm(directory, { recursive: true });
    expect(clock.pendingTimers, 'timers left').to.equal(0);
  });

  function client(
    transport: Partial<GrpcCaTransportOptions> = {},
    options: Partial<CaClientOptions> = {},
  ): CaClient {
    const made = new CaClient({
      transport: new GrpcCaTransport({
        address: `https://localhost:${server.port}`,
        roots: { kind: 'file', path: join(directory, 'root.pem') },
        altHostname: undefined,
        clock,
        ...transport,
      }),
      token: { kind: 'file', path: join(directory, 'token') },
      clusterId: 'east',
      headers: {},
      impersonate: true,
      ttlSeconds: 3600,
      now: () => Date.now(),
      ...options,
    });
    opened.push(made);
    return made;
  }

  async function failure(promise: Promise<unknown>): Promise<CaError> {
    const error = await promise.then(
      () => expect.fail('was not refused'),
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(CaError);
    return error as CaError;
  }

  it('acts for a workload in shared mode, with token, cluster and headers', async () => {
    const certificate = await client({}, { headers: { 'X-Revision': 'canary' } }).fetch(cart);
    expect(certificate.identity).to.deep.equal(cart);
    expect(certificate.rootsPem).to.deep.equal([ca.rootPem]);
    expect(server.seen).to.have.length(1);
    const [{ metadata, validitySeconds, impersonated }] = server.seen as [FakeCaRequest];
    expect(metadata).to.include({
      authorization: 'Bearer first-token',
      clusterid: 'east',
      'x-revision': 'canary',
    });
    expect(validitySeconds).to.equal(3600);
    expect(impersonated).to.equal(cartUri);
  });

  it('asks for itself in dedicated mode, and sends no cluster without a token', async () => {
    await client({}, { impersonate: false, token: { kind: 'none' } }).fetch(cart);
    expect(server.seen[0]!.impersonated).to.equal(undefined);
    expect(server.seen[0]!.metadata).to.not.have.any.keys('authorization', 'clusterid');
  });

  it('reads the token again for each call', async () => {
    const made = client();
    await made.fetch(cart);
    await writeFile(join(directory, 'token'), '  second-token\r\n');
    await made.fetch(cart);
    expect(server.seen.map(({ metadata }) => metadata['authorization'])).to.deep.equal([
      'Bearer first-token',
      'Bearer second-token',
    ]);
    await rm(join(directory, 'token'));
    expect(await failure(made.fetch(cart))).to.include({ code: 'ca-token-unreadable' });
    await writeFile(join(directory, 'token'), '\n');
    expect((await failure(made.fetch(cart))).message).to.match(/empty.*istio-ca/);
  });

  it('refuses a certificate for somebody else', async () => {
    server.behaviour = 'sign-for-somebody-else';
    const error: unknown = await client()
      .fetch(cart)
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(CertificateReplyError).with.property('code', 'ca-reply-wrong-identity');
  });

  const refusals: [FakeCaBehaviour, string, RegExp][] = [
    [{ code: status.UNAUTHENTICATED, details: 'bad token' }, 'ca-unauthenticated', /bad token.*audience/],
    [{ code: status.PERMISSION_DENIED, details: 'no' }, 'ca-permission-denied', /CA_TRUSTED_NODE_ACCOUNTS/],
    [{ code: status.UNIMPLEMENTED, details: 'what' }, 'ca-not-a-ca', /Istio CA/],
    [{ code: status.INTERNAL, details: 'boom' }, 'ca-refused', /status 13 \(boom\)/],
    ['garbage', 'ca-reply-unreadable', /certificate reply/],
  ];
  for (const [behaviour, code, message] of refusals)
    it(`names the refusal ${code}`, async () => {
      server.behaviour = behaviour;
      const error = await failure(client().fetch(cart));
      expect(error.code).to.equal(code);
      expect(error.message).to.match(message);
      expect(error.cause).to.be.instanceOf(Error);
    });

  it('gives up when told to, and after its time', async () => {
    server.behaviour = 'never';
    const abort = new AbortController();
    const call = failure(client().fetch(cart, abort.signal));
    const timely = failure(client({ callTimeoutMs: 50 }).fetch(cart));
    expect((await timely).code).to.equal('ca-timeout');
    abort.abort();
    expect((await call).code).to.equal('ca-cancelled');
  });

  it('names a CA that is down, and one that does not answer', async () => {
    server.stop();
    expect(await failure(client().fetch(cart))).to.include({ code: 'ca-unreachable' });
    const sockets: Socket[] = [];
    const silent: TcpServer = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = `https://localhost:${(silent.address() as AddressInfo).port}`;
    const call = failure(client({ address }).fetch(cart));
    await once(silent, 'connection');
    clock.advance(5000);
    const error = await call;
    expect(error.code).to.equal('ca-connect-timeout');
    expect(error.message).to.match(/NetworkPolic/);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('reconnects once the CA is back', async () => {
    const { port } = server;
    const made = client();
    await made.fetch(cart);
    server.stop();
    expect((await failure(made.fetch(cart))).code).to.be.oneOf(['ca-unreachable', 'ca-cancelled']);
    server = await FakeCaServer.start({ ca, port });
    // The channel's own backoff is at most a second; the cache retries after one.
    let attempts = 0;
    for (;;) {
      attempts += 1;
      const outcome = await made.fetch(cart).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) break;
      expect(attempts).to.be.below(10_000);
    }
    expect(server.seen.length).to.be.at.least(1);
  });

  it('refuses a server under another root, and connects anew when the root file changes', async () => {
    const other = await FakeCa.create({ now: () => Date.now() });
    const path = join(directory, 'root.pem');
    await writeFile(path, other.rootPem);
    const made = client();
    const error = await failure(made.fetch(cart));
    expect(error.code).to.equal('ca-server-untrusted');
    expect(error.message).to.match(/CA_ROOT_CA/);
    // Swapped whole, as Kubernetes does.
    await writeFile(`${path}.new`, other.rootPem + ca.rootPem);
    await rename(`${path}.new`, path);
    clock.advance(11_000);
    expect((await made.fetch(cart)).identity).to.deep.equal(cart);
    await writeFile(path, other.rootPem);
    clock.advance(11_000);
    expect((await failure(made.fetch(cart))).code).to.equal('ca-server-untrusted');
  });

  it('names the clocks when the certificate of the server is not valid at this time', async () => {
    server.stop();
    const late = await FakeCa.create({ now: () => Date.now() + 3_600_000 });
    server = await FakeCaServer.start({ ca: late });
    const error = await failure(client({ roots: { kind: 'pem', pem: late.rootPem } }).fetch(cart));
    expect(error.code).to.equal('ca-server-untrusted');
    expect(error.message)
      .to.match(/not yet valid.*clocks/)
      .and.not.contain('CA_ROOT_CA');
  });

  it('names an absent or empty root file, and reads it again at the next call', async () => {
    const path = join(directory, 'root.pem');
    await rm(path);
    const made = client();
    expect((await failure(made.fetch(cart))).code).to.equal('ca-root-unreadable');
    await writeFile(path, 'nothing');
    expect((await failure(made.fetch(cart))).message).to.match(/no certificate in PEM/);
    await writeFile(path, ca.rootPem);
    expect((await made.fetch(cart)).identity).to.deep.equal(cart);
  });

  it('accepts the server under its second name only if that is configured', async () => {
    server.stop();
    server = await FakeCaServer.start({ ca, dnsName: 'istiod.istio-system.svc' });
    expect((await failure(client().fetch(cart))).code).to.equal('ca-server-untrusted');
    const made = client({ altHostname: 'istiod.istio-system.svc' });
    expect((await made.fetch(cart)).identity).to.deep.equal(cart);
    const wrong = client({ altHostname: 'istiod.other.svc' });
    expect((await failure(wrong.fetch(cart))).code).to.equal('ca-server-untrusted');
  });

  it('reaches a CA by address, takes its root as text, and checks the name all the same', async () => {
    const address = `127.0.0.1:${server.port}`;
    const roots = { kind: 'pem', pem: ca.rootPem } as const;
    expect((await failure(client({ address, roots }).fetch(cart))).code).to.equal('ca-server-untrusted');
    const made = client({ address, roots, altHostname: 'localhost' });
    expect((await made.fetch(cart)).identity).to.deep.equal(cart);
  });

  it('trusts the system only for what the system trusts', async () => {
    const error = await failure(client({ roots: { kind: 'system' } }).fetch(cart));
    expect(error.code).to.equal('ca-server-untrusted');
  });

  it('refuses addresses and headers that cannot be', () => {
    const cases: [string, string | undefined][] = [
      ['https://istiod.istio-system.svc:15012', 'istiod.istio-system.svc:15012'],
      ['istiod:15012', 'istiod:15012'],
      ['https://[fd00::1]:15012/', '[fd00::1]:15012'],
      ['https://istiod', 'istiod:443'],
      ['', undefined],
      ['ftp://istiod:1', undefined],
      ['https://istiod:1/path', undefined],
      ['https://istiod:99999', undefined],
    ];
    for (const [address, target] of cases)
      if (target === undefined)
        expect(() => parseCaAddress(address), address).to.throw(CaError, /https:\/\/HOST:PORT/);
      else expect(parseCaAddress(address), address).to.include({ target });
    for (const headers of [{ 'a b': 'x' }, { 'x-bin': 'x' }, { a: 'line\nbreak' }, { 'grpc-x': 'y' }])
      expect(() => client({ clock: realClock, roots: { kind: 'system' } }, { headers })).to.throw(
        CaError,
        /CA_HEADER_/,
      );
  });

  it('takes the token itself too', async () => {
    await client({}, { token: { kind: 'literal', token: 'eyJ.abc' } }).fetch(cart);
    expect(server.seen[0]!.metadata['authorization']).to.equal('Bearer eyJ.abc');
  });
});
