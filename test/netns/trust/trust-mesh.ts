import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { CaClient, GrpcCaTransport } from '@ambient/identity';
import type { WorkloadCertificate } from '@ambient/identity';
import type { JsonObject } from '@ambient/lab';
import { realClock } from '@ambient/runtime';
import { waitFor } from '@ambient/testkit/lab';

import { KubeSecrets } from '../../../packages/control-plane/src/ca/kubernetes-secrets.ts';
import { account, Cluster, namespace } from '../../hostile/control-plane/cluster.ts';
import { ControlPlaneProcess } from '../../hostile/control-plane/control-plane-process.ts';
import type { LogLine } from '../../hostile/control-plane/control-plane-process.ts';
import { InPodEndpoint } from '../../hostile/discovery/in-pod-endpoint.ts';
import { TestMesh } from '../harness/index.ts';
import type { Pod } from '../harness/index.ts';
import { MountedConfigMaps } from './mounted-configmaps.ts';

export const ECHO_PORT = 9000;
export const HTTP_PORT = 8080;
const ISTIOD_PORT = 15_012;
const NAMESPACE = 'shop';
const podNames = ['client', 'other', 'server'] as const;
const program = join(import.meta.dirname, '../../../packages/control-plane/bin/control-plane');

/** How long things live in a mesh, seconds. */
export interface TrustTimes {
  readonly certificate: number;
  /** Of roots; longer than certificates live. */
  readonly overlap: number;
}

/** What a command of the operator left behind. */
export interface CommandOutcome {
  readonly code: number;
  readonly output: string;
}

/**
 * Pods whose proxies get everything from a real control plane in one or more replicas: discovery, certificates, roots and
 * revocation lists. The API is the lab's; the port behind which proxies find the control plane goes to any replica that
 * runs, as that of a Service does.
 */
export class TrustMesh {
  readonly cluster: Cluster;
  readonly mesh: TestMesh;
  readonly mounted: MountedConfigMaps;
  /** By pod, what it shows to the control plane. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly #kubeconfig: string;
  readonly #times: TrustTimes;
  readonly #endpoint: InPodEndpoint;
  /** By name; those that were killed stay, for their logs. */
  readonly #replicas: Map<string, ControlPlaneProcess>;
  readonly #ended: ControlPlaneProcess[] = [];
  /** Everything that commands have printed. */
  readonly #outputs: string[] = [];

  private constructor(parts: {
    cluster: Cluster;
    mesh: TestMesh;
    mounted: MountedConfigMaps;
    tokens: ReadonlyMap<string, string>;
    kubeconfig: string;
    times: TrustTimes;
    endpoint: InPodEndpoint;
    replicas: Map<string, ControlPlaneProcess>;
  }) {
    this.cluster = parts.cluster;
    this.mesh = parts.mesh;
    this.mounted = parts.mounted;
    this.tokens = parts.tokens;
    this.#kubeconfig = parts.kubeconfig;
    this.#times = parts.times;
    this.#endpoint = parts.endpoint;
    this.#replicas = parts.replicas;
  }

