import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { standardSelectors } from '@ambient/cni';
import { REDIRECTION_ANNOTATION } from '@ambient/cni/agent';
import { KubeClient, KubeConnection } from '@ambient/kube';
import type { Pod } from '@ambient/kube';
import { LabApi } from '@ambient/lab';
import { Program } from '../../control-plane/rig/program.ts';
import type { CheapPod } from './pod-namespaces.ts';
import { PodNamespaces } from './pod-namespaces.ts';

const NODE = 'node-1';
const NAMESPACE = 'shop';
const DEADLINE_MS = 240_000;
const POLL_MS = 50;
/** To list the pods takes the API server a while, which shares the CPUs. */
const POLL_MS_PER_POD = 0.5;
/** Requests to the API server under way while pods are made. */
const AT_ONCE = 16;
const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const network = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'bridge' }] };

/** A node with the real agent, plugin and ztunnel, an API server, and cheap pods. The bench's own network is the node's. */
export class BenchNode implements AsyncDisposable {
  readonly host: string;
  readonly runDirectory: string;
  /** The plugin's executable, as it is installed. */
  readonly plugin: string;
  readonly #directory: string;
  readonly #namespaces: PodNamespaces;
  readonly #resources = new AsyncDisposableStack();
  #api!: LabApi;
  #client!: KubeClient;
  ztunnel!: Program;
  agent!: Program;

  private constructor(directory: string) {
    this.#directory = directory;
    this.host = join(directory, 'host');
    this.runDirectory = join(this.host, 'run');
    this.plugin = join(this.host, 'opt/cni/bin/istio-cni');
    for (const path of ['etc/cni/net.d', 'opt/cni/bin', 'run', 'proc'])
      mkdirSync(join(this.host, path), { recursive: true });
    writeFileSync(join(this.host, 'etc/cni/net.d/10-pods.conflist'), JSON.stringify(network));
    this.#namespaces = this.#resources.use(new PodNamespaces(this.host));
  }

