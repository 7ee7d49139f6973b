import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient, KubeConnection, KubeStatusError } from '@ambient/kube';
import { LabApi } from '@ambient/lab';
import { ImageCatalog, projectImages } from '@ambient/lab/images';
import { ClusterNetwork } from '@ambient/lab/network';
import { Kubelet } from '@ambient/lab/node';
import { Logger, LogLevels, silentSink } from '@ambient/runtime';

const root = join(import.meta.dirname, '../../..');
const shell = { entrypoint: [], arguments: ['sleep', 'infinity'] };

/** A pod as it comes back from the API, with what tests read. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase: string;
    readonly reason?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode: number; readonly signal?: number };
  };
}

/** A Kubernetes API and one node that runs pods. */
export class NodeLab implements AsyncDisposable {
  readonly api: LabApi;
  readonly network: ClusterNetwork;
  readonly client: KubeClient;
  readonly directory: string;
  readonly #connection: KubeConnection;
  /** Processes that hold the network. */
  readonly #network = childPids();
  #kubelet: Kubelet;

  private constructor(api: LabApi, network: ClusterNetwork, connection: KubeConnection, directory: string) {
    this.api = api;
    this.network = network;
    this.directory = directory;
    this.#connection = connection;
    this.client = new KubeClient(connection);
    this.#kubelet = this.#makeKubelet();
  }

