import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ZdsPod } from '@ambient/cni';
import { makeBackend, podCapture, PodRuleApplier, standardProbeAddress, ZdsServer } from '@ambient/cni';
import { NetworkNamespace } from '@ambient/linux';
import { Logger, LogLevels, realClock } from '@ambient/runtime';
import { NetnsLab, sampleApp } from '@ambient/testkit/lab';
import type { LabProcess, Netns, SampleApp } from '@ambient/testkit/lab';
import type { Answer } from '../function/call.ts';
import { fetchFrom } from '../function/call.ts';
import type { LocalPolicy, LocalService, LocalWorkload } from '../harness/index.ts';
import { renderLocalMesh } from '../harness/index.ts';

const ZTUNNEL = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));
const READY_DEADLINE_MS = 20_000;
const silent = new Logger(new LogLevels('off'), { write: () => undefined }, 'test');

/** Short, so that a test sees what takes minutes in production. */
const settings = {
  PROXY_MODE: 'shared',
  CLUSTER_ID: 'Kubernetes',
  FAKE_CA: 'true',
  XDS_ADDRESS: '',
  ZTUNNEL_WORKER_THREADS: '2',
  ISTIO_META_DNS_CAPTURE: 'false',
  POOL_UNUSED_RELEASE_TIMEOUT: '500ms',
  CONNECTION_TERMINATION_DEADLINE: '10s',
  LOG_FORMAT: 'json',
  RUST_LOG: 'info',
} as const;

/** A pod on one of the nodes. Its applications know nothing of a mesh. */
export interface SharedPod {
  readonly name: string;
  readonly node: string;
  readonly netns: Netns;
  readonly workload: LocalWorkload;
}

export interface SharedMeshOptions {
  readonly services?: readonly LocalService[];
  /** Capture the pods' DNS too. */
  readonly dns?: boolean;
}

interface SharedNode {
  readonly name: string;
  readonly netns: Netns;
  readonly server: ZdsServer;
  readonly pods: Map<string, ZdsPod>;
  ztunnel: LabProcess | undefined;
}

/**
 * Nodes, each with a ztunnel in shared mode, and pods on them. The test is the node agent: it captures pods with the
 * agent's own rules and hands them over by the agent's own ZDS server.
 */
export class SharedMesh {
  readonly lab: NetnsLab;
  readonly #nodes = new Map<string, SharedNode>();
  readonly #pods = new Map<string, SharedPod>();
  readonly #gone = new Set<string>();
  readonly #namespaces = new Map<string, NetworkNamespace>();
  readonly #rules = new PodRuleApplier(makeBackend('nft', true), true);
  #policies: readonly LocalPolicy[] = [];
  readonly #options: SharedMeshOptions;

  private constructor(lab: NetnsLab, options: SharedMeshOptions) {
    this.lab = lab;
    this.#options = options;
  }

