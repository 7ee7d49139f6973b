import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type {
  ConnectionInjector,
  Metadata,
  Server,
  ServerDuplexStream,
  status as grpcStatus,
} from '@grpc/grpc-js';
import type { Policy, Service, Workload } from '@ambient/mesh';
import { envoy, grpcMethod, istio, typeUrl } from '@ambient/wire';
import { addressResource, authorizationResource } from '@ambient/xds';

type Request = envoy.service.discovery.v3.IDeltaDiscoveryRequest;
type Response = envoy.service.discovery.v3.IDeltaDiscoveryResponse;
type Resource = envoy.service.discovery.v3.IResource;
type Call = ServerDuplexStream<Request, Response>;

/** What the fake control plane serves. */
export interface FakeMesh {
  readonly workloads?: readonly Workload[];
  readonly services?: readonly Service[];
  readonly policies?: readonly Policy[];
}

export interface FakeXdsOptions {
  /** Serves TLS with these, PEM; plaintext if absent. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Address to listen on; 127.0.0.1 if absent. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
}

/** A request that a client sent, with the headers of its stream. */
export interface FakeXdsRequest {
  readonly request: Request;
  readonly headers: Metadata;
  /** Counts streams from 1. */
  readonly stream: number;
}

interface Subscription {
  wildcard: boolean;
  readonly names: Set<string>;
  /** Name to version, as far as the client has been sent it or said that it holds it. */
  readonly sent: Map<string, string>;
}

/**
 * A control plane in this process that speaks incremental discovery as istiod does: wildcard and by-name subscriptions,
 * differences on change, initial_resource_versions, an answer even when there is nothing. Tests own it and stop it.
 */
export class FakeXds implements AsyncDisposable {
  /** Every request so far, oldest first. */
  readonly requests: FakeXdsRequest[] = [];
  /** Set to refuse new streams with this status. */
  refuse: { readonly code: grpcStatus; readonly details: string } | undefined;
  /** Set to let answers to demands by name wait; they come in the order of the requests. */
  answerAfter: Promise<void> | undefined;
  readonly #server: Server;
  readonly #streams = new Map<Call, Map<string, Subscription>>();
  readonly #resources = new Map<string, Map<string, Resource>>([
    [typeUrl.address, new Map()],
    [typeUrl.authorization, new Map()],
  ]);
  readonly #watchers = new Set<() => void>();
  readonly #scheme: string;
  readonly #host: string;
  #injector: ConnectionInjector | undefined;
  #port = 0;
  #nonce = 0;
  #streamCount = 0;

  private constructor(options: FakeXdsOptions, server: Server) {
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    this.#host = options.host ?? '127.0.0.1';
    this.#server = server;
    const { DeltaDiscoveryRequest, DeltaDiscoveryResponse } = envoy.service.discovery.v3;
    this.#server.addService(
      {
        DeltaAggregatedResources: {
          path: grpcMethod.deltaAggregatedResources,
          requestStream: true,
          responseStream: true,
          requestSerialize: (request: Request) => Buffer.from(DeltaDiscoveryRequest.encode(request).finish()),
          requestDeserialize: (bytes: Buffer): Request => DeltaDiscoveryRequest.decode(bytes),
          responseSerialize: (response: Response) =>
            Buffer.from(DeltaDiscoveryResponse.encode(response).finish()),
          responseDeserialize: (bytes: Buffer): Response => DeltaDiscoveryResponse.decode(bytes),
        },
      },
      { DeltaAggregatedResources: (call: Call) => this.#accept(call) },
    );
  }

  /** Starts listening. */
  static async start(options: FakeXdsOptions = {}): Promise<FakeXds> {
    // Loaded late: most users of this package need no gRPC.
    const { Server, ServerCredentials } = await import('@grpc/grpc-js');
    const fake = new FakeXds(options, new Server());
    const credentials =
      options.tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            { cert_chain: Buffer.from(options.tls.cert), private_key: Buffer.from(options.tls.key) },
          ]);
    fake.#injector = fake.#server.createConnectionInjector(credentials);
    fake.#port = await new Promise<number>((resolve, reject) => {
      const address = fake.#host.includes(':') ? `[${fake.#host}]` : fake.#host;
      fake.#server.bindAsync(`${address}:${options.port ?? 0}`, credentials, (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    return fake;
  }

  get port(): number {
    return this.#port;
  }

  /** URL for XDS_ADDRESS. With TLS the host is `localhost` if it listens on loopback. */
  get address(): string {
    const host = this.#scheme === 'https' && this.#host === '127.0.0.1' ? 'localhost' : this.#host;
    return `${this.#scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Serves a connection that somebody else accepted, such as inside a network namespace. */
  inject(connection: Duplex): void {
    this.#injector?.injectConnection(connection);
  }

  /** Streams open now. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Serves exactly this mesh from now on, and tells every stream what that changes for it. */
  setMesh(mesh: FakeMesh): void {
    const addresses = new Map<string, Resource>();
    for (const service of mesh.services ?? []) {
      const resource = addressResource({ service });
      resource.aliases = service.addresses.map(({ network, ip }) => `${network}/${ip}`);
      put(addresses, resource);
    }
    for (const workload of mesh.workloads ?? []) {
      const resource = addressResource({ workload });
      resource.aliases = workload.addresses.map((ip) => `${workload.network}/${ip}`);
      put(addresses, resource);
    }
    const policies = new Map<string, Resource>();
    for (const policy of mesh.policies ?? []) put(policies, authorizationResource(policy));
    // Policies first: a workload that names a policy unknown yet would be served without it.
    this.#replace(typeUrl.authorization, policies);
    this.#replace(typeUrl.address, addresses);
  }

  /** Sends one response as it stands to every stream, whatever it holds: for malformed and contradictory resources. */
  push(response: Response): void {
    for (const call of this.#streams.keys()) call.write({ nonce: this.#nextNonce(), ...response });
  }

  /** Ends every stream, cleanly or with a status. */
  endStreams(status?: { readonly code: grpcStatus; readonly details: string }): void {
    for (const call of [...this.#streams.keys()]) {
      this.#streams.delete(call);
      if (status === undefined) call.end();
      else call.emit('error', status);
    }
  }

  /** The first request, past or to come, that `wanted` accepts. The test's own time limit bounds the wait. */
  async request(wanted: (entry: FakeXdsRequest) => boolean): Promise<FakeXdsRequest> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.requests.find(wanted);
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Cuts all streams and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#streams.clear();
    this.#injector?.destroy();
    this.#server.forceShutdown();
    return Promise.resolve();
  }

  #accept(call: Call): void {
    if (this.refuse !== undefined) {
      call.emit('error', this.refuse);
      return;
    }
    const stream = ++this.#streamCount;
    const subscriptions = new Map<string, Subscription>();
    this.#streams.set(call, subscriptions);
    let nodeName = '';
    call.on('data', (request: Request) => {
      nodeName = request.node?.metadata?.fields?.['NODE_NAME']?.stringValue ?? nodeName;
      this.#serve(call, subscriptions, request, nodeName);
      this.requests.push({ request, headers: call.metadata, stream });
      for (const look of [...this.#watchers]) look();
    });
    const close = (): void => void this.#streams.delete(call);
    call.on('end', () => {
      close();
      call.end();
    });
    call.on('cancelled', close);
    call.on('error', close);
  }

  #serve(call: Call, subscriptions: Map<string, Subscription>, request: Request, nodeName: string): void {
    const url = request.typeUrl ?? '';
    if (request.responseNonce) return;
    const resources = this.#resources.get(url);
    if (resources === undefined) return;
    const wanted = request.resourceNamesSubscribe ?? [];
    const known = subscriptions.get(url);
    if (known === undefined) {
      const held = new Map(Object.entries(request.initialResourceVersions ?? {}));
      const wildcard = wanted.length === 0 || !(request.resourceNamesUnsubscribe ?? []).includes('*');
      const subscription: Subscription = {
        wildcard,
        names: new Set(wildcard ? [] : held.keys()),
        sent: held,
      };
      subscriptions.set(url, subscription);
      // A node needs its own workloads unasked: nothing on it ever demands them.
      if (!wildcard)
        for (const [name, resource] of resources)
          if (isOnNode(resource, nodeName)) subscription.names.add(name);
      this.#sendDifference(call, url, subscription, true);
      return;
    }
    if (this.answerAfter === undefined) this.#answerDemand(call, url, known, wanted);
    else
      void this.answerAfter.then(() => {
        if (this.#streams.has(call)) this.#answerDemand(call, url, known, wanted);
      });
  }

  #answerDemand(call: Call, url: string, known: Subscription, wanted: readonly string[]): void {
    const resources = this.#resources.get(url)!;
    const found: Resource[] = [];
    const missing: string[] = [];
    for (const name of wanted) {
      const resource =
        resources.get(name) ?? [...resources.values()].find((candidate) => candidate.aliases?.includes(name));
      known.names.add(resource?.name ?? name);
      if (resource === undefined) {
        missing.push(name);
        continue;
      }
      // A service is of no use without its endpoints, which nobody would ask for.
      for (const each of [resource, ...endpointsOf(resource, resources)]) {
        found.push(each);
        known.names.add(each.name!);
        known.sent.set(each.name!, each.version!);
      }
    }
    call.write({ typeUrl: url, nonce: this.#nextNonce(), resources: found, removedResources: missing });
  }

  #replace(url: string, next: Map<string, Resource>): void {
    this.#resources.set(url, next);
    for (const [call, subscriptions] of this.#streams) {
      const subscription = subscriptions.get(url);
      if (subscription !== undefined) this.#sendDifference(call, url, subscription, false);
    }
  }

  #sendDifference(call: Call, url: string, subscription: Subscription, always: boolean): void {
    const resources = this.#resources.get(url)!;
    const covers = (name: string): boolean => subscription.wildcard || subscription.names.has(name);
    const changed = [...resources.values()].filter(
      (resource) => covers(resource.name!) && subscription.sent.get(resource.name!) !== resource.version,
    );
    const removed = [...subscription.sent.keys()].filter((name) => !resources.has(name));
    if (changed.length === 0 && removed.length === 0 && !always) return;
    for (const resource of changed) subscription.sent.set(resource.name!, resource.version!);
    for (const name of removed) subscription.sent.delete(name);
    call.write({ typeUrl: url, nonce: this.#nextNonce(), resources: changed, removedResources: removed });
  }

  #nextNonce(): string {
    return `nonce-${++this.#nonce}`;
  }
}

function put(resources: Map<string, Resource>, resource: Resource): void {
  resource.version = createHash('sha256').update(resource.resource!.value!).digest('hex').slice(0, 16);
  resources.set(resource.name!, resource);
}

/** The workloads of a service. */
function endpointsOf(resource: Resource, among: ReadonlyMap<string, Resource>): Resource[] {
  const { service } = istio.workload.Address.decode(resource.resource!.value!);
  if (service === null || service === undefined) return [];
  const key = `${service.namespace}/${service.hostname}`;
  return [...among.values()].filter((candidate) => {
    const { workload } = istio.workload.Address.decode(candidate.resource!.value!);
    return key in (workload?.services ?? {});
  });
}

function isOnNode(resource: Resource, nodeName: string): boolean {
  const { workload } = istio.workload.Address.decode(resource.resource!.value!);
  return workload !== null && workload !== undefined && nodeName !== '' && workload.node === nodeName;
}
