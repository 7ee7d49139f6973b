import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeStatusError, patchType } from '@ambient/kube';
import { LabCluster, MESH_NAMESPACE } from '@ambient/lab/cluster';
import type { RunningContainer } from '@ambient/lab/node';
import { Logger, LogLevels } from '@ambient/runtime';
import { waitFor } from '@ambient/testkit/lab';
import type { MeshPod, PodObject, PodOptions } from './pods.ts';
import type { LogEntry, LogMatch } from '../../netns/harness/access-log.ts';
import { logEntries, matches } from '../../netns/harness/access-log.ts';
import { commandOf, processesWith, processOf, signalAll } from './processes.ts';

export const HTTP_PORT = 8080;
const ADMIN_PORT = 15_000;
export const ECHO_PORT = 9000;
/** Namespace of the tests' pods where nothing else is said. */
export const SHOP = 'shop';
/** Annotation by which the agent says that a pod is captured. */
export const REDIRECTION = 'ambient.istio.io/redirection';
const app = { entrypoint: [process.execPath, join(import.meta.dirname, 'app.ts')], arguments: [] };

export interface MeshClusterOptions {
  readonly mtu?: number;
  readonly ztunnel?: Readonly<Record<string, string>>;
  readonly cni?: Readonly<Record<string, string>>;
}

/** Two nodes with the whole mesh on them, installed from its charts, and pods that tests make. */
export class MeshCluster implements AsyncDisposable {
  readonly lab: LabCluster;
  readonly directory: string;
  readonly #faults: string[];

  private constructor(lab: LabCluster, directory: string, faults: string[]) {
    this.lab = lab;
    this.directory = directory;
    this.#faults = faults;
  }

