import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { KubeClient, KubeConnection, patchType } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
import { LabApi } from '@ambient/lab';
import type { JsonObject } from '@ambient/lab';
import {
  ClusterNetwork,
  connectInNamespace,
  labBridge,
  listenInNamespace,
  NamespaceHolder,
  runInNamespace,
  ServiceProxy,
} from '@ambient/lab/network';
import type { ClusterNetworkOptions, ClusterNode } from '@ambient/lab/network';
import type { NetworkNamespace } from '@ambient/linux';

/** What a call of the CNI plugin gave. */
export interface PluginResult {
  readonly code: number;
  readonly result: JsonObject;
}

/** Where the API is, inside of the network. */
const API_PORT = 6443;

/** A namespace that the real plugin has joined to a node. */
export interface TestPod {
  readonly name: string;
  readonly node: ClusterNode;
  readonly namespace: NetworkNamespace;
  readonly path: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
}

/** A cluster as far as its network goes: nodes, the API, the proxy of Services; pods that are namespaces alone. */
export class TestCluster implements AsyncDisposable {
  readonly directory: string;
  readonly network: ClusterNetwork;
  readonly #owned: AsyncDisposableStack;
  #api: LabApi | undefined;
  #client: KubeClient | undefined;
  readonly log: string[] = [];

  private constructor(directory: string, network: ClusterNetwork, owned: AsyncDisposableStack) {
    this.directory = directory;
    this.network = network;
    this.#owned = owned;
  }

  /** Nodes without an API. */
  static async nodes(count: number, options: ClusterNetworkOptions = {}): Promise<TestCluster> {
    await using starting = new AsyncDisposableStack();
    const directory = starting.adopt(mkdtempSync(join(tmpdir(), 'lab-network-')), (path) => {
      rmSync(path, { recursive: true, force: true });
    });
    const network = starting.use(await ClusterNetwork.create(options));
    for (let index = 1; index <= count; index++) await network.addNode(`node-${index}`);
    return new TestCluster(directory, network, starting.move());
  }

