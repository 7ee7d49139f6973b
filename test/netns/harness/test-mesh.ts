import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyRedirect, assertNoLeak, NetnsLab, sampleApp, takeLeakSnapshot } from '@ambient/testkit/lab';
import type { LabProcess, LeakScope, LeakSnapshot } from '@ambient/testkit/lab';
import { renderLocalMesh } from './local-mesh.ts';
import type { LocalMesh, LocalPolicy, LocalService, LocalWorkload } from './local-mesh.ts';
import { Pod } from './pod.ts';

/** What a test says of one pod; all else has a default. */
export interface PodSpec {
  /** Differences from the workload that the pod's name implies. Without addresses of its own it gets the pod's. */
  readonly workload?: Partial<LocalWorkload>;
  /** False: a pod outside the mesh, in plaintext, known to nobody. Default true. */
  readonly proxy?: boolean;
  /** Plaintext for the pod goes through its proxy. Default true. */
  readonly captureInbound?: boolean;
  /** False: connections go past the proxy until the test redirects them itself. Default true. */
  readonly captured?: boolean;
  /** The proxy dials the application from the client's address. Default false. */
  readonly originalSource?: boolean;
  /** Settings of this pod's proxy over those of the mesh. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface MeshSpec {
  /** By name; addresses are given in this order from 10.77.0.1 and fd77::1 on. */
  readonly pods: Readonly<Record<string, PodSpec>>;
  /** May refer to the pods, which have their addresses by then. */
  readonly services?: (pods: Readonly<Record<string, Pod>>) => readonly LocalService[];
  readonly policies?: readonly LocalPolicy[];
  /** Settings of every proxy. */
  readonly env?: Readonly<Record<string, string>>;
  readonly mtu?: number;
  /** Called when the namespaces and their network stand, before any proxy starts: for a control plane, and for files. */
  readonly prepare?: (mesh: TestMesh) => void | Promise<void>;
}

const READY_DEADLINE_MS = 20_000;
const ZTUNNEL = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));

/** Short, so that a test sees what takes minutes in production, and a leak check need not wait for idle tunnels. */
const testSettings = {
  PROXY_MODE: 'dedicated',
  CLUSTER_ID: 'Kubernetes',
  FAKE_CA: 'true',
  XDS_ADDRESS: '',
  ZTUNNEL_WORKER_THREADS: '2',
  PACKET_MARK: '1337',
  ISTIO_META_DNS_CAPTURE: 'false',
  POOL_UNUSED_RELEASE_TIMEOUT: '500ms',
  CONNECTION_TERMINATION_DEADLINE: '1s',
  LOG_FORMAT: 'json',
  RUST_LOG: 'info',
} as const;

/**
 * A mesh of two or more pods, each a network namespace with a proxy in dedicated mode, for one test or one suite. The
 * proxy is this tree's; the variable AMBIENT_TEST_ZTUNNEL names another command that takes Istio's settings.
 */
export class TestMesh {
  readonly pods: Readonly<Record<string, Pod>>;
  readonly lab: NetnsLab;
  readonly #spec: MeshSpec;
  #policies: readonly LocalPolicy[];
  readonly #changes = new Map<string, Partial<LocalWorkload>>();
  #baseline: LeakSnapshot = takeLeakSnapshot({});

  private constructor(spec: MeshSpec, lab: NetnsLab, pods: Readonly<Record<string, Pod>>) {
    this.#spec = spec;
    this.#policies = spec.policies ?? [];
    this.lab = lab;
    this.pods = pods;
  }