  /** Pods run, in a namespace that is not labelled; agent and ztunnel are ready. */
  static async start(directory: string, pods: number): Promise<BenchNode> {
    const bench = new BenchNode(directory);
    try {
      execFileSync('ip', ['link', 'set', 'lo', 'up']);
      // Before there are connections, which would end while nothing else gets a turn.
      for (let index = 0; index < pods; index++) bench.#namespaces.make(`pod-${index}`);
      await bench.#startApi();
      writeFileSync(join(directory, 'mesh.yaml'), JSON.stringify(meshOf(bench.pods)));
      await bench.#eachPod((pod) => bench.#createPod(pod, true));
      await bench.#startPrograms();
      return bench;
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pods(): readonly CheapPod[] {
    return this.#namespaces.pods;
  }

  async #startApi(): Promise<void> {
    const dataDir = join(this.#directory, 'api');
    this.#api = await LabApi.start({ host: '127.0.0.1', port: 0, dataDir });
    this.#resources.defer(() => this.#api.stop());
    const config = new KubeConfig();
    config.loadFromString(this.#api.kubeconfig);
    this.#client = new KubeClient(this.#resources.use(new KubeConnection(config)));
    await this.#api.load([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } },
      { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } },
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'istio-cni', namespace: 'istio-system' },
      },
    ]);
    const account = join(this.#directory, 'account');
    mkdirSync(account);
    writeFileSync(join(account, 'ca.crt'), this.#api.caPem);
    writeFileSync(join(account, 'token'), this.#api.issueToken('istio-system', 'istio-cni').token);
  }

  async #startPrograms(): Promise<void> {
    execFileSync(process.execPath, [source('scripts/build-cni.ts'), this.#executable], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await this.#startAgent();
    await this.#startZtunnel();
  }

  async #startAgent(): Promise<void> {
    this.agent = this.#program('agent', [...node, source('packages/cni/src/agent/main.ts')], {
      NODE_NAME: NODE,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: new URL(this.#api.url).port,
      SERVICE_ACCOUNT_DIRECTORY: join(this.#directory, 'account'),
      AMBIENT_ENABLED: 'true',
      AMBIENT_IPV6: 'true',
      AMBIENT_DNS_CAPTURE: 'true',
      AMBIENT_ENABLEMENT_SELECTOR: JSON.stringify(standardSelectors),
      HOST_ROOT: this.host,
      CNI_AGENT_RUN_DIR: this.runDirectory,
      CNI_BIN_SOURCE: this.#executable,
      ZTUNNEL_UDS_ADDRESS: this.#socket,
      RELEASE_GRACE_PERIOD: '100ms',
    });
    await this.#ready('agent', this.agent, 'http://127.0.0.1:8000/readyz');
  }

  async #startZtunnel(): Promise<void> {
    this.ztunnel = this.#program('ztunnel', [...node, source('packages/ztunnel/src/main.ts')], {
      PROXY_MODE: 'shared',
      NODE_NAME: NODE,
      CLUSTER_ID: 'Kubernetes',
      FAKE_CA: 'true',
      FAKE_CA_DIR: join(this.#directory, 'ca'),
      XDS_ADDRESS: '',
      LOCAL_XDS_PATH: join(this.#directory, 'mesh.yaml'),
      ZTUNNEL_WORKER_THREADS: '2',
      CONNECTION_TERMINATION_DEADLINE: '1s',
      INPOD_UDS: this.#socket,
    });
    await this.#ready('ztunnel', this.ztunnel, 'http://127.0.0.1:15021/healthz/ready');
  }

  /** Another agent in the place of the one that there is. @returns seconds from its start until all these pods are proven to be captured */
  async replaceAgent(pods: number): Promise<number> {
    await this.agent.stop();
    const startedMs = performance.now();
    await this.#startAgent();
    await this.proven(pods);
    return (performance.now() - startedMs) / 1000;
  }

  /** Another ztunnel in the place of the one that there is. @returns seconds from its start until it is ready: it listens in all pods */
  async replaceZtunnel(): Promise<number> {
    await this.ztunnel.stop();
    const startedMs = performance.now();
    await this.#startZtunnel();
    return (performance.now() - startedMs) / 1000;
  }

  /** Waits until the agent has proven of so many pods that they are captured, and has no others. */
  async proven(pods: number): Promise<void> {
    const wanted = { istio_cni_capture_proven: pods, 'istio_cni_pods{state="captured"}': pods };
    const asked = async (): Promise<void> => {
      const text = await fetch('http://127.0.0.1:15014/metrics').then((answer) => answer.text());
      for (const [series, value] of Object.entries(wanted)) {
        const line = text.split('\n').find((each) => each.startsWith(`${series} `));
        if (Number(line?.slice(series.length)) !== value)
          throw new Error(`${line ?? series} is not ${value}`);
      }
    };
    await this.agent.while(retry(asked));
  }

  /** The plugin, before it is installed. */
  get #executable(): string {
    return join(this.#directory, 'istio-cni');
  }

  get #socket(): string {
    return join(this.#directory, 'z', 'ztunnel.sock');
  }

  #program(name: string, argv: readonly string[], environment: Readonly<Record<string, string>>): Program {
    const program = new Program(name, argv, environment);
    this.#resources.defer(() => program.stop());
    return program;
  }

  async #ready(name: string, program: Program, url: string): Promise<void> {
    const asked = async (): Promise<void> => {
      const ok = await fetch(url).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (!ok) throw new Error(`${name} is not ready`);
    };
    await program.while(retry(asked));
  }

  /** Creates a pod of the API. @param running as a kubelet says when its containers run */
  async #createPod(pod: CheapPod, running: boolean): Promise<string> {
    const { name } = pod;
    const created = await this.#client.request<Pod>({
      method: 'POST',
      path: `/api/v1/namespaces/${NAMESPACE}/pods`,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: NAMESPACE },
        spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app' }] },
      },
    });
    const { uid } = created.metadata;
    this.#namespaces.publish(pod, uid);
    if (running) await this.run(pod);
    return uid;
  }

  /** The kubelet says that the pod's containers run, and its addresses. */
  async run({ name, ip, ip6 }: CheapPod): Promise<void> {
    await this.#client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }, { ip: ip6 }] } },
    });
  }

  /** One more pod, which is just being made: its network is there, its containers are not. */
  async startingPod(name: string): Promise<CheapPod> {
    const pod = this.#namespaces.make(name);
    await this.#createPod(pod, false);
    return pod;
  }

  /** As many pods end as others, which run at once, take their place. */
  async exchange(count: number): Promise<void> {
    const leaving = this.pods.slice(0, count);
    const coming = leaving.map(({ name }) => this.#namespaces.make(`${name}-next`));
    await Promise.all([
      this.#eachPod((pod) => this.#createPod(pod, true), coming),
      this.#eachPod((pod) => this.#deletePod(pod), leaving),
    ]);
  }

  async #deletePod(pod: CheapPod): Promise<void> {
    this.#namespaces.unmake(pod);
    await this.#client.request({
      method: 'DELETE',
      path: `/api/v1/namespaces/${NAMESPACE}/pods/${pod.name}`,
      body: { gracePeriodSeconds: 0 },
    });
  }

  async #eachPod(act: (pod: CheapPod) => Promise<unknown>, pods = this.pods): Promise<void> {
    const left = [...pods];
    const lane = async (): Promise<void> => {
      for (let pod = left.shift(); pod !== undefined; pod = left.shift()) await act(pod);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  /** Labels the pods' namespace, or takes the label off. */
  async label(mode: 'ambient' | null): Promise<void> {
    await this.#client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${NAMESPACE}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { 'istio.io/dataplane-mode': mode } } },
    });
  }

  /** Labels, and waits until every pod says so. @returns seconds */
  async capture(): Promise<number> {
    return this.#change('ambient', 'enabled');
  }

  /** The reverse of `capture`. @returns seconds */
  async release(): Promise<number> {
    return this.#change(null, undefined);
  }

  async #change(mode: 'ambient' | null, said: string | undefined): Promise<number> {
    const startedMs = performance.now();
    await this.label(mode);
    await this.agent.while(
      this.ztunnel.while(
        retry(
          async () => {
            const { items } = await this.#client.request<{ items: Pod[] }>({
              path: `/api/v1/namespaces/${NAMESPACE}/pods`,
            });
            const behind = items.filter(
              ({ metadata }) => metadata.annotations?.[REDIRECTION_ANNOTATION] !== said,
            );
            if (behind.length > 0) throw new Error(`${behind.length} pods do not say ${said ?? 'nothing'}`);
          },
          POLL_MS + POLL_MS_PER_POD * this.pods.length,
        ),
      ),
    );
    return (performance.now() - startedMs) / 1000;
  }

  /** The plugin's configuration as a container runtime gives it. @param changed what the entry says otherwise than installed */
  pluginInput(pod: CheapPod, changed: Readonly<Record<string, unknown>> = {}): string {
    const list = JSON.parse(readFileSync(join(this.host, 'etc/cni/net.d/10-pods.conflist'), 'utf8')) as {
      plugins: Record<string, unknown>[];
    };
    return JSON.stringify({
      ...list.plugins.at(-1),
      ...changed,
      cniVersion: '1.0.0',
      prevResult: {
        cniVersion: '1.0.0',
        ips: [{ address: `${pod.ip}/24` }, { address: `${pod.ip6}/64` }],
      },
    });
  }

  /** Environment of the plugin for a pod. */
  pluginEnvironment(command: string, pod: CheapPod): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'c1',
      CNI_IFNAME: 'eth0',
      CNI_PATH: join(this.host, 'opt/cni/bin'),
      CNI_NETNS: `/proc/${pod.pid}/ns/net`,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${NAMESPACE};K8S_POD_NAME=${pod.name}`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Again and again until it does not throw. @throws its last error at the deadline */
async function retry(act: () => Promise<void>, everyMs = POLL_MS): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
    }
    await sleep(everyMs);
  }
}

function meshOf(pods: readonly CheapPod[]): object {
  const workloads = pods.map(({ name, ip, ip6 }) => ({
    uid: `Kubernetes//Pod/${NAMESPACE}/${name}`,
    name,
    namespace: NAMESPACE,
    serviceAccount: 'default',
    workloadIps: [ip, ip6],
    protocol: 'HBONE',
    node: NODE,
    network: '',
    services: {},
  }));
  return { workloads, services: [], policies: [] };
}
