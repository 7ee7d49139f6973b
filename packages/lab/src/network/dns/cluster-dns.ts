import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { mapTarget } from '@ambient/kube';
import type { KubeClient, Namespace, ReflectorGroup } from '@ambient/kube';

import { ServiceDirectory } from '../service-directory.ts';
import { followKind, serviceReflectors } from '../service-reflectors.ts';
import { Forwarder } from './forwarder.ts';
import type { Upstream } from './forwarder.ts';
import { Resolver } from './resolver.ts';
import { DnsServer } from './server.ts';
import { Zone } from './zone.ts';

export interface ClusterDnsOptions {
  /** May list and watch Services, EndpointSlices and Namespaces. */
  readonly client: KubeClient;
  readonly log: Logger;
  /** 53 in a cluster; 0: any that is free. */
  readonly port: number;
  /** Default: all addresses. */
  readonly host?: string;
  /** Default `cluster.local`. */
  readonly zoneName?: string;
  /** Where other names are asked for; without any they are refused. */
  readonly upstreams?: readonly Upstream[];
  readonly clock?: Clock;
}

/** The cluster's DNS server: the zone follows the API. */
export class ClusterDns {
  readonly #server: DnsServer;
  readonly #reflectors: ReflectorGroup;

  private constructor(server: DnsServer, reflectors: ReflectorGroup) {
    this.#server = server;
    this.#reflectors = reflectors;
  }

  /** Listens at once, and answers that it cannot tell until the first lists are complete. @throws DnsListenError */
  static async start(options: ClusterDnsOptions): Promise<ClusterDns> {
    const { client, log, upstreams = [], clock = realClock } = options;
    const directory = new ServiceDirectory((key) => zone.update(key));
    const namespaces = new Map<string, Namespace>();
    const zone = new Zone({
      entry: (key) => directory.entry(key),
      hasNamespace: (name) => namespaces.has(name),
    });
    const reflectors = serviceReflectors({ client, log }, directory);
    followKind(reflectors, { client, log }, 'Namespace', mapTarget(namespaces));
    let ready = false;
    void reflectors.synced.then(() => (ready = true));
    const resolver = new Resolver({
      zone,
      zoneName: (options.zoneName ?? 'cluster.local').toLowerCase(),
      forwarder: new Forwarder(upstreams),
      isReady: () => ready,
      nowMs: () => clock.nowMs(),
      random: Math.random,
      log,
    });
    const { port, host } = options;
    const server = await DnsServer.listen({ resolver, port, ...(host === undefined ? {} : { host }) });
    reflectors.start();
    return new ClusterDns(server, reflectors);
  }

  get port(): number {
    return this.#server.port;
  }

  /** Settles when the zone is known. */
  get synced(): Promise<void> {
    return this.#reflectors.synced;
  }

  async stop(): Promise<void> {
    this.#server[Symbol.dispose]();
    await this.#reflectors.stop();
  }
}
