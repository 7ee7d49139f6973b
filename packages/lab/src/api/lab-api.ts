import { join } from 'node:path';

import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import type { DialPod, ServiceResolver } from './admission/webhook-call.ts';
import { EventExpiry } from './controllers/event-expiry.ts';
import { GarbageCollector } from './controllers/garbage-collector.ts';
import { NamespaceController } from './controllers/namespace-controller.ts';
import { crdStrategy } from './crd/crd-strategy.ts';
import { openKeys } from './data-directory.ts';
import { builtInStrategies } from './kinds/built-in-strategies.ts';
import { NodePorts } from './kinds/node-ports.ts';
import { ServiceAddresses } from './kinds/service-addresses.ts';
import { kubernetesService } from './kinds/kubernetes-service.ts';
import { loadObjects, readManifests } from './load.ts';
import type { ApiObject, JsonObject } from './object.ts';
import { ObjectOperations } from './operations/objects.ts';
import type { User } from './operations/request.ts';
import { trackedFields } from './operations/tracked-fields.ts';
import { endpointSliceResolver, webhookAdmission } from './operations/webhook-admission.ts';
import { printTable } from './printing/table.ts';
import { builtInResources } from './resources/builtin-resources.ts';
import { ResourceRegistry } from './resources/registry.ts';
import { builtInSchema } from './schema/builtin.ts';
import { sendJson } from './server/exchange.ts';
import { HttpServer } from './server/http-server.ts';
import { kubeconfig } from './server/kubeconfig.ts';
import type { LabCertificates } from './server/lab-certificates.ts';
import { openApiDocuments } from './server/openapi-documents.ts';
import { ResourceHandler } from './server/resource-handler.ts';
import { registerPodSubresources } from './server/pod-subresources.ts';
import { Reviews } from './server/reviews.ts';
import { Router } from './server/router.ts';
import type { ApiDocument } from './server/router.ts';
import { scaleHandler } from './server/scale.ts';
import { tokenHandler, tokenReviewer, uidLookup } from './server/service-account-token.ts';
import { Subresources } from './server/subresources.ts';
import { Journal } from './storage/journal.ts';
import { ObjectStore } from './storage/object-store.ts';
import { ServiceAccountTokens } from './tokens/service-account-tokens.ts';
import type { IssuedToken } from './tokens/service-account-tokens.ts';
import { TokenError } from './tokens/token-error.ts';

export interface LabApiOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Where objects and keys are kept; absent, they end with the process. */
  readonly dataDir?: string;
  /** YAML files of CustomResourceDefinitions, or of anything else that is to be there from the start. */
  readonly crdFiles?: readonly string[];
  /** Where pods reach the API, in the Service `default/kubernetes`. Default: where it listens. */
  readonly advertise?: { readonly address: string; readonly port: number };
  /** Names beside `host` that the server's certificate is good for. */
  readonly serverNames?: readonly string[];
  /** Whether somebody looks after the pods of a node, and deletes them for good. Default: nobody does. */
  readonly hasNodeAgent?: (nodeName: string) => boolean;
  /** The Unix socket where a node serves logs, commands and forwarded ports. Default: no node does. */
  readonly kubelets?: (nodeName: string) => string | undefined;
  /** Where webhooks behind a Service are reached. Default: at the first ready endpoint of its EndpointSlices. */
  readonly resolveService?: ServiceResolver;
  /** How webhooks inside the cluster's network are connected to. Default: as anything is from this process. */
  readonly dialPod?: DialPod;
  /** Changes of each resource that are kept for watches, at least. */
  readonly watchHistory?: number;
  readonly clock?: Clock;
  /** Told of what is a fault of this server. */
  readonly onFault?: (error: unknown) => void;
}

const firstNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const serverNames = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '10.96.0.1'];
const issuer = 'https://kubernetes.default.svc.cluster.local';

/** A Kubernetes API server for one machine. Whoever starts it stops it. */
export class LabApi {
  readonly #server: HttpServer;
  readonly #owned: DisposableStack;
  readonly #registry: ResourceRegistry;
  readonly #operations: ObjectOperations;
  readonly #certificates: LabCertificates;
  readonly #tokens: ServiceAccountTokens;
  /** https://HOST:PORT */
  readonly url: string;
  /** A kubeconfig of a user who may do everything. */
  readonly kubeconfig: string;

  private constructor(parts: LabParts, server: HttpServer, url: string) {
    this.#server = server;
    this.#owned = parts.owned;
    this.#registry = parts.registry;
    this.#operations = parts.operations;
    this.#certificates = parts.certificates;
    this.#tokens = parts.tokens;
    this.url = url;
    this.kubeconfig = this.kubeconfigFor('lab-admin', ['system:masters']);
  }

  /**
   * @throws ApiListenError if the port cannot be had, JournalDamagedError for a data directory that cannot be read,
   *   ApiError for a file with objects that the API refuses
   */
  static async start(options: LabApiOptions): Promise<LabApi> {
    using starting = new DisposableStack();
    const parts = assemble(options, starting);
    const { router, registry, operations, certificates } = parts;
    await loadObjects(
      firstNamespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      registry,
      operations,
    );
    for (const path of options.crdFiles ?? [])
      await loadObjects(await readManifests(path), registry, operations);
    const server = await HttpServer.listen({
      host: options.host,
      port: options.port,
      certificate: certificates.issue({
        commonName: 'lab-api',
        hosts: [...new Set([options.host, ...serverNames, ...(options.serverNames ?? [])])],
      }),
      clientCaPem: certificates.authority.certificatePem,
      handle: (request, response, socket, upgrade) => router.handle(request, response, socket, upgrade),
      onFault: parts.onFault,
    });
    const advertised = options.advertise ?? { address: options.host, port: server.port };
    await loadObjects(kubernetesService(advertised.address, advertised.port), registry, operations);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return new LabApi({ ...parts, owned: starting.move() }, server, `https://${host}:${server.port}`);
  }