  static async start(times: TrustTimes): Promise<TrustMesh> {
    await using starting = new AsyncDisposableStack();
    const cluster = starting.use(await Cluster.start());
    const kubeconfig = cluster.file('kubeconfig', cluster.lab.kubeconfig);
    const ambient = { 'istio.io/dataplane-mode': 'ambient' };
    await cluster.put(namespace(NAMESPACE, ambient));
    await cluster.lab.load(podNames.flatMap((name, index) => [account(name, NAMESPACE), pod(name, index)]));
    const tokens = new Map<string, string>();
    for (const name of podNames) tokens.set(name, await cluster.token(`${NAMESPACE}/${name}`, { pod: name }));
    const replicas = new Map<string, ControlPlaneProcess>();
    starting.defer(async () => {
      for (const replica of replicas.values()) await replica[Symbol.asyncDispose]();
    });
    for (const name of ['istiod-0', 'istiod-1']) replicas.set(name, spawnReplica(kubeconfig, name, times));
    await Promise.all([...replicas.values()].map((replica) => replica.ready()));
    const endpoint = new InPodEndpoint(ISTIOD_PORT, (connection) => void relay(connection, replicas));
    starting.defer(() => endpoint.close());
    const mounted = starting.use(new MountedConfigMaps(cluster.client, NAMESPACE, cluster.folder));
    await waitFor(() => mounted.read('root-cert.pem'), 'the roots of the mesh', 30_000);
    const address = `https://localhost:${ISTIOD_PORT}`;
    const roots = join(mounted.folder, 'root-cert.pem');
    const mesh = await TestMesh.start({
      pods: Object.fromEntries(
        podNames.map((name) => [
          name,
          {
            workload: { namespace: NAMESPACE },
            env: { AUTH_TOKEN: tokens.get(name)!, POD_NAME: name, POD_NAMESPACE: NAMESPACE },
          },
        ]),
      ),
      env: {
        FAKE_CA: 'false',
        LOCAL_XDS_PATH: '',
        XDS_ADDRESS: address,
        XDS_ROOT_CA: roots,
        CA_ADDRESS: address,
        CA_ROOT_CA: roots,
        CRL_PATH: join(mounted.folder, 'ca-crl.pem'),
        SECRET_TTL: `${times.certificate}s`,
        ZTUNNEL_WORKER_THREADS: '1',
      },
      prepare: async (made) => {
        endpoint.open(Object.values(made.pods));
        // As the node agent sets it in captured pods: minutes of load from one address take more than its ports.
        for (const { netns } of Object.values(made.pods))
          await netns.sysctl({ 'net.ipv4.tcp_tw_reuse': '1' });
      },
    });
    starting.defer(() => mesh.destroy());
    const started = new TrustMesh({ cluster, mesh, mounted, tokens, kubeconfig, times, endpoint, replicas });
    await started.server.serve('echo', { port: ECHO_PORT });
    await started.server.serve('http-constant', { port: HTTP_PORT });
    starting.move();
    return started;
  }

  get client(): Pod {
    return this.mesh.pod('client');
  }

  get other(): Pod {
    return this.mesh.pod('other');
  }

  get server(): Pod {
    return this.mesh.pod('server');
  }

