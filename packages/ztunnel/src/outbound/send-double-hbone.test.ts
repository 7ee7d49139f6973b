import type { TunnelOffer, TunnelSink } from '@ambient/hbone';
import { HboneError } from '@ambient/hbone';
import type { TestServerOptions } from '@ambient/hbone/testing';
import { RecordingSink, TestIdentities, TestServer, settle, turnUntil } from '@ambient/hbone/testing';
import type { SocketAddress } from '@ambient/linux';
import { openDescriptors } from '@ambient/linux';
import type { DoubleHboneRoute } from '@ambient/mesh';
import { serviceWith, workloadWith } from '@ambient/mesh';
import { expect } from 'chai';
import { dial } from '../relay/dial.ts';
import { TunnelRelay } from '../relay/tunnel-relay.ts';
import { socketPair } from '../testing/socket-pair.ts';
import { TestApplication, TestApplicationServer } from '../testing/test-application.ts';
import type { TestWorker } from '../testing/worker-context.ts';
import { giveCertificate, testWorker } from '../testing/worker-context.ts';
import { sendDoubleHbone } from './send-double-hbone.ts';

const spiffe = (name: string): string => `spiffe://cluster.local/ns/a/sa/${name}`;
const source = workloadWith({
  uid: 'client',
  name: 'client-1',
  namespace: 'a',
  serviceAccount: 'client',
  network: 'east',
});
const gatewayWorkload = workloadWith({ uid: 'gateway', namespace: 'a', serviceAccount: 'gateway' });
const remote = workloadWith({ uid: 'remote', namespace: 'a', serviceAccount: 'stand-in', network: 'west' });
const service = serviceWith({
  namespace: 'a',
  hostname: 'web.a.svc.cluster.local',
  subjectAltNames: [spiffe('server')],
});
const over = new HboneError('shut-down', 'the test is over');

