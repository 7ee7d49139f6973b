import { builtInPath } from '@ambient/kube';
import type { Pod } from '@ambient/kube';

import { CliError } from '../errors.ts';
import { HttpAdminClient } from './admin-client.ts';
import type { AdminClient } from './admin-client.ts';
import type { Cluster } from './cluster.ts';
import { connectToPod } from './port-forward.ts';

const ztunnelLabels = 'app=ztunnel';

/** The ztunnels of a cluster. */
export class Ztunnels {
  readonly #cluster: Cluster;
  readonly #port: number;

  /** @param port of their admin server */
  constructor(cluster: Cluster, port: number) {
    this.#cluster = cluster;
    this.#port = port;
  }

  /** All that run, by name. @throws CliError NOT_FOUND if there is none */
  async all(): Promise<AdminClient[]> {
    return (await this.#list()).map((pod) => this.#client(pod));
  }

  /** The one of a node; while it is replaced, the newest that is ready. @throws CliError NOT_FOUND */
  async ofNode(node: string): Promise<AdminClient> {
    const pods = await this.#list();
    const here = pods.filter(({ spec }) => spec?.nodeName === node);
    const best = here.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)) || age(b) - age(a))[0];
    if (best === undefined)
      throw new CliError(
        'NOT_FOUND',
        `no ztunnel runs on node ${node}; those of ${[...new Set(pods.map(({ spec }) => spec?.nodeName ?? '?'))].join(', ')} are there`,
      );
    return this.#client(best);
  }

  /** @param text `NAME[.NAMESPACE]`, or `pod/NAME[.NAMESPACE]`. @throws CliError NOT_FOUND */
  async named(text: string): Promise<AdminClient> {
    const [name = '', ...rest] = text.replace(/^pods?\//, '').split('.');
    const namespace = rest.length === 0 ? this.#cluster.istioNamespace : rest.join('.');
    const pod = await this.#cluster.client.request<Pod>({
      path: builtInPath('Pod', namespace, name),
    });
    if (pod.metadata.labels?.['app'] !== 'ztunnel')
      throw new CliError('NOT_FOUND', `pod ${name}.${namespace} is no ztunnel; its label app is not ztunnel`);
    return this.#client(pod);
  }

  async #list(): Promise<Pod[]> {
    const { istioNamespace, client } = this.#cluster;
    const { items } = await client.request<{ items: Pod[] }>({
      path: builtInPath('Pod', istioNamespace),
      query: { labelSelector: ztunnelLabels },
    });
    const running = items
      .filter(
        ({ status, metadata }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    if (running.length === 0)
      throw new CliError(
        'NOT_FOUND',
        `no ztunnel runs in namespace ${istioNamespace}; name its namespace with --istio-namespace, or its port with --admin`,
      );
    return running;
  }

  #client(pod: Pod): AdminClient {
    const namespace = pod.metadata.namespace ?? this.#cluster.istioNamespace;
    const { name } = pod.metadata;
    return new HttpAdminClient(`${name}.${namespace}`, pod.spec?.nodeName, () =>
      connectToPod(this.#cluster.config, { namespace, name }, this.#port),
    );
  }
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

function age(pod: Pod): number {
  return Date.parse(pod.metadata.creationTimestamp ?? '') || 0;
}