  /** Brings everything up and resolves when all proxies are ready; nothing is left if that fails. */
  static async start(spec: MeshSpec): Promise<TestMesh> {
    const lab = NetnsLab.create();
    try {
      const pods: Record<string, Pod> = {};
      const names = Object.keys(spec.pods);
      const namespaces = await Promise.all(names.map((name) => lab.namespace(name)));
      await lab.network(namespaces, spec.mtu === undefined ? {} : { mtu: spec.mtu });
      for (const [index, name] of names.entries()) {
        const netns = namespaces[index]!;
        pods[name] = new Pod(defaultWorkload(name, netns.addresses, spec.pods[name]!.workload), netns);
      }
      const mesh = new TestMesh(spec, lab, pods);
      mesh.writeMesh();
      await spec.prepare?.(mesh);
      await Promise.all(names.filter((name) => mesh.#inMesh(name)).map((name) => mesh.#startPod(name)));
      mesh.#baseline = takeLeakSnapshot(mesh.#scope());
      return mesh;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** Throws for a name that the test did not give. */
  pod(name: string): Pod {
    const pod = this.pods[name];
    if (pod === undefined)
      throw new Error(`no pod ${name} in this mesh: ${Object.keys(this.pods).join(', ')}`);
    return pod;
  }

  /** The mesh as it stands in the file. */
  get mesh(): LocalMesh {
    const names = Object.keys(this.pods).filter((name) => this.#inMesh(name));
    return {
      workloads: names.map((name) => ({ ...this.pods[name]!.workload, ...this.#changes.get(name) })),
      services: this.#spec.services?.(this.pods) ?? [],
      policies: this.#policies,
    };
  }

  /** Replaces the policies in the file that the proxies watch. */
  setPolicies(policies: readonly LocalPolicy[]): void {
    this.#policies = policies;
    this.writeMesh();
  }

  /** Makes a workload differ from what its pod was started with, in the file; without differences it is as it was. */
  setWorkload(name: string, changes: Partial<LocalWorkload> = {}): void {
    this.#changes.set(name, changes);
    this.writeMesh();
  }

  /** Runs `write`, which changes the file, and resolves when every worker of every proxy goes by what it says. */
  async applied(write: () => void): Promise<void> {
    const pods = Object.values(this.pods).filter((pod) => pod.hasProxy);
    const loads = (pod: Pod): number =>
      pod.log().filter(({ message }) => message === 'local mesh loaded').length;
    const before = new Map(pods.map((pod) => [pod, loads(pod)]));
    write();
    await Promise.all(
      pods.map(async (pod) => {
        await pod.proxy.waitFor(() => loads(pod) > before.get(pod)! || undefined, 'load of the mesh file');
        // Every worker answers this, after what it has been told before.
        await pod.admin('/config_dump');
      }),
    );
  }

  /** Writes the file that the proxies watch: the mesh, or any text that a test wants them to meet. */
  writeMesh(text = renderLocalMesh(this.mesh)): void {
    const file = this.#meshFile();
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file); // a reader sees the old or the new, never half
  }

  /** Starts a proxy in the pod, beside one that may be there already, and resolves when it is ready. */
  async startProxy(name: string, env: Readonly<Record<string, string>> = {}): Promise<LabProcess> {
    const pod = this.pod(name);
    const { namespace, serviceAccount, node } = pod.workload;
    const authority = join(this.lab.directory, 'fake-ca');
    mkdirSync(authority, { recursive: true });
    const proxy = await pod.netns.spawn(proxyCommand(), {
      name: 'ztunnel',
      env: {
        ...testSettings,
        PROXY_WORKLOAD_INFO: `${namespace}/${name}/${serviceAccount}`,
        NODE_NAME: node,
        FAKE_CA_DIR: authority,
        LOCAL_XDS_PATH: this.#meshFile(),
        ENABLE_ORIG_SRC: String(this.#spec.pods[name]?.originalSource ?? false),
        ...this.#spec.env,
        ...this.#spec.pods[name]?.env,
        ...env,
      },
    });
    pod.setProxy(proxy);
    await proxy.waitForListener(15_021, READY_DEADLINE_MS);
    const url = 'http://127.0.0.1:15021/healthz/ready';
    const probe = sampleApp('http-get', { url, 'retry-until': 200, 'deadline-ms': READY_DEADLINE_MS });
    const { stdout } = await pod.netns.run(probe, { name: 'readiness' });
    if (!stdout.includes('"status":200'))
      throw new Error(`${proxy.name} is not ready: ${stdout}\n${proxy.lines.slice(-15).join('\n')}`);
    return proxy;
  }

  /**
   * Ends the mesh and proves that it left nothing: once the applications are gone, the proxies must hold what they held
   * when they became ready, must end with code 0 when asked, and no process may be left.
   */
  async stop(): Promise<void> {
    const { runId } = this.lab;
    try {
      const pods = Object.values(this.pods);
      await Promise.all(pods.map((pod) => pod.stopApps()));
      for (const pod of pods) if (pod.hasProxy) assertRunning(pod);
      await assertNoLeak(this.#baseline, this.#scope());
      await Promise.all(pods.filter((pod) => pod.hasProxy).map(drain));
    } finally {
      await this.lab.destroy();
    }
    await assertNoLeak(takeLeakSnapshot({}), { runId });
  }

  /** Ends the mesh without looking for leaks: for tests that break a proxy on purpose. */
  destroy(): Promise<void> {
    return this.lab.destroy();
  }

  async #startPod(name: string): Promise<void> {
    const spec = this.#spec.pods[name]!;
    if (spec.captured ?? true)
      await applyRedirect(this.pod(name).netns, {
        outbound: [{ toPort: 15_001 }],
        ...((spec.captureInbound ?? true) ? { inboundPort: 15_006 } : {}),
        originalSource: spec.originalSource ?? false,
      });
    await this.startProxy(name);
  }

  #inMesh(name: string): boolean {
    return this.#spec.pods[name]?.proxy ?? true;
  }

  #meshFile(): string {
    return join(this.lab.directory, 'mesh.yaml');
  }

  #scope(): LeakScope {
    const pods = Object.values(this.pods);
    return {
      pids: Object.fromEntries(pods.filter((pod) => pod.hasProxy).map((pod) => [pod.name, pod.proxy.pid])),
      namespaces: pods.map((pod) => pod.netns),
    };
  }
}

function defaultWorkload(
  name: string,
  addresses: readonly string[],
  more: Partial<LocalWorkload> = {},
): LocalWorkload {
  const namespace = more.namespace ?? 'default';
  return {
    uid: `Kubernetes//Pod/${namespace}/${name}`,
    name,
    namespace,
    serviceAccount: name,
    workloadIps: addresses,
    protocol: 'HBONE',
    node: `${name}-node`,
    network: '',
    services: {},
    ...more,
  };
}

function proxyCommand(): string[] {
  const command = process.env['AMBIENT_TEST_ZTUNNEL'];
  if (command !== undefined && command !== '') return ['sh', '-c', `exec ${command}`];
  return [process.execPath, '--disable-warning=ExperimentalWarning', ZTUNNEL];
}

function assertRunning(pod: Pod): void {
  const { exit, lines } = pod.proxy;
  if (exit === undefined) return;
  throw new Error(
    `the proxy of ${pod.name} ended during the test (${exit.signal ?? `code ${exit.code ?? 0}`}):\n${lines.slice(-20).join('\n')}`,
  );
}

async function drain(pod: Pod): Promise<void> {
  const { code, signal } = await pod.proxy.stop('SIGTERM');
  if (code !== 0)
    throw new Error(
      `the proxy of ${pod.name} did not end well on SIGTERM (${signal ?? `code ${code ?? 0}`}):\n${pod.proxy.lines.slice(-20).join('\n')}`,
    );
}
