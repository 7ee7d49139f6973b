import type { KubeClient, ReflectorGroup } from '@ambient/kube';
import type { Logger } from '@ambient/runtime';
import type { NetworkNamespace } from '@ambient/linux';

import { ServiceDirectory } from '../service-directory.ts';
import { serviceReflectors } from '../service-reflectors.ts';
import { NodeProxy } from './node-proxy.ts';

/** A node as the proxy sees it. */
export interface ProxiedNode {
  readonly name: string;
  readonly namespace: NetworkNamespace;
}

export interface ServiceProxyOptions {
  /** May list and watch Services and EndpointSlices. */
  readonly client: KubeClient;
  readonly log: Logger;
  /** Of all pods of the cluster: what is from one of them is from inside. */
  readonly podPrefixes: readonly string[];
}

/**
 * What kube-proxy does on each node: rules of nftables that lead the addresses of Services to endpoints. The API is read once
 * for all nodes of the lab.
 */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #nodes = new Map<string, NodeProxy>();
  readonly #directory = new ServiceDirectory((key) => {
    if (!this.#synced) return;
    for (const node of this.#nodes.values()) node.mark(key);
  });
  readonly #reflectors: ReflectorGroup;
  #synced = false;

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#reflectors = serviceReflectors(options, this.#directory);
    void this.#reflectors.synced.then(() => {
      this.#synced = true;
      for (const node of this.#nodes.values()) node.rebuild();
    });
  }

  start(): void {
    this.#reflectors.start();
  }

  /** Begins to keep the rules of a node. */
  addNode({ name, namespace }: ProxiedNode): void {
    const { podPrefixes, log } = this.#options;
    const node = new NodeProxy({
      nodeName: name,
      namespace,
      podPrefixes,
      keys: () => this.#directory.keys(),
      entry: (key) => this.#directory.entry(key),
      log,
    });
    this.#nodes.set(name, node);
    if (this.#synced) node.rebuild();
  }

  /** Settles when the kernel of every node has what the API has said until then. */
  async settled(): Promise<void> {
    await this.#reflectors.synced;
    await Promise.all([...this.#nodes.values()].map((node) => node.settled()));
  }

  /** The nodes keep their rules: their namespaces end with the network. */
  async stop(): Promise<void> {
    await this.#reflectors.stop();
    await Promise.all([...this.#nodes.values()].map((node) => node.stop()));
  }
}