  static async start({ mtu, ztunnel, cni }: MeshClusterOptions = {}): Promise<MeshCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'mesh-'));
    const faults: string[] = [];
    const levels = new LogLevels('warn', 'lab');
    const log = new Logger(
      levels,
      {
        write: (level, scope, message, fields) =>
          faults.push(`${level} ${scope} ${message} ${JSON.stringify(fields)}`),
      },
      'lab',
    );
    try {
      const lab = await LabCluster.start({
        directory,
        nodes: 2,
        ...(mtu === undefined ? {} : { mtu }),
        mesh: {
          ztunnel: { ZTUNNEL_WORKER_THREADS: '1', LOG_FORMAT: 'json', ...ztunnel },
          cni: { LOG_FORMAT: 'json', ...cni },
        },
        images: { 'test/app': app },
        log,
      });
      const cluster = new MeshCluster(lab, directory, faults);
      await cluster.namespace(SHOP);
      return cluster;
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** What the lab itself warned of; for the message of a failed test. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  // ---- objects

  /** Creates objects, or changes those that are there. */
  async apply(...objects: readonly object[]): Promise<void> {
    await this.lab.api.load(objects as never);
  }

  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  }

  /** Labels a namespace for the mesh, or takes the label away. */
  async enrol(namespace: string, value: 'ambient' | null = 'ambient'): Promise<void> {
    await this.patch(`/api/v1/namespaces/${namespace}`, {
      metadata: { labels: { 'istio.io/dataplane-mode': value } },
    });
  }

  async patch(path: string, body: object): Promise<void> {
    await this.lab.client.request({ method: 'PATCH', path, body, contentType: patchType.merge });
  }

  async remove(path: string, gracePeriodSeconds?: number): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds };
    await this.lab.client.request({ method: 'DELETE', path, body });
  }

  get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.lab.client.request<T>({ path, query });
  }

  async list(path: string, query: Readonly<Record<string, string>> = {}): Promise<PodObject[]> {
    return (await this.get<{ items: PodObject[] }>(path, query)).items;
  }

  // ---- pods

  /** The object of a pod that may not run yet. */
  async create(name: string, options: PodOptions = {}): Promise<void> {
    const { namespace = SHOP, node, account = name, labels = {}, annotations = {}, spec = {} } = options;
    await this.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, labels: { app: name, ...labels }, annotations },
        spec: {
          serviceAccountName: account,
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'app', image: 'test/app' }],
          ...(node === undefined ? {} : { nodeName: node }),
          ...spec,
        },
      },
    );
  }

  /** Makes a pod and waits until its application listens. */
  async run(name: string, options: PodOptions = {}): Promise<MeshPod> {
    await this.create(name, options);
    return this.running(name, options.namespace);
  }

  /** Waits until a pod runs and its application listens. */
  async running(name: string, namespace = SHOP): Promise<MeshPod> {
    const pod = await this.untilPod(
      name,
      ({ status }) => status.phase === 'Running' && status.containerStatuses?.[0]?.ready === true,
      'run',
      namespace,
    );
    await waitFor(() => this.output(name, namespace).includes('ready'), `the application of ${name}`);
    return this.#place(pod);
  }

  /** Waits until a pod is as it should be. */
  untilPod(
    name: string,
    accept: (pod: PodObject) => boolean,
    what: string,
    namespace = SHOP,
    timeoutMs = 30_000,
  ): Promise<PodObject> {
    return waitFor(
      async () => {
        const pod = await this.pod(name, namespace);
        return pod !== undefined && accept(pod) ? pod : undefined;
      },
      async () =>
        `pod ${name} to ${what}: ${JSON.stringify((await this.pod(name, namespace))?.status)}; ${(await this.events(name, namespace)).join('; ')}; printed: ${this.output(name, namespace).slice(-20).join('\n')}`,
      timeoutMs,
    );
  }

  async pod(name: string, namespace = SHOP): Promise<PodObject | undefined> {
    try {
      return await this.get<PodObject>(`/api/v1/namespaces/${namespace}/pods/${name}`);
    } catch (error) {
      if (error instanceof KubeStatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Waits until the agent says that a pod is captured, or no longer is. */
  async captured(name: string, wanted: 'enabled' | undefined = 'enabled', namespace = SHOP): Promise<void> {
    await this.untilPod(
      name,
      ({ metadata }) => metadata.annotations?.[REDIRECTION] === wanted,
      `be ${wanted === undefined ? 'released' : 'captured'}`,
      namespace,
    );
  }

  /** Deletes a pod and waits until it is gone. */
  async delete(name: string, namespace = SHOP): Promise<void> {
    await this.remove(`/api/v1/namespaces/${namespace}/pods/${name}`);
    await waitFor(async () => (await this.pod(name, namespace)) === undefined, `the end of pod ${name}`);
  }

  /** Reasons and messages of the Events about an object. */
  async events(name: string, namespace = SHOP): Promise<string[]> {
    const { items } = await this.get<{
      items: { reason: string; message: string; involvedObject: { name: string } }[];
    }>(`/api/v1/namespaces/${namespace}/events`);
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** What a container has printed in its present run. */
  output(name: string, namespace = SHOP, container?: string): string[] {
    const found = this.container(name, namespace, container);
    if (found === undefined) return [];
    return readFileSync(found.logPath, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').slice(3).join(' '));
  }

  container(name: string, namespace = SHOP, container?: string): RunningContainer | undefined {
    for (const kubelet of this.lab.kubelets.values()) {
      const found = kubelet.find(namespace, name, container);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Runs a program in a pod to its end; what it printed, and its exit code. */
  async exec(
    pod: Pick<MeshPod, 'name' | 'namespace'>,
    argv: readonly string[],
  ): Promise<{ readonly code: number | null; readonly text: string }> {
    const child = this.container(pod.name, pod.namespace)!.spawn(argv, { tty: false, stdin: false });
    let text = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, text: text.trim() };
  }

  /** What a node's disks hold. */
  host(node: string, path: string): string {
    return join(this.directory, 'nodes', node, 'host', path);
  }

  /** The file, on its node, of the token that a pod of the mesh shows to the control plane. */
  tokenFile({ metadata, spec }: PodObject): string {
    return realpathSync(
      join(this.directory, 'nodes', spec.nodeName!, 'pods', metadata.uid, 'volumes/istio-token/istio-token'),
    );
  }

  /** A file that names the network namespace of a node. */
  nodePath(node: string): string {
    return this.host(node, 'proc/1/ns/net');
  }

  /** A signal for the processes of a pod's containers. What holds its namespaces, which sleeps, does not get it. */
  signal({ metadata, spec }: PodObject, signal: NodeJS.Signals): void {
    const member = processOf(this.host(spec.nodeName!, 'proc'), metadata.uid);
    if (member === undefined) return;
    const busy = processesWith([member]).filter((pid) => commandOf(pid) !== 'sleep');
    signalAll(busy, signal);
  }

  /** The end of a node's power supply: SIGKILL at once for all processes of these pods, those that hold their namespaces too. */
  killNode(node: string, pods: readonly PodObject[]): void {
    const members = pods
      .map(({ metadata }) => processOf(this.host(node, 'proc'), metadata.uid))
      .filter((pid) => pid !== undefined);
    signalAll(processesWith(members), 'SIGKILL');
  }

  #place({ metadata, spec, status }: PodObject): MeshPod {
    const { name, namespace = SHOP, uid } = metadata;
    const node = spec.nodeName!;
    const addresses = (status.podIPs ?? []).map(({ ip }) => ip);
    return {
      name,
      namespace,
      uid,
      node,
      account: spec.serviceAccountName ?? 'default',
      path: join(this.host(node, 'proc'), processOf(this.host(node, 'proc'), uid) ?? '1', 'ns/net'),
      ipv4: addresses.find((ip) => !ip.includes(':')) ?? '',
      ipv6: addresses.find((ip) => ip.includes(':')) ?? '',
    };
  }

  // ---- the mesh

  /** Pods of one of the mesh's DaemonSets, by node. */
  async meshPods(app: 'ztunnel' | 'istio-cni-node', node?: string): Promise<PodObject[]> {
    const labelSelector = app === 'ztunnel' ? 'app=ztunnel' : 'k8s-app=istio-cni-node';
    const { items } = await this.get<{ items: PodObject[] }>(`/api/v1/namespaces/${MESH_NAMESPACE}/pods`, {
      labelSelector,
    });
    return items.filter(({ spec }) => node === undefined || spec.nodeName === node);
  }

  /** A request to a port of the loopback of a node's newest ztunnel. */
  async ztunnelGet(node: string, port: number, path: string): Promise<string> {
    const pods = await this.meshPods('ztunnel', node);
    const { metadata } = pods.findLast(
      ({ metadata: { deletionTimestamp } }) => deletionTimestamp === undefined,
    )!;
    const socket = this.container(metadata.name, MESH_NAMESPACE)!.connect(port);
    const agent = new Agent({ keepAlive: false });
    agent.createConnection = () => socket;
    return new Promise((resolve, reject) => {
      const sent = request({ agent, host: 'localhost', path }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  /** UIDs of the pods that a node's ztunnel carries. */
  async carriedPods(node: string): Promise<string[]> {
    const dump = JSON.parse(await this.ztunnelGet(node, ADMIN_PORT, '/config_dump')) as {
      workloadState: Readonly<Record<string, { state: string }>>;
    };
    return Object.keys(dump.workloadState);
  }

  /** `kubectl rollout restart` of one of the mesh's DaemonSets; resolves when all pods are of the new revision and ready. */
  async restart(app: 'ztunnel' | 'istio-cni-node', version: number): Promise<void> {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': String(version) };
    await this.patch(`/apis/apps/v1/namespaces/${MESH_NAMESPACE}/daemonsets/${app}`, {
      spec: { template: { metadata: { annotations } } },
    });
    await this.lab.ready([{ kind: 'DaemonSet', namespace: MESH_NAMESPACE, name: app }]);
  }

  /** Lines of all ztunnels of a node that run now. */
  async ztunnelLog(node: string): Promise<LogEntry[]> {
    const pods = await this.meshPods('ztunnel', node);
    return pods.flatMap(({ metadata }) => logEntries({ lines: this.output(metadata.name, MESH_NAMESPACE) }));
  }

  /** Lines of a node's agent that runs now. */
  async agentLog(node: string): Promise<string[]> {
    const pods = await this.meshPods('istio-cni-node', node);
    return pods.flatMap(({ metadata }) => this.output(metadata.name, MESH_NAMESPACE));
  }

  /** Waits for a line of a node's access log that is there or comes. */
  async access(node: string, match: LogMatch): Promise<LogEntry> {
    const wanted = { scope: 'access', ...match };
    return waitFor(
      async () => (await this.ztunnelLog(node)).find((entry) => matches(entry, wanted)),
      async () =>
        `access log line of ${node} with ${Object.entries(match)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(' ')}; the last are\n${(await this.ztunnelLog(node))
          .slice(-10)
          .map((entry) => JSON.stringify(entry))
          .join('\n')}`,
      8000,
    );
  }
}
