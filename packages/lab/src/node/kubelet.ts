import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { builtInPath, HttpListWatch, isRecord, Reflector } from '@ambient/kube';
import type { KubeClient } from '@ambient/kube';
import { NetworkNamespace } from '@ambient/linux';

import { EventRecorder } from '../events/event-recorder.ts';
import type { ImageCatalog } from '../images/catalog.ts';
import { connectInNamespace } from '../network/namespace-sockets.ts';
import type { NodePod } from '../objects/pod.ts';
import { CniChain } from './plugins/chain.ts';
import type { RunPlugin } from './plugins/chain.ts';
import type { NetworkConfigList } from './plugins/network-config.ts';
import { nodePluginRunner, readNetworkConfig } from './plugins/node-plugins.ts';
import type { ContainerProcess } from './container/container-process.ts';
import type { ContainerDirectory, RunningContainer } from './containers.ts';
import { messageOf } from './errors.ts';
import { HostProc } from './host-proc.ts';
import { NodeHeartbeat } from './node-heartbeat.ts';
import type { NodeFacts, NodeHealth } from './node-object.ts';
import { canOwnProcesses, nodeDirectories, startNodeRoot } from './node-root.ts';
import type { NodeDirectories } from './node-root.ts';
import { PodEvents } from './pod-events.ts';
import type { ClusterFacts, PodHost } from './pod/pod-host.ts';
import { PodWorker } from './pod/pod-worker.ts';
import { WatchedObjects } from './volumes/watched-objects.ts';

export interface KubeletOptions {
  /** The node as the network knows it: `ClusterNode` of the lab's network, or a test's own. */
  readonly node: {
    readonly name: string;
    /** A process in its network namespace. */
    readonly pid: number;
    /** IPv4 first. */
    readonly addresses: readonly string[];
    readonly podCidrs: readonly string[];
  };
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of somebody who may read and write pods, nodes, leases, events, and request tokens. */
  readonly client: KubeClient;
  /** Of the lab: `nodes/NODE` in it is this node's. */
  readonly runDirectory: string;
  readonly images: ImageCatalog;
  readonly cluster: ClusterFacts;
  readonly log: Logger;
  readonly clock?: Clock;
}

const projectRoot = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
/** What the pods of a node that ends are given. Milliseconds. */
const stopGraceMs = 500;

/**
 * The node agent of the lab: makes the pods that the API server has for its node out of namespaces and processes of this
 * machine. Nothing of them outlives this process.
 */
