import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { MeshUpdate } from '@ambient/mesh';
import { Logger, LogLevels, silentSink } from '@ambient/runtime';
import { typeUrl } from '@ambient/wire';
import { expect } from 'chai';

import { addressResource, authorizationResource } from '../convert/from-mesh.ts';
import { samplePolicy, sampleService, sampleWorkload } from '../convert/samples.test-data.ts';
import { DeltaClient } from '../delta/delta-client.ts';
import { GrpcTransport } from '../delta/grpc-transport.ts';
import { discoveryNode } from '../delta/node.ts';
import type { XdsStreamError } from '../errors.ts';
import { DeltaServer } from './delta-server.ts';
import type { DeltaServerLimits } from './delta-server.ts';
import { addDiscoveryService, discoveryServerOptions } from './grpc-server.ts';
import type { Authenticate } from './grpc-server.ts';
import { DiscoveryRefusal } from './refusal.ts';
import { ResourceTable } from './resource-table.ts';
import type { ServedResource } from './resource-table.ts';
import { noMetrics } from './server.test-data.ts';

const log = new Logger(new LogLevels('debug'), silentSink, 'xds');
const { node } = discoveryNode({
  instanceIp: '10.0.0.9',
  podName: 'ztunnel-1',
  podNamespace: 'istio-system',
  nodeName: 'node-1',
});

function served(
  resource: ReturnType<typeof addressResource>,
  keys: Partial<ServedResource> = {},
): ServedResource {
  return { name: resource.name!, bytes: resource.resource!.value!, ...keys };
}
const workload = served(addressResource({ workload: sampleWorkload }), {
  aliases: sampleWorkload.addresses.map((ip) => `${sampleWorkload.network}/${ip}`),
  node: sampleWorkload.node,
  serviceKeys: Object.keys(sampleWorkload.services),
});
const service = served(addressResource({ service: sampleService }), {
  aliases: sampleService.addresses.map(({ network, ip }) => `${network}/${ip}`),
});
const policy = served(authorizationResource(samplePolicy));

/** A discovery server on a free port of loopback, with its tables. */
class Running implements Disposable {
  readonly policies = new ResourceTable(typeUrl.authorization);
  readonly addresses = new ResourceTable(typeUrl.address);
  readonly discovery: DeltaServer;
  readonly #server = new Server(discoveryServerOptions);
  #port = 0;

  private constructor(authenticate: Authenticate, limits: Partial<DeltaServerLimits>) {
    this.discovery = new DeltaServer({
      tables: [this.policies, this.addresses],
      log,
      metrics: noMetrics,
      limits: { debounceAfterMs: 1, ...limits },
    });
    addDiscoveryService(this.#server, this.discovery, authenticate);
  }

  static async start(
    authenticate: Authenticate = () => Promise.resolve({ principal: 'test' }),
    limits: Partial<DeltaServerLimits> = {},
  ): Promise<Running> {
    const running = new Running(authenticate, limits);
    running.#port = await new Promise((resolve, reject) =>
      running.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    running.discovery.start();
    return running;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  [Symbol.dispose](): void {
    this.discovery.stop();
    this.#server.forceShutdown();
  }
}

/** Our own client, and what it holds. */
class Client implements Disposable {
  readonly held = new Map<string, MeshUpdate>();
  readonly order: string[] = [];
  ready = false;
  readonly client: DeltaClient;
  #watchers = new Set<() => void>();

  constructor(running: Running, onDemand = false) {
    this.client = new DeltaClient({
      transport: new GrpcTransport({ address: running.address, trust: { rootCa: '' } }),
      node,
      onDemand,
      log,
      onUpdate: (updates) => {
        for (const update of updates) {
          this.order.push(update.kind);
          if (update.kind === 'workload') this.held.set(update.workload.uid, update);
          else if (update.kind === 'service')
            this.held.set(`${update.service.namespace}/${update.service.hostname}`, update);
          else if (update.kind === 'policy') this.held.set(update.key, update);
          else this.held.delete(update.key);
        }
        this.look();
      },
      onReady: () => {
        this.ready = true;
        this.look();
      },
    });
    this.client.start();
  }

  readonly look = (): void => {
    for (const watcher of [...this.#watchers]) watcher();
  };

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
}

/** How a stream with this server ends. */
async function ending(
  running: Running,
  request: object = { node, typeUrl: typeUrl.address },
): Promise<XdsStreamError> {
  return new Promise((resolve) => {
    const transport = new GrpcTransport({ address: running.address, trust: { rootCa: '' } });
    const stream = transport.open({ onResponse: () => {}, onEnd: (error) => resolve(error!) });
    stream.send(request);
  });
}

describe('addDiscoveryService, with our own client', () => {
  it('serves everything, policies first, then what changes and what goes', async () => {
    using running = await Running.start();
    running.addresses.apply([workload, service], []);
    running.policies.apply([policy], []);
    using client = new Client(running);
    await client.until(() => client.ready && client.held.size === 3);
    expect(client.order[0]).equal('policy');
    expect(client.held.get(sampleWorkload.uid)).deep.equal({ kind: 'workload', workload: sampleWorkload });

    running.addresses.apply([], [service.name]);
    running.policies.apply([], [policy.name]);
    await client.until(() => client.held.size === 1);
    expect(client.order.slice(-2)).deep.equal(['remove-address', 'remove-policy']);
  });

  it('makes a client ready when there is nothing', async () => {
    using running = await Running.start();
    using client = new Client(running);
    await client.until(() => client.ready);
    expect(client.held.size).equal(0);
  });

  it('answers demands by address, by service with its workloads, and for what does not exist', async () => {
    using running = await Running.start();
    const elsewhere = { ...workload, node: 'node-2' };
    running.addresses.apply([elsewhere, service], []);
    using client = new Client(running, true);
    await client.until(() => client.ready);
    const demand = async (name: string): Promise<void> =>
      new Promise((resolve) => void client.client.demand(name, resolve));
    await demand('/10.99.99.99');
    expect(client.held.size).equal(0);
    await demand(service.aliases![0]!);
    expect([...client.held.keys()].sort()).deep.equal([workload.name, service.name].sort());
  });

  it('returns what is missing to a client that comes again', async () => {
    using running = await Running.start();
    running.addresses.apply([workload], []);
    using client = new Client(running);
    await client.until(() => client.ready && client.held.size === 1);
    client.client.stop();
    running.addresses.apply([service], [workload.name]);
    client.client.start();
    await client.until(() => client.held.has(service.name) && client.held.size === 1);
    expect(client.client.status().streams).equal(2);
  });

  it('refuses with the status and the text of the refusal', async () => {
    using running = await Running.start(() =>
      Promise.reject(new DiscoveryRefusal('XDS_UNAUTHENTICATED', 'the token has expired')),
    );
    const error = await ending(running);
    expect([error.status, error.details]).deep.equal([status.UNAUTHENTICATED, 'the token has expired']);
  });

  it('hands metadata and peer to authentication, and checks the node against what it says', async () => {
    let peer = '';
    using running = await Running.start((_metadata, caller) => {
      peer = caller.address;
      return Promise.resolve({ principal: 'spiffe://x/ns/other/sa/a', namespace: 'other' });
    });
    const error = await ending(running);
    expect(error.status).equal(status.PERMISSION_DENIED);
    expect(error.details).contains('istio-system');
    expect(peer).matches(/^127\.0\.0\.1:\d+$/);
  });

  it('refuses a first request without a node', async () => {
    using running = await Running.start();
    expect((await ending(running, { typeUrl: typeUrl.address })).status).equal(status.INVALID_ARGUMENT);
  });
});
