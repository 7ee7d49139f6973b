import { join } from 'node:path';
import { KubeClient, KubeConnection } from '@ambient/kube';
import { LabCluster, MESH_NAMESPACE } from '@ambient/lab/cluster';
import { Logger, LogLevels, silentSink } from '@ambient/runtime';
import type { HttpAnswer } from '../../test/netns/harness/index.ts';
import type { AppProcess } from './cluster/app-process.ts';
import { NodeProxy, NodeProxyError } from './cluster/node-proxy.ts';
import { Operator, readManifest } from './cluster/operator.ts';
import { PodLogs } from './cluster/pod-logs.ts';
import { describePolicy, PolicyWatch } from './cluster/policy-watch.ts';
import type { PolicyObject } from './cluster/policy-watch.ts';
import { TourPod } from './cluster/tour-pod.ts';
import type { PodObject } from './cluster/tour-pod.ts';

/** Where the catalog's two servers listen. */
export const PRICE_PORT = 8080;
export const FEED_PORT = 9000;
/** Name of the Service that leads there. */
export const CATALOG = 'catalog.shop';

/** Stands in the request and in the answer, and is looked for on the wire. */
export const SECRET = 'MARZIPAN-2741';
export const ANSWER = `a teapot is 41 coins, 9 with coupon ${SECRET}`;
export const PRICE_URL = `http://${CATALOG}/price?item=teapot&coupon=${SECRET}`;

/** What the node agent sets on a pod that it has captured. */
const REDIRECTION = 'ambient.istio.io/redirection';
/** What an operator sets on a namespace that is to be in the mesh. */
const DATAPLANE_MODE = 'istio.io/dataplane-mode';

const LEARN_DEADLINE_MS = 20_000;
const LOOK_MS = 25;
const NODES = 2;

/** What of a proxy's /config_dump the tour goes by. */
interface MeshPage {
  readonly workloads: readonly { readonly name: string; readonly protocol: string }[];
  readonly services: readonly { readonly hostname: string }[];
  readonly policies: readonly { readonly namespace: string; readonly name: string }[];
}

/** When a change of the cluster began, and when the API told of it. */
export interface ChangeTimes {
  readonly startedMs: number;
  readonly toldMs: number;
}

export interface SceneOptions {
  /** For the cluster's files; made by the caller, who removes it. */
  readonly directory: string;
  /** How the API is reached from the machine's own network; undefined: it is not. */
  readonly publicUrl: string | undefined;
  /** Where programs are, as in the environment variable PATH. */
  readonly path: string;
}

/**
 * A cluster of two nodes with the mesh installed, and three pods in it that the tour is about: a shop of two, and a guest that
 * has no business there.
 */
export class Scene implements AsyncDisposable {
  readonly cluster: LabCluster;
  readonly directory: string;
  readonly operator: Operator;
  readonly policies: PolicyWatch;
  readonly logs: PodLogs;
  readonly checkout: TourPod;
  readonly catalog: TourPod;
  readonly intruder: TourPod;
  /** By node. */
  readonly proxies: readonly NodeProxy[];
  readonly #owned: AsyncDisposableStack;

  private constructor(
    parts: Pick<Scene, 'cluster' | 'directory' | 'operator' | 'policies' | 'logs' | 'proxies'>,
    pods: readonly TourPod[],
    owned: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster;
    this.directory = parts.directory;
    this.operator = parts.operator;
    this.policies = parts.policies;
    this.logs = parts.logs;
    this.proxies = parts.proxies;
    const pod = (app: string): TourPod => pods.find((each) => each.app === app)!;
    this.checkout = pod('checkout');
    this.catalog = pod('catalog');
    this.intruder = pod('intruder');
    this.#owned = owned;
  }

  /** Brings the cluster up, and the pods. Nothing is in the mesh yet. */
  static async start(options: SceneOptions, onProgress: (text: string) => void): Promise<Scene> {
    const { directory, publicUrl, path } = options;
    const log = new Logger(new LogLevels('error'), silentSink, 'tour');
    await using starting = new AsyncDisposableStack();
    const cluster = starting.use(
      await LabCluster.start({
        directory,
        nodes: NODES,
        mesh: {
          ztunnel: {
            LOG_FORMAT: 'json',
            // A tunnel that stays for the whole tour is one handshake less to wonder about in the recordings.
            POOL_UNUSED_RELEASE_TIMEOUT: '5m',
          },
        },
        manifests: [manifestPath('shop')],
        ...(publicUrl === undefined ? {} : { publicUrl }),
        onProgress: ({ text }) => onProgress(text),
        log,
      }),
    );
    // In the tour's own namespaces the API is where it is served, whatever people outside call it.
    const connection = starting.use(KubeConnection.fromFile(cluster.ownKubeconfigPath));
    const client = new KubeClient(connection);
    const logs = new PodLogs(connection);
    const ztunnels = await listPods(client, MESH_NAMESPACE, 'app=ztunnel');
    const pods = [...(await listPods(client, 'shop')), ...(await listPods(client, 'guest'))];
    const parts = {
      cluster,
      directory,
      operator: new Operator(client, cluster.ownKubeconfigPath, path),
      policies: starting.use(new PolicyWatch(client, log)),
      logs,
      proxies: ztunnels
        .map(({ metadata, spec }) => new NodeProxy(cluster, logs, spec.nodeName ?? '', metadata.name))
        .sort((a, b) => (a.node < b.node ? -1 : 1)),
    };
    return new Scene(
      parts,
      pods.map((each) => new TourPod(cluster, each)),
      starting.move(),
    );
  }

