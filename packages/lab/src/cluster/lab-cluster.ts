import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { KubeClient, KubeConnection } from '@ambient/kube';
import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { LabApi } from '../api/lab-api.ts';
import { readManifests } from '../api/load.ts';
import { startControllers } from '../controllers/start-controllers.ts';
import { ImageCatalog, projectImages } from '../images/index.ts';
import type { Image } from '../images/index.ts';
import { dnsManifest } from '../network/dns/manifest.ts';
import { ClusterNetwork, connectInNamespace, labBridge, ServiceProxy } from '../network/index.ts';
import type { ClusterNode } from '../network/index.ts';
import { quoted } from '../node/container/shell-script.ts';
import { Kubelet } from '../node/index.ts';
import { StreamingServer } from '../node/streaming/index.ts';
import { labFiles, removeLabFiles } from './lab-files.ts';
import { MESH_NAMESPACE, meshManifests, PLUGIN_SOURCE } from './mesh-manifests.ts';
import type { MeshOptions } from './mesh-manifests.ts';
import { waitForWorkloads } from './wait-for-workloads.ts';
import type { WorkloadName } from './wait-for-workloads.ts';

export interface LabClusterOptions {
  /** Where everything of this cluster is: `kubeconfig`, and `nodes` with what the nodes have for disks; both go at the end. */
  readonly directory: string;
  readonly nodes: number;
  /** Both families if absent. */
  readonly ipv6?: boolean;
  /** Of every link, bytes; 1500 if absent. */
  readonly mtu?: number;
  /** What to install of the mesh; undefined: nothing. */
  readonly mesh?: MeshOptions | undefined;
  /** YAML files that are applied when everything else is ready. */
  readonly manifests?: readonly string[];
  /** Beside those of the project. */
  readonly images?: Readonly<Record<string, Image>>;
  /** Port on 127.0.0.1 where the API is served; 0 or absent: any. */
  readonly apiPort?: number;
  /** `https://HOST:PORT` for the kubeconfig of people, where that differs from where the API is served. */
  readonly publicUrl?: string;
  readonly onProgress?: (step: LabStep) => void;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** What the start of a cluster has come to. */
export interface LabStep {
  readonly phase: 'api' | 'network' | 'nodes' | 'dns' | 'mesh' | 'manifests';
  readonly text: string;
}

const projectRoot = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
const API_SERVICE_PORT = 6443;
/** Of the log of a container that does not become ready, shown with the failure. */
const lastLines = 5;
/** Time, stream and flag before a line of a container's log. */
const criPrefix = /^\S+ std(?:out|err) [FP] /;
const DOMAIN = 'cluster.local';
const SERVICE_DNS = { v4: '10.96.0.10', v6: 'fd96::a' } as const;
const API_ADDRESS = '10.96.0.1';

/**
 * A Kubernetes cluster on this machine: API server, controllers, nodes as network namespaces, pods as namespaces and
 * processes below this one. Needs the privileges of a root user in the namespaces that it is started in, which should be made
 * for it (`isolation.ts`).
 */
export class LabCluster implements AsyncDisposable {
  readonly api: LabApi;
  readonly network: ClusterNetwork;
  readonly kubelets: ReadonlyMap<string, Kubelet>;
  /** Of somebody who may do everything. */
  readonly client: KubeClient;
  /** For people, and for kubectl. */
  readonly kubeconfigPath: string;
  /** The same for programs in the namespaces that the cluster was started in. */
  readonly ownKubeconfigPath: string;
  readonly #clock: Clock;
  readonly #owned: AsyncDisposableStack;

  private constructor(parts: {
    api: LabApi;
    network: ClusterNetwork;
    kubelets: ReadonlyMap<string, Kubelet>;
    client: KubeClient;
    kubeconfigPath: string;
    ownKubeconfigPath: string;
    clock: Clock;
    owned: AsyncDisposableStack;
  }) {
    this.api = parts.api;
    this.network = parts.network;
    this.kubelets = parts.kubelets;
    this.client = parts.client;
    this.kubeconfigPath = parts.kubeconfigPath;
    this.ownKubeconfigPath = parts.ownKubeconfigPath;
    this.#clock = parts.clock;
    this.#owned = parts.owned;
  }

