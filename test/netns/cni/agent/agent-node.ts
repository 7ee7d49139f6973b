import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient, KubeConnection } from '@ambient/kube';
import type { Pod } from '@ambient/kube';
import type { Agent } from '@ambient/cni/agent';
import { loadAgentSettings, REDIRECTION_ANNOTATION, startAgent } from '@ambient/cni/agent';
import { standardSelectors } from '@ambient/cni';
import { ScriptedZtunnel } from '@ambient/cni/testing';
import { LabApi } from '@ambient/lab';
import type { NetworkNamespace } from '@ambient/linux';
import type { LogSink } from '@ambient/runtime';
import { Logger, LogLevels, settingsFrom } from '@ambient/runtime';
import type { LabProcess, Netns } from '@ambient/testkit/lab';
import { NetnsLab } from '@ambient/testkit/lab';

export const NODE = 'node-1';
const DEADLINE_MS = 10_000;
const root = join(import.meta.dirname, '../../../..');
const AGENT = join(root, 'packages/cni/src/agent/main.ts');
const network = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'bridge' }] };

/** A pod of the test's node: an object of the API, a network namespace, and what a node's /proc says of its process. */
export interface TestPod {
  readonly name: string;
  readonly uid: string;
  readonly netns: Netns;
  /** Of its process, in the node's /proc. */
  readonly pid: string;
}

/** One node, with an API server, a directory for its files, and pods that are network namespaces. */
export class AgentNode {
  readonly lab: NetnsLab;
  api!: LabApi;
  client!: KubeClient;
  /** The node's files, as a DaemonSet mounts them. */
  readonly host: string;
  readonly socket: string;
  readonly lines: string[] = [];
  node!: Netns;
  agent: Agent | undefined;
  #connection: KubeConnection | undefined;
  #port = 0;
  readonly #directory: string;
  readonly #ztunnels = new Set<TestZtunnel>();
  #watchers = new Set<() => void>();
  #pids = 1000;
  #networks = 0;