  /** @param layout names of pods by the name of their node */
  static async start(
    layout: Readonly<Record<string, readonly string[]>>,
    env: Readonly<Record<string, string>> = {},
    options: SharedMeshOptions = {},
  ): Promise<SharedMesh> {
    const lab = NetnsLab.create();
    const mesh = new SharedMesh(lab, options);
    try {
      const all = Object.entries(layout).flatMap(([node, names]) => names.map((name) => ({ node, name })));
      const namespaces = await Promise.all(all.map(({ name }) => lab.namespace(name)));
      await lab.network(namespaces);
      for (const [index, { name, node }] of all.entries()) {
        const netns = namespaces[index]!;
        mesh.#pods.set(name, { name, node, netns, workload: workloadOf(name, node, netns.addresses) });
      }
      mesh.write();
      await Promise.all(Object.keys(layout).map((name) => mesh.#startNode(name, env)));
      for (const { name } of all) await mesh.enrol(name);
      return mesh;
    } catch (error) {
      await mesh.destroy();
      throw error;
    }
  }

  pod(name: string): SharedPod {
    return this.#pods.get(name)!;
  }

  ztunnel(node: string): LabProcess {
    return this.#nodes.get(node)!.ztunnel!;
  }

  setPolicies(policies: readonly LocalPolicy[]): void {
    this.#policies = policies;
    this.write();
  }

  /** The mesh, for the proxies that watch the file. */
  write(): void {
    const workloads = [...this.#pods.values()].map(({ workload }) => workload);
    const text = renderLocalMesh({
      workloads: workloads.filter(({ name }) => !this.#gone.has(name)),
      services: this.#options.services ?? [],
      policies: this.#policies,
    });
    writeFileSync(`${this.#meshFile()}.new`, text);
    renameSync(`${this.#meshFile()}.new`, this.#meshFile());
  }

  async #startNode(name: string, env: Readonly<Record<string, string>>): Promise<void> {
    const netns = await this.lab.namespace(`node-${name}`);
    const directory = join(this.lab.directory, name);
    mkdirSync(directory);
    const pods = new Map<string, ZdsPod>();
    const path = join(directory, 'ztunnel.sock');
    const server = ZdsServer.listen({ path, pods, clock: realClock, logger: silent });
    this.#nodes.set(name, { name, netns, server, pods, ztunnel: undefined });
    await this.startZtunnel(name, env);
  }

  /** Starts a ztunnel on the node, beside one that may be there, and resolves when it is ready or has taken all pods. */
  async startZtunnel(name: string, env: Readonly<Record<string, string>> = {}): Promise<LabProcess> {
    const node = this.#nodes.get(name)!;
    const authority = join(this.lab.directory, 'fake-ca');
    mkdirSync(authority, { recursive: true });
    const ztunnel = await node.netns.spawn(
      [process.execPath, '--disable-warning=ExperimentalWarning', ZTUNNEL],
      {
        name: 'ztunnel',
        env: {
          ...settings,
          NODE_NAME: name,
          FAKE_CA_DIR: authority,
          LOCAL_XDS_PATH: this.#meshFile(),
          INPOD_UDS: join(this.lab.directory, name, 'ztunnel.sock'),
          ...env,
        },
      },
    );
    node.ztunnel = ztunnel;
    await ztunnel.waitForLine(/"message":"ready"/, READY_DEADLINE_MS);
    return ztunnel;
  }

  #namespace(netns: Netns): NetworkNamespace {
    let namespace = this.#namespaces.get(netns.path);
    if (namespace === undefined)
      this.#namespaces.set(netns.path, (namespace = NetworkNamespace.open(netns.path)));
    return namespace;
  }

  /** Captures a pod as the agent does: rules, then ztunnel. */
  async enrol(name: string): Promise<void> {
    const pod = this.pod(name);
    const netns = this.#namespace(pod.netns);
    const defaults = { ipv6: true, dns: this.#options.dns ?? false, probeAddress: standardProbeAddress };
    await this.#rules.apply(netns, podCapture(undefined, defaults).capture);
    await this.handOver(pod.node, name, netns);
  }

  /** Tells a node's ztunnel of a pod, whose rules are somebody else's. */
  async handOver(nodeName: string, name: string, netns: NetworkNamespace): Promise<void> {
    const node = this.#nodes.get(nodeName)!;
    const zds = { uid: `uid-${name}`, name, namespace: 'default', serviceAccount: name, netns };
    node.pods.set(zds.uid, zds);
    await node.server.add(zds);
  }

  /** Tells a node's ztunnel that a pod is gone. */
  async takeBack(nodeName: string, name: string): Promise<void> {
    const node = this.#nodes.get(nodeName)!;
    node.pods.delete(`uid-${name}`);
    await node.server.del(`uid-${name}`);
  }

  /** Releases a pod as the agent does: rules, then ztunnel. */
  async release(name: string): Promise<void> {
    const pod = this.pod(name);
    await this.#rules.remove(this.#namespace(pod.netns));
    await this.takeBack(pod.node, name);
  }

  /** The control plane does not know the pod any more. */
  forget(name: string): void {
    this.#gone.add(name);
    this.write();
  }

  /** Another pod, of another name, comes to have a pod's address and namespace. */
  rename(name: string, to: string): SharedPod {
    const old = this.pod(name);
    const young = { ...old, name: to, workload: workloadOf(to, old.node, old.netns.addresses) };
    this.#gone.add(name);
    this.#pods.set(to, young);
    this.write();
    return young;
  }

  async serve(
    name: string,
    app: SampleApp,
    options: Readonly<Record<string, string | number | boolean>>,
  ): Promise<LabProcess> {
    const server = await this.pod(name).netns.spawn(sampleApp(app, options), { name: app });
    await server.waitForLine(/^ready /);
    return server;
  }

  /** Another ztunnel of the node takes over; resolves when the old one has ended. */
  async upgrade(node: string, whileItDrains: () => Promise<void> = async () => {}): Promise<void> {
    const old = this.ztunnel(node);
    await this.startZtunnel(node);
    old.signal('SIGTERM');
    await old.waitForLine(/"message":"draining"/);
    await whileItDrains();
    const { code, signal } = await old.exited;
    if (code !== 0)
      throw new Error(
        `ztunnel ended by ${signal ?? `code ${code ?? 0}`}:\n${old.lines.slice(-20).join('\n')}`,
      );
  }

  /** A request to the admin port of a node's ztunnel. */
  admin(node: string, path: string): Promise<Answer> {
    return fetchFrom(this.#nodes.get(node)!.netns, '127.0.0.1', 15_000, { path });
  }

  async destroy(): Promise<void> {
    for (const { server } of this.#nodes.values()) await server.stop();
    for (const namespace of this.#namespaces.values()) namespace.close();
    this.#namespaces.clear();
    await this.lab.destroy();
  }

  #meshFile(): string {
    return join(this.lab.directory, 'mesh.yaml');
  }
}

function workloadOf(name: string, node: string, addresses: readonly string[]): LocalWorkload {
  return {
    uid: `Kubernetes//Pod/default/${name}`,
    name,
    namespace: 'default',
    serviceAccount: name,
    workloadIps: addresses,
    protocol: 'HBONE',
    node,
    network: '',
    services: {},
  };
}
