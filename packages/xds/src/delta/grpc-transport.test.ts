import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MeshUpdate, Workload } from '@ambient/mesh';
import { Logger, LogLevels, ManualClock, silentSink } from '@ambient/runtime';
import { FakeXds } from '@ambient/testkit';
import { typeUrl } from '@ambient/wire';

import { samplePolicy, sampleService, sampleWorkload } from '../convert/samples.test-data.ts';
import type { XdsStreamError } from '../errors.ts';
import { Authority } from './authority.test-data.ts';
import { DeltaClient } from './delta-client.ts';
import type { DeltaClientOptions } from './delta-client.ts';
import { GrpcTransport } from './grpc-transport.ts';
import type { GrpcTransportOptions } from './grpc-transport.ts';

const authority = new Authority();

/** A client whose updates, readiness and stream ends a test can wait for. */
class Watched implements Disposable {
  readonly client: DeltaClient;
  readonly held = new Map<string, MeshUpdate>();
  ready = false;
  #watchers = new Set<() => void>();

  constructor(transport: GrpcTransport, options: Partial<DeltaClientOptions> = {}) {
    this.client = new DeltaClient({
      transport,
      node: { id: 'n', metadata: { fields: { NODE_NAME: { stringValue: 'node-1' } } } },
      onUpdate: (updates) => {
        for (const update of updates) {
          if (update.kind === 'workload') this.held.set(update.workload.uid, update);
          else if (update.kind === 'service')
            this.held.set(`${update.service.namespace}/${update.service.hostname}`, update);
          else if (update.kind === 'policy') this.held.set(update.key, update);
          else this.held.delete(update.key);
        }
        this.#look();
      },
      onReady: () => {
        this.ready = true;
        this.#look();
      },
      log: new Logger(new LogLevels('debug'), silentSink, 'xds'),
      ...options,
    });
    this.client.start();
  }

  async until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  [Symbol.dispose](): void {
    this.client.stop();
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }
}

function plain(fake: FakeXds, options: Partial<GrpcTransportOptions> = {}): GrpcTransport {
  return new GrpcTransport({ address: fake.address, trust: { rootCa: '' }, ...options });
}

/** How a stream to this address ends when it cannot come about. */
async function failure(options: GrpcTransportOptions): Promise<XdsStreamError | undefined> {
  return new Promise((resolve) => {
    const stream = new GrpcTransport(options).open({ onResponse: () => {}, onEnd: resolve });
    stream.send({ typeUrl: typeUrl.address });
  });
}