  /** Runs a command of an operator to its end. */
  async operate(...args: readonly string[]): Promise<CommandOutcome> {
    const { PATH } = process.env;
    const child = spawn(program, [...args, '--kubeconfig', this.#kubeconfig], {
      env: { PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
    this.#outputs.push(output);
    return { code, output };
  }

  /** Audit lines of certificates for a pod, of all replicas, oldest first. */
  certificatesOf(pod: Pod): readonly LogLine[] {
    return this.replicas()
      .flatMap((replica) =>
        replica.lines({ message: 'certificate issued', identity: `spiffe://${pod.principal}` }),
      )
      .toSorted((a, b) => String(a['notAfter']).localeCompare(String(b['notAfter'])));
  }

  /** Waits until a pod has got `count` more certificates. */
  async renewed(pod: Pod, count = 1): Promise<void> {
    const goal = this.certificatesOf(pod).length + count;
    await waitFor(() => this.certificatesOf(pod).length >= goal, `certificate of ${pod.name}`, 30_000);
  }

  /** Serial number of a certificate that a pod has just got, and that every worker of its proxy goes by. */
  async freshSerial(pod: Pod): Promise<string> {
    await this.renewed(pod);
    const serial = String(this.certificatesOf(pod).at(-1)!['serial']);
    const dumped = `"${BigInt(`0x${serial}`)}"`;
    const taken = async (): Promise<boolean> => (await pod.admin('/config_dump')).body.includes(dumped);
    await waitFor(taken, `the proxy of ${pod.name} to take certificate ${serial}`, 5000);
    return serial;
  }

  /** What the CA replies to a pod now. */
  async askForCertificate(pod: Pod): Promise<WorkloadCertificate> {
    const client = new CaClient({
      transport: new GrpcCaTransport({
        address: `https://localhost:${await this.#anyPort()}`,
        roots: { kind: 'pem', pem: this.mounted.read('root-cert.pem')! },
        altHostname: undefined,
        clock: realClock,
      }),
      token: { kind: 'literal', token: this.tokens.get(pod.name)! },
      clusterId: 'Kubernetes',
      headers: {},
      impersonate: false,
      ttlSeconds: this.#times.certificate,
      now: Date.now,
    });
    try {
      const { namespace, serviceAccount } = pod.workload;
      const identity = { trustDomain: 'cluster.local', namespace, serviceAccount };
      return await client.fetch(identity, AbortSignal.timeout(10_000));
    } finally {
      client.close();
    }
  }

  /** Puts a Secret into the control plane's namespace, or replaces its content. */
  async putSecret(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    const secrets = new KubeSecrets(this.cluster.client, 'istio-system');
    const found = await secrets.read(name);
    if (found === undefined) await secrets.create({ name, type: 'Opaque', files });
    else await secrets.replace(found, files);
  }

  /** All replicas that ever ran. */
  replicas(): readonly ControlPlaneProcess[] {
    return [...this.#ended, ...this.#replicas.values()];
  }

  replica(name: string): ControlPlaneProcess {
    return this.#replicas.get(name)!;
  }

  /** Name of the replica that leads, once there is one among those that run. */
  async leader(): Promise<string> {
    const lease = '/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/ambient-leader';
    const holder = async (): Promise<string | undefined> => {
      const found = await this.cluster.get<{ spec: { holderIdentity?: string } }>(lease);
      const name = found?.spec.holderIdentity ?? '';
      return this.#replicas.get(name)?.running === true ? name : undefined;
    };
    return waitFor(holder, 'a replica that runs to take the lead', 40_000);
  }

  async #anyPort(): Promise<number> {
    const running = [...this.#replicas.values()].find((each) => each.running)!;
    return (await running.serving()).grpc;
  }

  /** A replica dies without a word; its connections are reset. */
  kill(name: string): Promise<void> {
    return this.#end(name, 'SIGKILL');
  }

  /** A replica ends in good order. */
  end(name: string): Promise<void> {
    return this.#end(name, 'SIGTERM');
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const replica = this.replica(name);
    await replica.kill(signal);
    this.#ended.push(replica);
    this.#replicas.delete(name);
  }

  async startReplica(name: string): Promise<void> {
    const replica = spawnReplica(this.#kubeconfig, name, this.#times);
    this.#replicas.set(name, replica);
    await replica.ready();
  }

  /** Everything that anybody could read who has logs, dumps and the debug pages. */
  async everythingPrinted(): Promise<readonly string[]> {
    const pages: string[] = [];
    for (const replica of this.#replicas.values()) {
      const { monitoring } = await replica.serving();
      const read = async (path: string): Promise<string> =>
        (await fetch(`http://127.0.0.1:${monitoring}${path}`)).text();
      const index = await read('/debug');
      const paths = new Set([...index.matchAll(/\/debug\/[\w/-]+/g)].map(([path]) => path));
      pages.push(index);
      for (const path of ['/metrics', '/version', ...paths]) pages.push(await read(path));
    }
    return [
      ...this.#outputs,
      ...pages,
      ...this.replicas().flatMap((replica) => [
        replica.errors,
        ...replica.log.map((line) => JSON.stringify(line)),
      ]),
      ...Object.values(this.mesh.pods).flatMap((each) => each.proxy.lines),
    ];
  }

  /** Ends the mesh; the proxies must hold nothing that they did not hold at their start. */
  async stop(): Promise<void> {
    try {
      await this.#endpoint.close();
      await this.mesh.stop();
    } finally {
      await this.mesh.destroy();
      await this.mounted[Symbol.asyncDispose]();
      for (const replica of this.#replicas.values()) await replica[Symbol.asyncDispose]();
      await this.cluster[Symbol.asyncDispose]();
    }
  }
}

function spawnReplica(
  kubeconfig: string,
  name: string,
  { certificate, overlap }: TrustTimes,
): ControlPlaneProcess {
  return ControlPlaneProcess.spawn(kubeconfig, {
    POD_NAME: name,
    MAX_WORKLOAD_CERT_TTL: `${certificate}s`,
    DEFAULT_WORKLOAD_CERT_TTL: `${certificate}s`,
    CA_ROOT_OVERLAP: `${overlap}s`,
  });
}

/** The turn of the next connection, as a Service spreads them. */
let turn = 0;

async function relay(connection: Socket, replicas: ReadonlyMap<string, ControlPlaneProcess>): Promise<void> {
  const running = [...replicas.values()].filter(
    (each) => each.running && each.lines({ message: 'serving' }).length > 0,
  );
  turn += 1;
  const replica = running[turn % Math.max(1, running.length)];
  if (replica === undefined) {
    connection.resetAndDestroy();
    return;
  }
  const { grpc } = await replica.serving();
  const upstream = connect({ host: '127.0.0.1', port: grpc, allowHalfOpen: true, noDelay: true });
  for (const [from, to] of [
    [connection, upstream],
    [upstream, connection],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

function pod(name: string, index: number): JsonObject {
  const ips = [`10.77.0.${index + 1}`, `fd77::${index + 1}`];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, annotations: { 'ambient.istio.io/redirection': 'enabled' } },
    spec: {
      nodeName: `${name}-node`,
      serviceAccountName: name,
      containers: [{ name: 'c', image: 'i' }],
    },
    status: {
      phase: 'Running',
      podIP: ips[0]!,
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
}