export class Kubelet implements ContainerDirectory, AsyncDisposable {
  readonly #options: KubeletOptions;
  readonly #clock: Clock;
  readonly #directories: NodeDirectories;
  readonly #workers = new Map<string, PodWorker>();
  /** UID of the pod that has a name now. */
  readonly #uids = new Map<string, string>();
  readonly #known = new Map<string, NodePod>();
  #network: NetworkNamespace | undefined;
  #root: ContainerProcess | undefined;
  #objects: WatchedObjects | undefined;
  #events: EventRecorder | undefined;
  #heartbeat: NodeHeartbeat | undefined;
  #reflector: Reflector<NodePod> | undefined;
  #host: PodHost | undefined;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#directories = nodeDirectories(options.runDirectory, options.node.name);
  }

  /** What hostPath volumes of this node name: the place for the CNI configuration and its plugins. */
  get hostDirectory(): string {
    return this.#directories.host;
  }

  /**
   * Registers the node and begins to look after its pods.
   *
   * @throws ContainerError if the kernel refuses the node's namespaces
   */
  async start(): Promise<void> {
    const { node, client, log, images, cluster, runDirectory } = this.#options;
    const clock = this.#clock;
    const { host, pods, logs, stage } = this.#directories;
    const programDirectories = [projectRoot, process.execPath.replace(/\/[^/]*$/, '')];
    this.#root = await startNodeRoot(this.#directories, node.pid, [runDirectory, ...programDirectories]);
    const network = NetworkNamespace.open(`/proc/${node.pid}/ns/net`);
    this.#network = network;
    const hostProc = new HostProc(join(host, 'proc'));
    hostProc.addNode(this.#root.pid);
    const facts = this.#facts();
    this.#objects = new WatchedObjects({ client, log, clock });
    const runPlugin = nodePluginRunner({
      binDirectory: join(host, 'opt/cni/bin'),
      nodePid: this.#root.pid,
      clock,
    });
    this.#events = new EventRecorder({ client, log, clock, host: node.name });
    this.#host = {
      nodeName: node.name,
      nodePid: node.pid,
      addresses: node.addresses,
      allocatable: facts.capacity,
      hostDirectory: host,
      podsDirectory: pods,
      logsDirectory: logs,
      stage,
      programDirectories,
      runPlugin,
      client,
      objects: this.#objects,
      images,
      events: new PodEvents(this.#events, log),
      hostProc,
      cluster,
      clock,
      log,
      canOwnProcesses: canOwnProcesses(),
      isMappedUser,
      connect: (address, port) => connectInNamespace(network, address, port),
    };
    this.#heartbeat = new NodeHeartbeat({ client, facts, clock, log, health: () => this.#health(runPlugin) });
    await Promise.all([this.#heartbeat.start(), this.#collect(runPlugin)]);
    this.#reflector = new Reflector<NodePod>({
      source: new HttpListWatch({
        client,
        path: builtInPath('Pod'),
        fieldSelector: `spec.nodeName=${node.name}`,
      }),
      target: {
        get: (key) => this.#known.get(key),
        keys: () => [...this.#known.keys()],
        put: (key, pod) => this.#put(key, pod),
        remove: (key) => this.#remove(key),
      },
      // Items of a list do not say what they are.
      prepare: (raw) =>
        isRecord(raw) && isRecord(raw['metadata']) && isRecord(raw['spec'])
          ? ({ ...raw, apiVersion: 'v1', kind: 'Pod' } as unknown as NodePod)
          : undefined,
      log,
      clock,
    });
    this.#reflector.start();
  }

  /** Ends all pods of the node and whatever it has made; their objects stay. */
  async stop(): Promise<void> {
    await this.#reflector?.stop();
    await this.#heartbeat?.stop();
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop(stopGraceMs)));
    await this.#events?.stop();
    await this.#objects?.[Symbol.asyncDispose]();
    this.#root?.kill();
    await this.#root?.ended;
    this.#network?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  find(namespace: string, pod: string, container: string | undefined): RunningContainer | undefined {
    const uid = this.#uids.get(`${namespace}/${pod}`);
    return uid === undefined ? undefined : this.#workers.get(uid)?.container(container);
  }

  #put(key: string, pod: NodePod): void {
    const { uid } = pod.metadata;
    const before = this.#known.get(key);
    // A name that was given to another pod meanwhile: the object before is gone.
    if (before !== undefined && before.metadata.uid !== uid) this.#workers.get(before.metadata.uid)?.orphan();
    this.#known.set(key, pod);
    this.#uids.set(key, uid);
    let worker = this.#workers.get(uid);
    if (worker === undefined) {
      worker = new PodWorker(this.#host!, pod);
      this.#workers.set(uid, worker);
      void worker.done.then(() => this.#workers.delete(uid));
    }
    worker.update(pod);
  }

  #remove(key: string): void {
    const uid = this.#known.get(key)?.metadata.uid;
    this.#known.delete(key);
    this.#uids.delete(key);
    if (uid !== undefined) this.#workers.get(uid)?.orphan();
  }

  /** At the start no pod of this node is attached any more: the plugins may drop what is left of earlier ones. */
  async #collect(runPlugin: RunPlugin): Promise<void> {
    try {
      await new CniChain(runPlugin).collect(this.#networkConfig(), []);
    } catch (error) {
      this.#options.log.debug('attachments of earlier pods are not collected', { error: messageOf(error) });
    }
  }

  /** A node without a network takes no pods. */
  async #health(runPlugin: RunPlugin): Promise<NodeHealth> {
    try {
      await new CniChain(runPlugin).status(this.#networkConfig());
      return { ready: true, message: '' };
    } catch (error) {
      return { ready: false, message: `container runtime network not ready: ${messageOf(error)}` };
    }
  }

  #networkConfig(): NetworkConfigList {
    return readNetworkConfig(join(this.#directories.host, 'etc/cni/net.d'));
  }

  #facts(): NodeFacts {
    const { node, zone, labels = {} } = this.#options;
    return {
      name: node.name,
      addresses: node.addresses,
      podCidrs: node.podCidrs,
      labels,
      zone,
      capacity: {
        cpu: String(cpus().length),
        memory: `${Math.floor(totalmem() / 1024)}Ki`,
        pods: '500',
        'ephemeral-storage': '100Gi',
      },
      machine: {
        kernel: release(),
        architecture: arch() === 'x64' ? 'amd64' : arch(),
        system: 'linux',
        bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      },
    };
  }
}

/** Whether an id of a user or group exists in this process's user namespace (user_namespaces(7), uid_map and gid_map alike). */
function isMappedUser(id: number): boolean {
  return readFileSync('/proc/self/uid_map', 'latin1')
    .trim()
    .split('\n')
    .some((line) => {
      const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return id >= inside && id < inside + count;
    });
}