  static async start({ configured = true } = {}): Promise<NodeLab> {
    const api = await LabApi.start({ host: '127.0.0.1', port: 0, hasNodeAgent: () => true });
    await api.load([
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } },
    ]);
    const network = await ClusterNetwork.create();
    await network.addNode('node-1');
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig);
    const directory = mkdtempSync(join(tmpdir(), 'lab-node-'));
    const lab = new NodeLab(api, network, new KubeConnection(config), directory);
    const { hostDirectory } = lab.kubelet;
    symlinkSync(join(root, 'packages/lab/bin/lab-bridge'), join(hostDirectory, 'opt/cni/bin/lab-bridge'));
    if (configured) lab.configureNetwork();
    await lab.kubelet.start();
    return lab;
  }

  /** Writes the node's network configuration. @param more plugins behind the lab's own */
  configureNetwork(more: readonly object[] = []): void {
    const node = this.network.nodes[0]!;
    const { plugins, ...list } = this.network.conflist(node, join(this.directory, 'ipam')) as {
      plugins: object[];
    };
    const text = JSON.stringify({ ...list, plugins: [...plugins, ...more] });
    writeFileSync(join(this.kubelet.hostDirectory, 'etc/cni/net.d/10-lab.conflist'), text);
  }

  /** A CNI plugin on the node, in sh; its standard input is in `$input`. */
  installPlugin(name: string, script: string): void {
    const file = join(this.kubelet.hostDirectory, 'opt/cni/bin', name);
    writeFileSync(file, `#!/bin/sh\ninput=$(cat)\n${script}\n`);
    chmodSync(file, 0o755);
  }

  get kubelet(): Kubelet {
    return this.#kubelet;
  }

  /** Another life of a node that was stopped. */
  async restartNode(): Promise<void> {
    this.#kubelet = this.#makeKubelet();
    await this.#kubelet.start();
  }

  /** Commands of the processes below this one that the node has started. */
  processes(): string[] {
    return childPids()
      .filter((pid) => !this.#network.includes(pid))
      .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim());
  }

  #makeKubelet(): Kubelet {
    return new Kubelet({
      node: this.network.nodes[0]!,
      zone: 'zone-a',
      client: this.client,
      runDirectory: this.directory,
      images: new ImageCatalog({ ...projectImages(root, process.execPath), 'test/shell': shell }),
      cluster: {
        dnsAddresses: ['10.96.0.10'],
        domain: 'cluster.local',
        apiAddress: '10.96.0.1',
        apiPort: 443,
        caPem: this.api.caPem,
      },
      log: new Logger(new LogLevels('info'), silentSink, 'node'),
    });
  }

  async create(name: string, spec: object, metadata: object = {}): Promise<PodObject> {
    return this.client.request<PodObject>({
      method: 'POST',
      path: '/api/v1/namespaces/default/pods',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, ...metadata },
        spec: { nodeName: 'node-1', ...spec },
      },
    });
  }

  async get(name: string): Promise<PodObject | undefined> {
    try {
      return await this.client.request<PodObject>({ path: `/api/v1/namespaces/default/pods/${name}` });
    } catch (error) {
      if (error instanceof KubeStatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  async remove(name: string, gracePeriodSeconds?: number): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds };
    await this.client.request({ method: 'DELETE', path: `/api/v1/namespaces/default/pods/${name}`, body });
  }

  /** Follows a pod until it is as wanted; undefined when it is gone. The test's own timeout ends it. */
  async until(name: string, accept: (pod: PodObject | undefined) => boolean): Promise<PodObject> {
    const done = new AbortController();
    const path = '/api/v1/namespaces/default/pods';
    const fieldSelector = `metadata.name=${name}`;
    const list = await this.client.request<{
      items: PodObject[];
      metadata: { resourceVersion: string };
    }>({ path, query: { fieldSelector } });
    let found = list.items[0];
    if (accept(found)) return found!;
    const query = { watch: true, fieldSelector, resourceVersion: list.metadata.resourceVersion };
    const onLine = (line: string): void => {
      const event = JSON.parse(line) as { type: string; object: PodObject };
      const pod = event.type === 'DELETED' ? undefined : event.object;
      if (done.signal.aborted || !accept(pod)) return;
      found = pod;
      done.abort();
    };
    await this.client
      .stream({ path, query, signal: done.signal }, onLine, () => undefined)
      .catch((error: unknown) => {
        if (!done.signal.aborted) throw error;
      });
    return found!;
  }

  /** Reasons and messages of the Events of a pod. */
  async events(name: string): Promise<string[]> {
    const { items } = await this.client.request<{
      items: { reason: string; message: string; involvedObject: { name: string } }[];
    }>({ path: '/api/v1/namespaces/default/events' });
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message }) => `${reason}: ${message}`);
  }

  /** Waits until an Event of a pod contains these words; the test's own timeout ends it. */
  async untilEvent(name: string, words: string): Promise<void> {
    while (!(await this.events(name)).some((text) => text.includes(words)))
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** What a container of a pod has printed in its present run. */
  output(pod: string, container?: string): string[] {
    const found = this.kubelet.find('default', pod, container);
    if (found === undefined) return [];
    const text = readFileSync(found.logPath, 'utf8');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').slice(3).join(' '));
  }

  /** Waits until a container has printed something; the test's own timeout ends it. */
  async untilOutput(pod: string, container?: string): Promise<string[]> {
    for (;;) {
      const lines = this.output(pod, container);
      if (lines.length > 0) return lines;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Runs a program in a container; its output. */
  async exec(pod: string, argv: readonly string[]): Promise<string> {
    const child = this.kubelet.find('default', pod, undefined)!.spawn(argv, { tty: false, stdin: false });
    let text = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    return text.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kubelet.stop();
    this.#connection[Symbol.dispose]();
    await this.api.stop();
    await this.network[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function childPids(): string[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim();
  return children.split(' ').filter((pid) => pid !== '');
}

export function isReady(pod: PodObject | undefined): boolean {
  return pod?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Namespaces and processes that exist below this process, for what is left of a pod. */
export function descendants(): { processes: string[]; namespaces: Set<string> } {
  const processes: string[] = [];
  const namespaces = new Set<string>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      if (command === '') continue;
      processes.push(command);
      namespaces.add(readlinkSync(`/proc/${entry}/ns/net`));
    } catch {
      // ended meanwhile
    }
  }
  return { processes, namespaces };
}