  static async create(): Promise<AgentNode> {
    const node = new AgentNode(NetnsLab.create());
    await node.startApi();
    node.node = await node.lab.namespace('node');
    node.#process('1', node.node, '0::/init.scope');
    await node.api.load([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } },
      { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } },
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'istio-cni', namespace: 'istio-system' },
      },
    ]);
    const account = join(node.#directory, 'account');
    mkdirSync(account);
    writeFileSync(join(account, 'ca.crt'), node.api.caPem);
    writeFileSync(join(account, 'token'), node.api.issueToken('istio-system', 'istio-cni').token);
    return node;
  }

  private constructor(lab: NetnsLab) {
    this.lab = lab;
    this.#directory = lab.directory;
    this.host = join(lab.directory, 'host');
    this.socket = join(lab.directory, 'z', 'ztunnel.sock');
    for (const path of ['proc', 'etc/cni/net.d', 'opt/cni/bin', 'run'])
      mkdirSync(join(this.host, path), { recursive: true });
    writeFileSync(join(this.host, 'etc/cni/net.d/10-pods.conflist'), JSON.stringify(network));
    // As an image has it: one executable.
    const plugin = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'packages/cni/src/plugin/main.ts')}'\n`;
    writeFileSync(join(lab.directory, 'istio-cni'), plugin, { mode: 0o755 });
  }

  /** Starts the API server, with all that it had when it was stopped, and on its port. */
  async startApi(): Promise<void> {
    const dataDir = join(this.#directory, 'api');
    this.api = await LabApi.start({ host: '127.0.0.1', port: this.#port, dataDir });
    this.#port = Number(new URL(this.api.url).port);
    if (this.#connection !== undefined) return;
    const config = new KubeConfig();
    config.loadFromString(this.api.kubeconfig);
    this.#connection = new KubeConnection(config);
    this.client = new KubeClient(this.#connection);
  }

  async stopApi(): Promise<void> {
    await this.api.stop();
  }

  /** What an agent of this node is told by its environment. */
  #variables(): Readonly<Record<string, string>> {
    return {
      NODE_NAME: NODE,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: new URL(this.api.url).port,
      SERVICE_ACCOUNT_DIRECTORY: join(this.#directory, 'account'),
      AMBIENT_ENABLED: 'true',
      AMBIENT_IPV6: 'true',
      AMBIENT_DNS_CAPTURE: 'true',
      AMBIENT_RECONCILE_POD_RULES_ON_STARTUP: 'true',
      AMBIENT_ENABLEMENT_SELECTOR: JSON.stringify(standardSelectors),
      NATIVE_NFTABLES: 'true',
      HOST_ROOT: this.host,
      CNI_AGENT_RUN_DIR: join(this.host, 'run'),
      CNI_BIN_SOURCE: join(this.#directory, 'istio-cni'),
      ZTUNNEL_UDS_ADDRESS: this.socket,
      RULE_CHECK_INTERVAL: '200ms',
      // A ztunnel of the test's making listens nowhere.
      CAPTURE_PROOF_INTERVAL: '0',
      RELEASE_GRACE_PERIOD: '1h',
      HEALTH_PORT: '0',
      MONITORING_PORT: '0',
    };
  }

  /** Starts the agent, and waits until it serves. */
  async startAgent(variables: Readonly<Record<string, string>> = {}): Promise<Agent> {
    const settings = loadAgentSettings(settingsFrom({ ...this.#variables(), ...variables }));
    const sink: LogSink = {
      write: (level, scope, message, fields) => {
        this.lines.push(`${level} ${scope} ${message} ${JSON.stringify(fields ?? {})}`);
        for (const watcher of this.#watchers) watcher();
      },
    };
    const log = new Logger(new LogLevels('debug'), sink, 'app');
    this.agent = await startAgent({ settings, connection: this.#connection!, log });
    return this.agent!;
  }

  /** Starts an agent in a process of its own, which a test may kill. */
  startAgentProcess(): Promise<LabProcess> {
    return this.lab.launch({
      name: 'agent',
      argv: [process.execPath, '--disable-warning=ExperimentalWarning', AGENT],
      env: this.#variables(),
    });
  }

  async stopAgent(): Promise<void> {
    await this.agent?.stop();
    this.agent = undefined;
  }

  /** A ztunnel that takes everything. @param faithful dials again when its connection is lost */
  async ztunnel(faithful = false): Promise<TestZtunnel> {
    const ztunnel = new TestZtunnel(this.socket, faithful);
    this.#ztunnels.add(ztunnel);
    await ztunnel.received('snapshot');
    return ztunnel;
  }

  /** A pod that runs; with a network to the node, over which it reaches all else. */
  async pod(
    name: string,
    options: { labels?: Record<string, string>; running?: boolean } = {},
  ): Promise<TestPod> {
    const { labels = {}, running = true } = options;
    const netns = await this.lab.namespace(name);
    const number = ++this.#networks;
    await this.lab.network([this.node, netns], { prefix4: `10.80.${number}`, prefix6: `fd80:${number}::` });
    await netns.must(['ip', 'route', 'add', 'default', 'via', `10.80.${number}.1`]);
    const created = await this.#created(name, labels);
    const pod = { name, uid: created.metadata.uid, netns, pid: String(++this.#pids) };
    this.#process(pod.pid, netns, cgroupOf(pod.uid));
    if (running) await this.run(pod);
    return pod;
  }

  /** The pod's object in the API. */
  #created(name: string, labels: Record<string, string>): Promise<Pod> {
    return this.client.request<Pod>({
      method: 'POST',
      path: '/api/v1/namespaces/shop/pods',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'shop', labels },
        spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app' }] },
      },
    });
  }

  /** A pod that runs, without a network, in a namespace that belongs to the caller: quick to make. */
  async bare(name: string, netns: NetworkNamespace): Promise<void> {
    const created = await this.#created(name, {});
    const { uid } = created.metadata;
    const holder = { path: `/proc/${process.pid}/fd/${netns.fd}`, holderPid: process.pid };
    this.#process(String(++this.#pids), holder, cgroupOf(uid));
    await this.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/shop/pods/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running' } },
    });
  }

  /** The kubelet has started the pod. */
  async run({ name, netns }: TestPod): Promise<void> {
    await this.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/shop/pods/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: {
        status: { phase: 'Running', podIP: netns.ipv4, podIPs: netns.addresses.map((ip) => ({ ip })) },
      },
    });
  }

  /** The agent's DaemonSet: another agent follows one that ends. */
  async daemonSet(): Promise<void> {
    const labels = { 'k8s-app': 'istio-cni-node' };
    const containers = [{ name: 'install-cni', image: 'cni' }];
    await this.api.load([
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'istio-cni-node', namespace: 'istio-system' },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers } },
        },
      },
    ]);
  }

  async labelNamespace(mode: string | null): Promise<void> {
    await this.client.request({
      method: 'PATCH',
      path: '/api/v1/namespaces/shop',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { 'istio.io/dataplane-mode': mode } } },
    });
  }

  async label({ name }: TestPod, labels: Record<string, string | null>): Promise<void> {
    await this.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/shop/pods/${name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels } },
    });
  }

  async annotate({ name }: TestPod, annotations: Record<string, string | null>): Promise<void> {
    await this.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/shop/pods/${name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations } },
    });
  }

  /** What keeps the pod's object after it was deleted. */
  async setFinalizers({ name }: TestPod, finalizers: readonly string[]): Promise<void> {
    await this.client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/shop/pods/${name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers } },
    });
  }

  async deletePod(pod: TestPod): Promise<void> {
    rmSync(join(this.host, 'proc', pod.pid), { recursive: true, force: true });
    await this.client.request({ method: 'DELETE', path: `/api/v1/namespaces/shop/pods/${pod.name}` });
  }

  async redirection({ name }: TestPod): Promise<string | undefined> {
    const { metadata } = await this.client.request<Pod>({ path: `/api/v1/namespaces/shop/pods/${name}` });
    return metadata.annotations?.[REDIRECTION_ANNOTATION];
  }

  /** Resolves when the pod's annotation says so; fails with the agent's log. */
  async says(pod: TestPod, value: string | undefined): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const present = await this.redirection(pod);
      if (present === value) return;
      if (performance.now() > deadline)
        throw new Error(`${pod.name} says ${present}, not ${value}. Log:\n${this.lines.join('\n')}`);
    }
  }

  /** The pod's rules, as nft lists them; '' when there are none. */
  async rules({ netns }: TestPod): Promise<string> {
    return netns.must(['nft', 'list', 'ruleset']);
  }

  /** Resolves with the first line of the agent's log, from now on or since `since`, that matches. */
  async logged(pattern: RegExp, since = 0): Promise<string> {
    for (;;) {
      const line = this.lines.slice(since).find((each) => pattern.test(each));
      if (line !== undefined) return line;
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  /** Executes the installed plugin as a container runtime does. */
  async plugin(command: string, pod: TestPod): Promise<{ readonly code: number; readonly output: string }> {
    const list = JSON.parse(readFileSync(join(this.host, 'etc/cni/net.d/10-pods.conflist'), 'utf8')) as {
      plugins: Record<string, unknown>[];
    };
    const input = {
      ...list.plugins.at(-1),
      cniVersion: '1.0.0',
      prevResult: {
        cniVersion: '1.0.0',
        ips: pod.netns.addresses.map((ip) => ({ address: `${ip}/${ip.includes(':') ? 64 : 24}` })),
      },
    };
    const process_ = await this.lab.launch({
      name: 'plugin',
      argv: [join(this.host, 'opt/cni/bin/istio-cni')],
      input: JSON.stringify(input),
      env: {
        CNI_COMMAND: command,
        CNI_CONTAINERID: 'c1',
        CNI_IFNAME: 'eth0',
        CNI_NETNS: `/proc/${pod.pid}/ns/net`,
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod.name}`,
      },
    });
    const { code } = await process_.exited;
    return { code: code ?? -1, output: process_.lines.join('\n') };
  }

  async destroy(): Promise<void> {
    await this.stopAgent();
    for (const ztunnel of this.#ztunnels) await ztunnel.close();
    this.#connection?.[Symbol.dispose]();
    await this.api.stop();
    await this.lab.destroy();
  }

  #process(pid: string, netns: Pick<Netns, 'path' | 'holderPid'>, cgroup: string): void {
    const directory = join(this.host, 'proc', pid);
    mkdirSync(join(directory, 'ns'), { recursive: true });
    symlinkSync(netns.path, join(directory, 'ns/net'));
    symlinkSync(`/proc/${netns.holderPid}/stat`, join(directory, 'stat'));
    writeFileSync(join(directory, 'cgroup'), `${cgroup}\n`);
  }
}

function cgroupOf(uid: string): string {
  return `0::/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-1.scope`;
}

/** A ztunnel that says yes to everything, or to nothing. */
export class TestZtunnel {
  /** What it was asked for; 'dialled' for each connection that it made. */
  readonly texts: string[] = [];
  /** What it answers instead of yes. */
  refusal = '';
  readonly #path: string;
  readonly #faithful: boolean;
  /** Undefined while it dials. */
  #ztunnel: ScriptedZtunnel | undefined;
  readonly #closing = new AbortController();
  #arrived: () => void = () => undefined;

  constructor(path: string, faithful: boolean) {
    this.#path = path;
    this.#faithful = faithful;
    void this.#serve(this.#dial());
  }

  /** Resolves when the request has come, and has been answered. */
  async received(text: string, since = 0): Promise<void> {
    while (!this.texts.slice(since).includes(text))
      await new Promise<void>((resolve) => (this.#arrived = resolve));
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#ztunnel?.close();
  }

  #dial(): ScriptedZtunnel {
    const ztunnel = new ScriptedZtunnel(this.#path);
    ztunnel.hello();
    this.#ztunnel = ztunnel;
    if (this.#faithful) this.texts.push('dialled');
    return ztunnel;
  }

  async #serve(ztunnel: ScriptedZtunnel): Promise<void> {
    for (;;) {
      const { text } = await ztunnel.next();
      if (this.#closing.signal.aborted) return;
      if (text === 'end') {
        if (this.#faithful) await this.#dialAgain(ztunnel);
        return;
      }
      ztunnel.ack(text.startsWith('add') ? this.refusal : '');
      this.texts.push(text);
      this.#arrived();
    }
  }

  async #dialAgain(lost: ScriptedZtunnel): Promise<void> {
    this.#ztunnel = undefined;
    await lost.close();
    using stack = new DisposableStack();
    const watcher = stack.adopt(watch(dirname(this.#path)), (each) => each.close());
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        return void this.#serve(this.#dial());
      } catch {
        // Nobody listens, until somebody has made a file.
        await once(watcher, 'change', { signal }).catch(() => undefined);
      }
    }
  }
}