  /**
   * @returns when every node, and every workload that it was asked to install, is ready
   * @throws LabNetworkError, LabStartError, or of a part that cannot start; nothing is left then
   */
  static async start(options: LabClusterOptions): Promise<LabCluster> {
    const { directory, log, clock = realClock, ipv6 = true } = options;
    const tell = (phase: LabStep['phase'], text: string): void => options.onProgress?.({ phase, text });
    await using starting = new AsyncDisposableStack();
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    starting.defer(() => removeLabFiles(directory));

    tell('network', `joining ${options.nodes} nodes`);
    const network = starting.use(
      await ClusterNetwork.create({ ipv6, ...(options.mtu === undefined ? {} : { mtu: options.mtu }) }),
    );
    const nodes: ClusterNode[] = [];
    for (let index = 1; index <= options.nodes; index++) nodes.push(await network.addNode(`node-${index}`));

    tell('api', 'starting the API server and the controllers');
    const api = await startApi(options, network, nodes);
    starting.defer(() => api.stop());
    const kubeconfigPath = join(directory, labFiles.kubeconfig);
    const own = join(directory, labFiles.ownKubeconfig);
    writeFileSync(own, api.kubeconfig, { mode: 0o600 });
    writeFileSync(kubeconfigPath, api.kubeconfig.replaceAll(api.url, options.publicUrl ?? api.url), {
      mode: 0o600,
    });
    starting.use(
      await network.expose(API_SERVICE_PORT, { host: '127.0.0.1', port: Number(new URL(api.url).port) }),
    );
    const connection = starting.use(KubeConnection.fromFile(own));
    const client = new KubeClient(connection, clock);
    const controllers = await startControllers({
      connection,
      log: log.scope('controllers'),
      clock,
      caPem: api.caPem,
    });
    starting.defer(() => controllers.stop());
    const proxy = new ServiceProxy({
      client,
      log: log.scope('proxy'),
      podPrefixes: network.plan.podPrefixes,
    });
    starting.defer(() => proxy.stop());
    proxy.start();

    tell('nodes', `starting ${nodes.map(({ name }) => name).join(', ')}`);
    const images = new ImageCatalog({ ...projectImages(projectRoot, process.execPath), ...options.images });
    const kubelets = new Map<string, Kubelet>();
    // Pods go before anything that they need goes.
    await Promise.all(
      nodes.map(async (node) => {
        const kubelet = new Kubelet({
          node,
          zone: `zone-${node.index}`,
          client,
          runDirectory: directory,
          images,
          cluster: {
            apiAddress: API_ADDRESS,
            apiPort: 443,
            caPem: api.caPem,
            domain: DOMAIN,
            dnsAddresses: [SERVICE_DNS.v4],
          },
          log: log.scope(node.name),
          clock,
        });
        starting.use(kubelet);
        installPrimaryPlugin(kubelet, network, node);
        await kubelet.start();
        kubelets.set(node.name, kubelet);
        proxy.addNode(node);
        const streaming = await StreamingServer.listen({
          socketPath: kubeletSocket(directory, node.name),
          containers: kubelet,
          clock,
          onFault: (error) => log.error('streaming', { node: node.name, error: String(error) }),
        });
        starting.defer(() => streaming.stop());
      }),
    );
    const cluster = new LabCluster({
      api,
      network,
      kubelets,
      client,
      kubeconfigPath,
      ownKubeconfigPath: own,
      clock,
      owned: starting.move(),
    });
    try {
      await cluster.#install(options, tell);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async #install(
    options: LabClusterOptions,
    tell: (phase: LabStep['phase'], text: string) => void,
  ): Promise<void> {
    const { ipv6 = true, mesh, manifests = [] } = options;
    tell('dns', 'starting the cluster’s DNS');
    await this.api.load(
      dnsManifest({ clusterIps: ipv6 ? [SERVICE_DNS.v4, SERVICE_DNS.v6] : [SERVICE_DNS.v4] }),
    );
    const waits: WorkloadName[] = [{ kind: 'Deployment', namespace: 'kube-system', name: 'coredns' }];
    if (mesh !== undefined) {
      tell('mesh', 'installing the control plane, the node agent and the node proxy');
      await this.api.load(await meshManifests(mesh));
      waits.push(
        { kind: 'Deployment', namespace: MESH_NAMESPACE, name: 'istiod' },
        { kind: 'DaemonSet', namespace: MESH_NAMESPACE, name: 'istio-cni-node' },
        { kind: 'DaemonSet', namespace: MESH_NAMESPACE, name: 'ztunnel' },
      );
    }
    await this.ready(waits, (text) => tell(mesh === undefined ? 'dns' : 'mesh', text));
    if (manifests.length === 0) return;
    tell('manifests', 'starting the samples');
    await this.apply(manifests, (text) => tell('manifests', text));
  }

  /** Applies YAML files, and waits for the workloads in them. @throws ApiError, LabStartError */
  async apply(files: readonly string[], onPending: (text: string) => void = () => undefined): Promise<void> {
    const objects = (await Promise.all(files.map(readManifests))).flat();
    const made = await this.api.load(objects);
    const waits = made.flatMap(({ kind, metadata: { name, namespace } }): WorkloadName[] =>
      kind === 'Deployment' || kind === 'DaemonSet'
        ? [{ kind, namespace: namespace ?? 'default', name }]
        : [],
    );
    await this.ready(waits, onPending);
  }

  /** Resolves when all of these workloads are as they are wanted. @throws LabStartError naming what is not, and why */
  ready(
    workloads: readonly WorkloadName[],
    onPending: (text: string) => void = () => undefined,
  ): Promise<void> {
    return waitForWorkloads(workloads, {
      client: this.client,
      clock: this.#clock,
      onPending,
      lastWords: (namespace, pod, container) => this.#lastWords(namespace, pod, container),
    });
  }

  #lastWords(namespace: string, pod: string, container: string): string {
    for (const kubelet of this.kubelets.values()) {
      const found = kubelet.find(namespace, pod, container);
      // A run that has just begun has said nothing yet; the one before may have said why it ended.
      const paths = found === undefined ? [] : [found.logPath, found.previousLogPath];
      for (const path of paths) {
        const lines =
          path === undefined || !existsSync(path) ? [] : readFileSync(path, 'utf8').trim().split('\n');
        const said = lines.slice(-lastLines).map((line) => line.replace(criPrefix, ''));
        if (said.join('') !== '') return said.join(' | ');
      }
    }
    return '';
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await this.#owned.disposeAsync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function startApi(
  { directory, apiPort = 0, clock = realClock, log, ipv6 = true }: LabClusterOptions,
  network: ClusterNetwork,
  nodes: readonly ClusterNode[],
): Promise<LabApi> {
  const crds = join(projectRoot, 'charts/base/crds');
  const names = new Set(nodes.map(({ name }) => name));
  return LabApi.start({
    host: '127.0.0.1',
    port: apiPort,
    crdFiles: readdirSync(crds)
      .toSorted()
      .map((file) => join(crds, file)),
    advertise: { address: network.addresses[0]!, port: API_SERVICE_PORT },
    serverNames: [...network.addresses, ...(ipv6 ? ['fd96::1'] : [])],
    hasNodeAgent: (node) => names.has(node),
    kubelets: (node) => (names.has(node) ? kubeletSocket(directory, node) : undefined),
    dialPod: (address, port) => connectInNamespace(nodes[0]!.namespace, address, port),
    clock,
    onFault: (error) =>
      log.error('API server', { error: error instanceof Error ? (error.stack ?? '') : String(error) }),
  });
}

/**
 * What other clusters' network provider does on a node: the first plugin of the chain, and its configuration. Beside it lies
 * what the image of the node agent has for the plugin that it installs.
 */
function installPrimaryPlugin(kubelet: Kubelet, network: ClusterNetwork, node: ClusterNode): void {
  const { hostDirectory } = kubelet;
  symlinkSync(labBridge, join(hostDirectory, 'opt/cni/bin/lab-bridge'));
  const plugin = join(projectRoot, 'packages/cni/bin/istio-cni');
  const script = `#!/bin/sh\nexec ${quoted(plugin)} "$@"\n`;
  writeFileSync(join(hostDirectory, 'opt/cni/bin', PLUGIN_SOURCE), script, { mode: 0o755 });
  const conflist = network.conflist(node, '/var/lib/cni');
  writeFileSync(
    join(hostDirectory, 'etc/cni/net.d/10-lab.conflist'),
    `${JSON.stringify(conflist, null, 2)}\n`,
  );
}

function kubeletSocket(directory: string, node: string): string {
  return join(directory, labFiles.nodes, node, 'kubelet.sock');
}