  /** Two nodes, the API behind the bridge, and a proxy of Services on both. */
  static async start(options: ClusterNetworkOptions = {}): Promise<TestCluster> {
    const cluster = await TestCluster.nodes(2, options);
    try {
      const advertise = { address: cluster.network.addresses[0]!, port: API_PORT };
      const api = await LabApi.start({ host: '127.0.0.1', port: 0, advertise });
      cluster.#owned.defer(() => api.stop());
      cluster.#api = api;
      await cluster.network.expose(API_PORT, { host: '127.0.0.1', port: Number(new URL(api.url).port) });
      const kubeconfig = join(cluster.directory, 'kubeconfig');
      writeFileSync(kubeconfig, api.kubeconfig);
      const client = new KubeClient(cluster.#owned.use(KubeConnection.fromFile(kubeconfig)));
      cluster.#client = client;
      const { plan, nodes } = cluster.network;
      const proxy = new ServiceProxy({ client, log: testLog(cluster.log), podPrefixes: plan.podPrefixes });
      cluster.#owned.defer(() => proxy.stop());
      for (const node of nodes) proxy.addNode(node);
      proxy.start();
      await proxy.settled();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get api(): LabApi {
    return this.#api!;
  }

  node(number: number): ClusterNode {
    return this.network.nodes[number - 1]!;
  }

  /** Creates objects, by the API's own way. */
  async create(...objects: JsonObject[]): Promise<void> {
    await this.api.load(objects);
  }

  /** Writes fields of an object. */
  async patch(path: string, body: JsonObject): Promise<void> {
    await this.#client!.request({ method: 'PATCH', path, body, contentType: patchType.merge });
  }

  async delete(path: string): Promise<void> {
    await this.#client!.request({ method: 'DELETE', path });
  }

  /** A pod's namespace, joined to its node by the plugin. */
  async pod(name: string, node: ClusterNode): Promise<TestPod> {
    const holder = this.#owned.use(await NamespaceHolder.create());
    const { code, result } = await this.plugin('ADD', name, node, holder.path);
    if (code !== 0) throw new Error(`lab-bridge ADD gave ${code}: ${JSON.stringify(result)}`);
    const ips = result['ips'] as { readonly address: string }[];
    const addresses = ips.map(({ address }) => address.split('/')[0]!);
    return { name, node, namespace: holder.namespace, path: holder.path, addresses };
  }

  /** One call of the plugin, as a container runtime makes it on a node. */
  async plugin(
    command: string,
    container: string,
    node: ClusterNode,
    netns: string,
    further: JsonObject = {},
  ): Promise<PluginResult> {
    const { plugins, ...network } = this.network.conflist(
      node,
      join(this.directory, node.name, 'addresses'),
    ) as JsonObject & { plugins: JsonObject[] };
    const child = node.namespace.enter(() =>
      spawn(labBridge, [], {
        env: {
          PATH: process.env['PATH'],
          CNI_COMMAND: command,
          CNI_CONTAINERID: container,
          CNI_NETNS: netns,
          CNI_IFNAME: 'eth0',
        },
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    child.stdin.end(JSON.stringify({ ...network, ...plugins[0], ...further }));
    const [output, [code]] = await Promise.all([
      text(child.stdout),
      once(child, 'close') as Promise<[number]>,
    ]);
    return { code, result: output === '' ? {} : (JSON.parse(output) as JsonObject) };
  }

  /** Answers each connection to a pod's port with the pod's name and the client's address. */
  async serve(pod: TestPod, port: number): Promise<Server> {
    const server = await listenInNamespace(pod.namespace, port, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${pod.name} ${socket.remoteAddress!.replace(/^::ffff:/, '')}`);
    });
    this.#owned.defer(() => void server.close());
    return server;
  }

  /** Starts a program inside a pod. It ends with the cluster. */
  run(pod: TestPod, argv: readonly [string, ...string[]]): ChildProcess {
    const [program, ...args] = argv;
    const child = pod.namespace.enter(() => spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
    this.#owned.defer(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    });
    return child;
  }

  /** The rules of a node's Services, as its kernel has them. */
  rules(node: ClusterNode): Promise<string> {
    return runInNamespace(node.namespace, 'list', ['nft', 'list', 'table', 'inet', 'lab-services']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** What a server answers to a connection from inside a namespace, or the code of the error. */
export function ask(namespace: NetworkNamespace, address: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connectInNamespace(namespace, address, port);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.on('end', () => {
    socket.end();
    resolve(answer);
  });
  return promise;
}

/** Tries until it is so; the test's own timeout ends it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise<void>((resolve) => setImmediate(resolve));
}

export interface TestService {
  readonly name: string;
  readonly spec?: JsonObject;
  /** Where its endpoints listen. */
  readonly targetPort: number;
  readonly endpoints: readonly TestPod[];
}

/** A Service of both families at port 80, without a selector, and its EndpointSlices. */
export function serviceObjects({ name, spec = {}, targetPort, endpoints }: TestService): JsonObject[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: {
        ipFamilyPolicy: 'RequireDualStack',
        ports: [{ name: 'http', port: 80, targetPort }],
        ...spec,
      },
    },
    ...([0, 1] as const).map((family) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `${name}-${family}`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': name },
      },
      addressType: family === 0 ? 'IPv4' : 'IPv6',
      ports: [{ name: 'http', port: targetPort, protocol: 'TCP' }],
      endpoints: endpointsOf(endpoints, family),
    })),
  ];
}

export function endpointsOf(pods: readonly TestPod[], family: 0 | 1): JsonObject[] {
  return pods.map((pod) => ({
    addresses: [pod.addresses[family]!],
    conditions: { ready: true },
    nodeName: pod.node.name,
    hostname: pod.name,
  }));
}