describe('GrpcTransport', () => {
  it('carries a mesh, its changes and its removals', async () => {
    await using fake = await FakeXds.start();
    fake.setMesh({ workloads: [sampleWorkload], services: [sampleService], policies: [samplePolicy] });
    const headers = { authorization: 'Bearer secret', clusterid: 'east' };
    using watched = new Watched(plain(fake, { headers: () => headers }));
    await watched.until(() => watched.ready);
    expect([...watched.held.keys()].sort()).to.deep.equal([
      'east//Pod/shop/cart-1',
      'shop/cart.shop.svc.cluster.local',
      'shop/deny-far',
    ]);
    expect(watched.held.get(sampleWorkload.uid)).to.deep.equal({
      kind: 'workload',
      workload: sampleWorkload,
    });
    const { headers: seen } = fake.requests[0]!;
    expect([seen.get('authorization'), seen.get('clusterid')]).to.deep.equal([['Bearer secret'], ['east']]);

    const changed: Workload = { ...sampleWorkload, status: 'HEALTHY' };
    fake.setMesh({ workloads: [changed], policies: [samplePolicy] });
    await watched.until(() => watched.held.size === 2);
    expect(watched.held.get(changed.uid)).to.deep.equal({ kind: 'workload', workload: changed });
  });

  it('reconnects by itself and is sent only what it lacks', async () => {
    await using fake = await FakeXds.start();
    fake.setMesh({ workloads: [sampleWorkload], policies: [samplePolicy] });
    using watched = new Watched(plain(fake));
    await watched.until(() => watched.ready);
    fake.endStreams();
    fake.setMesh({ services: [sampleService], policies: [samplePolicy] });
    await watched.until(() => watched.held.has('shop/cart.shop.svc.cluster.local'));
    await watched.until(() => !watched.held.has(sampleWorkload.uid));
    const again = await fake.request(
      (entry) => entry.stream === 2 && entry.request.typeUrl === typeUrl.address,
    );
    expect(Object.keys(again.request.initialResourceVersions!)).to.deep.equal([sampleWorkload.uid]);
    expect(watched.held.has('shop/deny-far')).to.equal(true);
  });

  it('tells the server which resource it refused, and applies the others', async () => {
    await using fake = await FakeXds.start();
    using watched = new Watched(plain(fake));
    await watched.until(() => watched.ready);
    fake.push({ typeUrl: typeUrl.address, resources: [{ name: 'broken' }], removedResources: [] });
    const nack = await fake.request((entry) => entry.request.errorDetail !== null);
    expect(nack.request.errorDetail?.message).to.equal('broken: resource: is missing');
  });

  it('fetches addresses on demand, and is given the workloads of its own node unasked', async () => {
    await using fake = await FakeXds.start();
    const remote: Workload = { ...sampleWorkload, uid: 'remote', node: 'node-2', addresses: ['10.0.0.2'] };
    fake.setMesh({ workloads: [sampleWorkload, remote], services: [sampleService] });
    using watched = new Watched(plain(fake), { onDemand: true });
    await watched.until(() => watched.held.has(sampleWorkload.uid));
    expect([...watched.held.keys()]).to.deep.equal([sampleWorkload.uid]);
    await new Promise<void>((resolve) => watched.client.demand('net-a/10.0.0.2', resolve));
    expect(watched.held.has('remote')).to.equal(true);
    await new Promise<void>((resolve) => watched.client.demand('net-a/10.9.9.9', resolve));
    expect(watched.held.size).to.equal(2);
  });

  it('names the refusal and the remedy when the control plane turns it away', async () => {
    await using fake = await FakeXds.start();
    fake.refuse = { code: status.UNAUTHENTICATED, details: 'token expired' };
    const error = await failure({ address: fake.address, trust: { rootCa: '' } });
    expect(error).to.include({
      code: 'XDS_CONNECT',
      status: status.UNAUTHENTICATED,
      details: 'token expired',
    });
    expect(error?.message).to.include('token expired').and.include('XDS_ADDRESS');
  });

  it('fails at once when nobody listens', async () => {
    const address = await FakeXds.start().then(async (fake) => {
      await fake[Symbol.asyncDispose]();
      return fake.address;
    });
    const error = await failure({ address, trust: { rootCa: '' } });
    expect(error).to.include({ code: 'XDS_CONNECT' });
    expect(error?.message).to.include('ECONNREFUSED');
  });

  it('gives up on a server that accepts and never speaks', async () => {
    const clock = new ManualClock();
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
      const end = failure({ address: `https://127.0.0.1:${port}`, trust: { rootCa: authority.root }, clock });
      const silent = await accepted;
      clock.advance(5000);
      const error = await end;
      expect(error).to.include({ code: 'XDS_CONNECT', details: 'no connection within 5000 ms' });
      silent.destroy(); // gRPC keeps an attempt that was given up for its own 20 s, and with it this process
    } finally {
      server.close();
    }
  });

  describe('over TLS', () => {
    it('trusts the root, given as PEM or as a file that is read for each stream', async () => {
      await using fake = await FakeXds.start({ tls: authority.issue('localhost') });
      using byText = new Watched(plain(fake, { trust: { rootCa: authority.root } }));
      await byText.until(() => byText.ready);
      const folder = mkdtempSync(path.join(tmpdir(), 'xds-'));
      try {
        const file = path.join(folder, 'root-cert.pem');
        const missing = await failure({ address: fake.address, trust: { rootCa: file } });
        expect(missing).to.include({ code: 'XDS_SETUP' });
        expect(missing?.message).to.include('XDS_ROOT_CA');
        writeFileSync(file, authority.root);
        using byFile = new Watched(plain(fake, { trust: { rootCa: file } }));
        await byFile.until(() => byFile.ready);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('refuses a certificate of another root', async () => {
      await using fake = await FakeXds.start({ tls: authority.issue('localhost') });
      const error = await failure({ address: fake.address, trust: { rootCa: new Authority().root } });
      expect(error).to.include({ code: 'XDS_CONNECT' });
      expect(error?.message).to.match(/certificate/);
    });

    it('refuses a certificate for another name, unless it is the alternative one', async () => {
      await using fake = await FakeXds.start({ tls: authority.issue('istiod.istio-system.svc') });
      const trust = { rootCa: authority.root };
      const error = await failure({ address: fake.address, trust });
      expect(error).to.include({ code: 'XDS_CONNECT' });
      expect(error?.message).to.match(/altnames/);
      const altHostname = 'istiod.istio-system.svc';
      using watched = new Watched(plain(fake, { trust: { ...trust, altHostname } }));
      await watched.until(() => watched.ready);
    });

    it('dials an IP address too', async () => {
      await using fake = await FakeXds.start({ tls: authority.issue('localhost', '127.0.0.1') });
      const address = `https://127.0.0.1:${fake.port}`;
      using watched = new Watched(new GrpcTransport({ address, trust: { rootCa: authority.root } }));
      await watched.until(() => watched.ready);
    });
  });
});