describe('sendDoubleHbone', () => {
  let identities: TestIdentities;
  let worker: TestWorker;
  let openBefore: number;
  let open: { close(): void }[];

  before(async () => {
    identities = await TestIdentities.issue([spiffe('client'), spiffe('gateway'), spiffe('server')]);
  });
  beforeEach(async () => {
    openBefore = openDescriptors().length;
    open = [];
    worker = await testWorker({
      env: { NETWORK: 'east' },
      hbone: { handshakeTimeoutMs: 300, dialTimeoutMs: 300 },
      logLevel: 'debug',
    });
    giveCertificate(worker, identities, spiffe('client'));
  });
  afterEach(() => {
    for (const each of open.reverse()) each.close();
    settle(worker.reactor);
    expect(worker.connections.size, 'live connections').to.equal(0);
    worker.close();
    expect(openDescriptors().length, 'descriptors leaked').to.equal(openBefore);
  });

  function serve(identity: string, options: TestServerOptions = {}): TestServer {
    const server = new TestServer(worker.reactor, identities.context(spiffe(identity), 'server'), options);
    open.push({
      close: () => {
        server.close(over);
      },
    });
    return server;
  }

  /** Carries a tunnel to a TCP address, as a gateway and the end of a mesh do. */
  function carryTo(to: SocketAddress, offer: TunnelOffer): TunnelSink {
    const dialling = { cancel: (): void => undefined };
    const relay = new TunnelRelay(worker.reactor, {
      onTunnelOpen: () => undefined,
      onRelayEnd: () => {
        dialling.cancel();
      },
    });
    open.push({
      close: () => {
        relay.fail(over);
      },
    });
    relay.attachTunnel(offer.tunnel);
    Object.assign(
      dialling,
      dial(worker.reactor, to, {}, 1000, {
        onConnected: (socket, readiness) => {
          offer.accept([]);
          relay.attachDialled(socket, readiness);
        },
        onFailed: (error) => {
          offer.refuse(503);
          relay.fail(error);
        },
      }),
    );
    return relay;
  }

  const gatewayTo = (to: SocketAddress): TestServer =>
    serve('gateway', { onConnect: (offer) => carryTo(to, offer) });

  function routeTo(gateway: SocketAddress, change: Partial<DoubleHboneRoute> = {}): DoubleHboneRoute {
    const authority = 'web.a.svc.cluster.local:80';
    return {
      kind: 'double-hbone',
      gateway: gatewayWorkload,
      dial: gateway,
      hostnameToResolve: undefined,
      authority,
      expectedIdentities: [spiffe('gateway')],
      inner: { authority, expectedIdentities: [spiffe('server')] },
      upstream: remote,
      service,
      ...change,
    };
  }

  /** An application connects; its connection is sent by `route`. */
  function call(route: DoubleHboneRoute): TestApplication {
    const { dialled, accepted, from } = socketPair(worker.reactor);
    const application = new TestApplication(worker.reactor, dialled);
    open.push(application);
    const destination = { ip: '10.1.0.1', port: 80 };
    sendDoubleHbone(worker, { socket: accepted, source, peer: from, destination }, route);
    return application;
  }

  /** Waits until the connection has left the live table. @returns the fields of its line in the access log */
  function lastLine(): Record<string, unknown> {
    turnUntil(worker.reactor, 'the end of the connection', () => worker.connections.size === 0);
    return { ...worker.lines.at(-1)!.fields, level: worker.lines.at(-1)!.level };
  }

  it('carries bytes both ways, and says who calls to both ends', () => {
    const inner = serve('server');
    const gateway = gatewayTo(inner.address);
    const application = call(routeTo(gateway.address));
    application.send('ping');
    turnUntil(worker.reactor, 'ping', () => inner.sinks[0]?.received.toString() === 'ping');
    inner.sinks[0]!.send('pong');
    inner.connections[0]!.requestFlush();
    turnUntil(worker.reactor, 'pong', () => application.received.toString() === 'pong');

    const outerRequest = gateway.offers[0]!.request;
    expect(outerRequest.authority).to.equal('web.a.svc.cluster.local:80');
    expect(outerRequest.network).to.equal(undefined);
    expect(inner.offers[0]!.request).to.deep.equal({
      authority: 'web.a.svc.cluster.local:80',
      forwardedFor: worker.connections.reports()[0]!.source,
      forwardedHost: 'web.a.svc.cluster.local',
      baggage: 'k8s.workload=client-1',
      traceparent: outerRequest.traceparent,
      network: 'east',
    });
    const [opened] = worker.lines.filter(({ message }) => message === 'connection opened');
    expect(opened!.fields).to.include({ direction: 'outbound', traceparent: outerRequest.traceparent });
    const [report] = worker.connections.reports();
    expect(report).to.deep.include({
      protocol: 'double-HBONE',
      bytesSent: 4,
      bytesReceived: 4,
      destinationIdentity: spiffe('gateway'),
    });

    application.socket.shutdownWrite();
    turnUntil(worker.reactor, 'the end at the server', () => inner.sinks[0]!.ended);
    inner.sinks[0]!.tunnel!.end();
    expect(lastLine()).to.deep.include({ level: 'info', bytes_sent: 4, bytes_recv: 4 });
    turnUntil(worker.reactor, 'the end at the application', () => application.ended);
    turnUntil(worker.reactor, 'the connection inside to close', () => inner.gone.length === 1);
    turnUntil(
      worker.reactor,
      'the tunnel around to close',
      () => gateway.connections[0]!.activeTunnels === 0,
    );
    expect(worker.pool.connectionCount).to.equal(1); // the one around is kept for the next call
    expect(worker.metrics().find(({ metric }) => metric.includes('failed'))).to.equal(undefined);
  });

  it('keeps the tunnel around pooled, and one connection inside for each call', () => {
    const inner = serve('server');
    const gateway = gatewayTo(inner.address);
    for (let i = 0; i < 3; i++) call(routeTo(gateway.address)).send(`call ${i}`);
    turnUntil(
      worker.reactor,
      'three calls',
      () => inner.sinks.filter((sink) => sink.receivedBytes > 0).length === 3,
    );
    expect(gateway.connections).to.have.length(1);
    expect(inner.connections).to.have.length(3);
    worker.connections.cutAll(over);
  });

  it('carries 16 MiB each way at once unchanged, and every buffer is given back', () => {
    const total = 16 * 1024 * 1024;
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    const inner = serve('server', { onConnect: (offer) => carryTo(target.address, offer) });
    const gateway = gatewayTo(inner.address);
    const application = call(routeTo(gateway.address));
    application.keep = false;
    application.sendPattern(total, true);
    turnUntil(worker.reactor, 'the server application', () => target.accepted.length === 1);
    const served = target.accepted[0]!;
    served.keep = false;
    served.sendPattern(total, true);
    turnUntil(worker.reactor, 'both ends', () => application.ended && served.ended, 20_000);
    expect([application.receivedBytes, served.receivedBytes]).to.deep.equal([total, total]);
    expect([application.patternHolds, served.patternHolds]).to.deep.equal([true, true]);
    expect(lastLine()).to.deep.include({ level: 'info', bytes_sent: total, bytes_recv: total });
    served.close();
  });

  it('goes on in one direction after the other has ended', () => {
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    const inner = serve('server', { onConnect: (offer) => carryTo(target.address, offer) });
    const application = call(routeTo(gatewayTo(inner.address).address));
    application.send('question');
    application.socket.shutdownWrite();
    turnUntil(worker.reactor, 'the end of the question', () => target.accepted[0]?.ended === true);
    target.accepted[0]!.sendPattern(3_000_000, true);
    turnUntil(worker.reactor, 'the whole answer', () => application.ended);
    expect(application.receivedBytes).to.equal(3_000_000);
    expect(lastLine()).to.include({ level: 'info' });
  });

  it('holds up a sender whose far application does not read, in bounded memory, and goes on', () => {
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    const inner = serve('server', { onConnect: (offer) => carryTo(target.address, offer) });
    const application = call(routeTo(gatewayTo(inner.address).address));
    turnUntil(worker.reactor, 'the server application', () => target.accepted.length === 1);
    target.accepted[0]!.reading = false;
    target.accepted[0]!.keep = false;
    const total = 64 * 1024 * 1024;
    application.sendPattern(total, true);
    let before = -1;
    turnUntil(worker.reactor, 'a standstill', () => {
      const now = worker.connections.reports()[0]!.bytesSent;
      const stands = now > 0 && now === before;
      before = now;
      return stands;
    });
    settle(worker.reactor);
    expect(worker.connections.reports()[0]!.bytesSent).to.be.lessThan(40 * 1024 * 1024);
    target.accepted[0]!.resume();
    turnUntil(worker.reactor, 'the rest', () => target.accepted[0]!.ended, 20_000);
    expect(target.accepted[0]!.receivedBytes).to.equal(total);
    expect(target.accepted[0]!.patternHolds).to.equal(true);
    worker.connections.cutAll(over);
  });

  it('trusts behind the gateway only whom the service vouches for', () => {
    const inner = serve('server');
    const gateway = gatewayTo(inner.address);
    const route = routeTo(gateway.address, {
      inner: { authority: 'web:80', expectedIdentities: [spiffe('other'), spiffe('gateway')] },
    });
    const application = call(route);
    const line = lastLine();
    expect(line).to.include({ level: 'error', reason: 'unexpected-identity' });
    expect(line['error']).to.match(/web:80 behind 127\.0\.0\.1:\d+: .*sa\/server/);
    turnUntil(worker.reactor, 'the reset', () => application.failed);
    expect(inner.offers).to.have.length(0);
    expect(worker.metrics().some(({ labels }) => labels.includes('IDENTITY_ERROR'))).to.equal(true);
    turnUntil(
      worker.reactor,
      'the tunnel around to close',
      () => gateway.connections[0]!.activeTunnels === 0,
    );
  });

  it('trusts no gateway but the expected one', () => {
    const gateway = serve('server');
    call(routeTo(gateway.address));
    expect(lastLine()).to.include({ reason: 'unexpected-identity' });
    expect(gateway.offers).to.have.length(0);
  });

  it('names a gateway that nobody listens at', () => {
    call(routeTo({ ip: '127.0.0.1', port: 1 }));
    const line = lastLine();
    expect(line).to.include({ level: 'error', reason: 'ECONNREFUSED' });
    expect(line['error']).to.include('the tunnel to the gateway: connect 127.0.0.1:1');
  });

  for (const [status, reason] of [
    [401, 'refused-401'],
    [503, 'refused-503'],
  ] as const) {
    it(`fails when the gateway answers ${status}`, () => {
      call(routeTo(serve('gateway', { onConnect: () => status }).address));
      const line = lastLine();
      expect(line).to.include({ level: 'error', reason });
      expect(line['error']).to.include('the tunnel to the gateway');
    });

    it(`fails when the server behind the gateway answers ${status}`, () => {
      const inner = serve('server', { onConnect: () => status });
      call(routeTo(gatewayTo(inner.address).address));
      const line = lastLine();
      expect(line).to.include({ level: 'error', reason });
      expect(line['error']).to.not.include('the tunnel to the gateway');
      turnUntil(worker.reactor, 'the connection inside to close', () => inner.gone.length === 1);
    });
  }

  it('fails when something else than TLS is behind the gateway', () => {
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    const application = call(routeTo(gatewayTo(target.address).address));
    turnUntil(
      worker.reactor,
      'the hello',
      () => target.accepted[0] !== undefined && target.accepted[0].receivedBytes > 0,
    );
    target.accepted[0]!.send('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(lastLine()).to.include({ level: 'error', reason: 'not-tls' });
    turnUntil(worker.reactor, 'the reset', () => application.failed);
  });

  it('gives up a handshake behind the gateway that does not end', () => {
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    call(routeTo(gatewayTo(target.address).address));
    expect(lastLine()).to.include({ level: 'error', reason: 'handshake-timeout' });
  });

  it('fails when the far end closes during the handshake behind the gateway', () => {
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    call(routeTo(gatewayTo(target.address).address));
    turnUntil(
      worker.reactor,
      'the hello',
      () => target.accepted[0] !== undefined && target.accepted[0].receivedBytes > 0,
    );
    target.accepted[0]!.close();
    expect(lastLine()).to.include({ level: 'error', reason: 'connection-lost' });
  });

  for (const [what, code] of [
    ['CANCEL', 8],
    ['INTERNAL_ERROR', 2],
  ] as const)
    it(`fails when the gateway resets the tunnel with ${what} before it stands`, () => {
      const gateway = serve('gateway', { onConnect: () => new RecordingSink() });
      call(routeTo(gateway.address));
      turnUntil(worker.reactor, 'the request', () => gateway.offers.length === 1);
      gateway.offers[0]!.tunnel.reset(code);
      expect(lastLine()).to.include({ level: 'error', reason: 'reset' });
    });

  for (const [what, code, reason] of [
    ['CANCEL', 8, 'connection-lost'],
    ['INTERNAL_ERROR', 2, 'reset'],
  ] as const)
    it(`cuts the application when the gateway resets the tunnel with ${what} under way`, () => {
      const inner = serve('server');
      const gateway = gatewayTo(inner.address);
      const application = call(routeTo(gateway.address));
      application.send('x');
      turnUntil(worker.reactor, 'a byte', () => inner.sinks[0]?.receivedBytes === 1);
      gateway.offers[0]!.tunnel.reset(code);
      expect(lastLine()).to.include({ level: 'error', reason });
      turnUntil(worker.reactor, 'the reset', () => application.failed);
      // The gateway's own relay does not learn of its reset: end it from the far side.
      inner.connections[0]!.fail(over);
    });

  it('cuts the application when the gateway dies', () => {
    const inner = serve('server');
    const gateway = gatewayTo(inner.address);
    const application = call(routeTo(gateway.address));
    application.send('x');
    turnUntil(worker.reactor, 'a byte', () => inner.sinks[0]?.receivedBytes === 1);
    gateway.connections[0]!.fail(over);
    const line = lastLine();
    expect(line).to.include({ level: 'error', reason: 'connection-lost' });
    turnUntil(worker.reactor, 'the reset', () => application.failed);
  });

  it('tells the far end when the application resets', () => {
    const inner = serve('server');
    const application = call(routeTo(gatewayTo(inner.address).address));
    application.send('x');
    turnUntil(worker.reactor, 'a byte', () => inner.sinks[0]?.receivedBytes === 1);
    application.abort();
    expect(lastLine()).to.include({ level: 'error', reason: 'ECONNRESET' });
    turnUntil(worker.reactor, 'the far end to learn it', () => inner.sinks[0]!.closed);
    turnUntil(worker.reactor, 'the connection inside to close', () => inner.gone.length === 1);
  });

  for (const phase of [
    'no certificate',
    'dialling',
    'the gateway answering',
    'handshake inside',
    'open',
  ] as const)
    it(`is cut from outside while ${phase}`, () => {
      const sink = new RecordingSink();
      const target = new TestApplicationServer(worker.reactor);
      open.push(target);
      const inner = serve('server');
      const gateway = serve('gateway', {
        onConnect: (offer) =>
          phase === 'the gateway answering'
            ? sink
            : carryTo(phase === 'handshake inside' ? target.address : inner.address, offer),
      });
      if (phase === 'no certificate') worker.certificates.fail(spiffe('client'), 'gone');
      const application = call(routeTo(gateway.address));
      if (phase === 'the gateway answering')
        turnUntil(worker.reactor, phase, () => gateway.offers.length === 1);
      if (phase === 'handshake inside')
        turnUntil(worker.reactor, phase, () => (target.accepted[0]?.receivedBytes ?? 0) > 0);
      if (phase === 'open') turnUntil(worker.reactor, phase, () => inner.sinks.length === 1);
      expect(worker.connections.cutAll(over)).to.equal(1);
      expect(lastLine()).to.include({ level: 'error', reason: 'shut-down' });
      turnUntil(worker.reactor, 'the reset', () => application.failed);
      turnUntil(worker.reactor, 'no tunnel left', () =>
        gateway.connections.every((connection) => connection.activeTunnels === 0),
      );
      if (phase === 'no certificate') giveCertificate(worker, identities, spiffe('client'));
      settle(worker.reactor);
      expect(worker.connections.size).to.equal(0);
    });

  it('gives the tunnel around up when the application resets before the one inside stands', () => {
    const target = new TestApplicationServer(worker.reactor);
    open.push(target);
    const gateway = gatewayTo(target.address);
    const application = call(routeTo(gateway.address));
    turnUntil(worker.reactor, 'the hello', () => (target.accepted[0]?.receivedBytes ?? 0) > 0);
    application.abort();
    expect(lastLine()).to.include({ level: 'error', reason: 'ECONNRESET' });
    turnUntil(worker.reactor, 'no tunnel left', () => gateway.connections[0]!.activeTunnels === 0);
  });

  it('fails when there is no certificate for the source', () => {
    worker.certificates.fail(spiffe('client'), 'gone');
    call(routeTo({ ip: '127.0.0.1', port: 1 }));
    expect(worker.posted).to.deep.equal([{ kind: 'need-certificate', identity: spiffe('client') }]);
    worker.certificates.fail(spiffe('client'), 'the CA says no');
    expect(lastLine()).to.include({ level: 'error', reason: 'certificate-unavailable' });
  });
});
