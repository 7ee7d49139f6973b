import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import { builtInStrategies } from './kinds/built-in-strategies.ts';
import { ObjectOperations } from './operations/objects.ts';
import { ownContext } from './operations/request.ts';
import { printTable } from './printing/table.ts';
import { builtInResources } from './resources/builtin-resources.ts';
import { ResourceRegistry } from './resources/registry.ts';
import { builtInSchema } from './schema/builtin.ts';
import { HttpServer } from './server/http-server.ts';
import { kubeconfig } from './server/kubeconfig.ts';
import { LabCertificates } from './server/lab-certificates.ts';
import { ResourceHandler } from './server/resource-handler.ts';
import { Reviews } from './server/reviews.ts';
import { Router } from './server/router.ts';
import { Subresources } from './server/subresources.ts';
import { ObjectStore } from './storage/object-store.ts';

export interface LabApiOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly clock?: Clock;
  /** Told of what is a fault of this server. */
  readonly onFault?: (error: unknown) => void;
}

/** A Kubernetes API server for one machine. Whoever starts it stops it. */
export class LabApi {
  readonly #server: HttpServer;
  /** https://HOST:PORT */
  readonly url: string;
  /** A kubeconfig of a user who may do everything. */
  readonly kubeconfig: string;

  private constructor(server: HttpServer, url: string, config: string) {
    this.#server = server;
    this.url = url;
    this.kubeconfig = config;
  }

  static async start(options: LabApiOptions): Promise<LabApi> {
    const clock = options.clock ?? realClock;
    const certificates = LabCertificates.create(clock.nowMs());
    const store = new ObjectStore();
    const registry = new ResourceRegistry(builtInResources(builtInSchema));
    const operations = new ObjectOperations({
      store,
      clock,
      strategyOf: (key) => builtInStrategies[key],
      admission: {
        mutate: (attributes) => Promise.resolve(attributes.object),
        validate: () => Promise.resolve(),
      },
      ownership: { apply: (_target, _live, applied) => applied, track: () => {} },
    });
    const subresources = new Subresources();
    const resources = new ResourceHandler({
      store,
      clock,
      operations,
      printTable: printTable(clock),
      subresources,
      reviews: new Reviews(),
    });
    const router = new Router({
      registry,
      resources,
      subresources,
      tokens: () => undefined,
      documents: new Map(),
    });
    const namespaces = registry.find('', 'v1', 'namespaces')!;
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
      await operations.create(
        { ...namespaces, namespace: undefined, name: undefined, subresource: undefined },
        { metadata: { name } },
        ownContext(),
      );
    const server = await HttpServer.listen({
      host: options.host,
      port: options.port,
      certificate: certificates.issue({
        commonName: 'lab-api',
        hosts: [options.host, 'localhost', 'kubernetes.default.svc'],
      }),
      clientCaPem: certificates.authority.certificatePem,
      handle: (request, response, socket) => router.handle(request, response, socket),
      onFault: options.onFault ?? (() => {}),
    });
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    const url = `https://${host}:${server.port}`;
    const admin = certificates.issue({ commonName: 'lab-admin', organizations: ['system:masters'] });
    return new LabApi(
      server,
      url,
      kubeconfig({ url, caPem: certificates.authority.certificatePem, user: 'lab-admin', credential: admin }),
    );
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}