  /** The certificate that signs the server's own, in PEM. */
  get caPem(): string {
    return this.#certificates.authority.certificatePem;
  }

  /** A kubeconfig with a client certificate for a user of these groups. */
  kubeconfigFor(user: string, groups: readonly string[]): string {
    const credential = this.#certificates.issue({ commonName: user, organizations: groups });
    return kubeconfig({ url: this.url, caPem: this.caPem, user, credential });
  }

  /** A kubeconfig with a token of a service account that exists. */
  kubeconfigForServiceAccount(namespace: string, name: string): string {
    const { token } = this.issueToken(namespace, name);
    const user = `system:serviceaccount:${namespace}:${name}`;
    return kubeconfig({ url: this.url, caPem: this.caPem, user, credential: { token } });
  }

  /**
   * A token of a service account that exists, such as a kubelet would mount.
   *
   * @throws ApiError 404
   */
  issueToken(namespace: string, name: string, audiences: readonly string[] = []): IssuedToken {
    const served = this.#registry.find('', 'v1', 'serviceaccounts')!;
    const account = this.#operations.get({ ...served, namespace, name, subresource: undefined });
    return this.#tokens.issue({ namespace, name, uid: account.metadata.uid ?? '', audiences });
  }

  /** Creates objects as clients would; see {@link loadObjects}. Files are read with {@link readManifests}. */
  async load(objects: Iterable<JsonObject>): Promise<ApiObject[]> {
    return loadObjects(objects, this.#registry, this.#operations);
  }

  /** Cuts every connection; settles when the port is free and everything is on disk. */
  async stop(): Promise<void> {
    await this.#server.stop();
    this.#owned.dispose();
  }
}

interface LabParts {
  readonly owned: DisposableStack;
  readonly registry: ResourceRegistry;
  readonly operations: ObjectOperations;
  readonly certificates: LabCertificates;
  readonly tokens: ServiceAccountTokens;
  readonly router: Router;
  readonly onFault: (error: unknown) => void;
}

/** Everything but the socket, from the store upwards. */
function assemble(options: LabApiOptions, owned: DisposableStack): LabParts {
  const clock = options.clock ?? realClock;
  const onFault = options.onFault ?? (() => undefined);
  const { dataDir } = options;
  const { certificates, signingKey } = openKeys(
    dataDir === undefined ? undefined : join(dataDir, 'keys'),
    clock.nowMs(),
  );
  const journal =
    dataDir === undefined
      ? undefined
      : owned.adopt(new Journal(join(dataDir, 'objects')), (each) => each.close());
  const store = new ObjectStore({
    ...(journal === undefined ? {} : { journal }),
    ...(options.watchHistory === undefined ? {} : { ringSize: options.watchHistory }),
  });
  const registry = new ResourceRegistry(builtInResources(builtInSchema));
  const strategies = builtInStrategies({
    addresses: new ServiceAddresses(),
    nodePorts: new NodePorts(),
    hasAgent: options.hasNodeAgent ?? (() => false),
    nowMs: () => clock.nowMs(),
    customResourceDefinitions: crdStrategy({ registry, store, nowMs: () => clock.nowMs() }),
  });
  // What an earlier process stored is taken note of as if it had just been stored.
  for (const [key, table] of [...store.tables()])
    for (const object of table.values()) strategies.get(key)?.stored?.(object, undefined);

  const operations = new ObjectOperations({
    store,
    clock,
    strategyOf: (key) => strategies.get(key),
    admission: webhookAdmission(
      store,
      options.resolveService ?? endpointSliceResolver(store),
      options.dialPod,
    ),
    ownership: trackedFields(() => clock.nowMs()),
  });
  owned.use(new NamespaceController(store, registry, operations, onFault));
  owned.use(new GarbageCollector(store, registry, operations, onFault));
  owned.use(new EventExpiry(store, registry, operations, clock));

  const tokens = new ServiceAccountTokens({
    issuer,
    apiAudiences: [issuer],
    key: signingKey,
    clock,
    uidOf: uidLookup(store),
  });
  const subresources = new Subresources();
  subresources.register('*', 'scale', scaleHandler(operations));
  registerPodSubresources(subresources, operations, options.kubelets ?? (() => undefined), (namespace) =>
    store.table('poddisruptionbudgets.policy').inNamespace(namespace),
  );
  subresources.register('serviceaccounts.', 'token', tokenHandler(operations, store, tokens));
  const reviews = new Reviews();
  reviews.register('TokenReview', tokenReviewer(tokens));
  const resources = new ResourceHandler({
    store,
    clock,
    operations,
    printTable: printTable(clock),
    subresources,
    reviews,
  });
  const router = new Router({
    registry,
    resources,
    subresources,
    tokens: (token) => userOfToken(tokens, token),
    documents: new Map<string, ApiDocument>([
      ...openApiDocuments(registry),
      ['/openid/v1/jwks', { serve: (_, response) => sendJson(response, 200, tokens.jwks()) }],
      [
        '/.well-known/openid-configuration',
        { serve: (_, response) => sendJson(response, 200, tokens.openIdConfiguration()) },
      ],
    ]),
  });
  return { owned, registry, operations, certificates, tokens, router, onFault };
}

function userOfToken(tokens: ServiceAccountTokens, token: string): User | undefined {
  try {
    return tokens.authenticate(token).user;
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
}