  get pods(): readonly TourPod[] {
    return [this.checkout, this.catalog, this.intruder];
  }

  /** The ztunnel of a pod's node. */
  proxyOf(pod: TourPod): NodeProxy {
    return this.proxies.find(({ node }) => node === pod.node)!;
  }

  /** The pods as the API has them now. */
  async current(): Promise<readonly PodObject[]> {
    const all = await listPods(this.cluster.client);
    return this.pods.flatMap(
      ({ object }) => all.find(({ metadata }) => metadata.uid === object.metadata.uid) ?? [],
    );
  }

  /**
   * Says that namespaces are in the mesh, or no more, as an operator does. Resolves when the node agents say that their pods are
   * captured, or released, and every proxy has learned of it.
   *
   * @returns how it was said, and the milliseconds from then until the agents were done
   */
  async setMesh(namespaces: readonly string[], on: boolean): Promise<{ shown: string; tookMs: number }> {
    const shown = await this.operator.labelNamespaces(namespaces, DATAPLANE_MODE, on ? 'ambient' : undefined);
    const startedMs = performance.now();
    const names = this.pods.filter(({ namespace }) => namespaces.includes(namespace)).map(({ name }) => name);
    await until(`the pods of ${namespaces.join(', ')} were not ${on ? 'captured' : 'released'}`, async () => {
      const pods = (await this.current()).filter(({ metadata }) => names.includes(metadata.name));
      return pods.every(({ metadata }) => (metadata.annotations?.[REDIRECTION] === 'enabled') === on);
    });
    const tookMs = performance.now() - startedMs;
    const protocol = on ? 'HBONE' : 'TCP';
    await this.#learned(({ workloads }) =>
      names.every((name) => workloads.some((each) => each.name === name && each.protocol === protocol)),
    );
    return { shown, tookMs };
  }

  /** The request that an application of the pod makes: plain HTTP, knowing of no mesh. */
  askPrice(from: TourPod): Promise<HttpAnswer> {
    return from.get(PRICE_URL);
  }

  /**
   * Starts a client in the pod that holds a connection to the catalog's feed. It prints `open` when it is answered; refused, it
   * tries again.
   */
  startCall(from: TourPod): AppProcess {
    return from.start('open-call', { host: CATALOG, port: FEED_PORT });
  }

  /** Keeps connections coming from a pod, for the live table. */
  startTraffic(from: TourPod, calls: number): AppProcess {
    return from.start('background-traffic', { host: CATALOG, port: FEED_PORT, calls });
  }

  /** How `change` does it, for people. */
  describeChange(verb: 'apply' | 'delete', manifest: string): string {
    return this.operator.describe(verb, manifestPath(manifest));
  }

  /** Applies a policy of `manifests/`, or deletes it. Times are those of `performance.now()`. */
  async change(verb: 'apply' | 'delete', manifest: string): Promise<ChangeTimes> {
    const file = manifestPath(manifest);
    const told = this.policies.next(describePolicy(readManifest(file) as PolicyObject).name);
    const startedMs = performance.now();
    await (verb === 'apply' ? this.operator.apply(file) : this.operator.remove(file));
    return { startedMs, toldMs: await told };
  }

  /** Resolves when every proxy goes by the policy, or no more. */
  policyHeld(name: string, held = true): Promise<void> {
    return this.#learned(
      ({ policies }) => policies.some((policy) => `${policy.namespace}/${policy.name}` === name) === held,
    );
  }

  /** What the proxies have been told of the mesh. @throws NodeProxyError */
  async knownMeshes(): Promise<MeshPage[]> {
    return Promise.all(this.proxies.map(async (proxy) => (await proxy.admin('/config_dump')) as MeshPage));
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  #learned(holds: (mesh: MeshPage) => boolean): Promise<void> {
    return until('a node proxy was not told of the change', async () =>
      (await this.knownMeshes()).every(holds),
    );
  }
}

/** @throws NodeProxyError */
export async function until(otherwise: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + LEARN_DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs)
      throw new NodeProxyError(`${otherwise} within ${LEARN_DEADLINE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function listPods(
  client: KubeClient,
  namespace?: string,
  labelSelector?: string,
): Promise<readonly PodObject[]> {
  const { items } = await client.request<{ readonly items: readonly PodObject[] }>({
    path: namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${namespace}/pods`,
    query: { labelSelector },
  });
  return items;
}

/** Path of a manifest of the tour. */
export function manifestPath(name: string): string {
  return join(import.meta.dirname, 'manifests', `${name}.yaml`);
}
