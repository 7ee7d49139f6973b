import { request } from 'node:http';
import { join } from 'node:path';
import { applyRedirect, clearRedirect } from '@ambient/testkit/lab';
import type { LabProcess } from '@ambient/testkit/lab';
import { TestMesh } from '../../test/netns/harness/index.ts';
import type { HttpAnswer, Pod, PodSpec } from '../../test/netns/harness/index.ts';
import { appCommand } from './apps/command.ts';
import { Cluster } from './cluster/cluster.ts';
import type { ClusterSpec } from './cluster/cluster.ts';
import { DATAPLANE_MODE, REDIRECTION } from './cluster/objects.ts';
import { readManifest } from './cluster/operator.ts';
import { describePolicy } from './cluster/policy-watch.ts';

/** Where the catalog's two servers listen. */
export const PRICE_PORT = 8080;
export const FEED_PORT = 9000;
/** Address of the Service `shop/catalog`. */
export const FEED_ADDRESS = '10.96.0.20';
const SERVICE_RANGE = '10.96.0.0/16';
const ADMIN_PORT = 15_000;

/** Stands in the request and in the answer, and is looked for on the wire. */
export const SECRET = 'MARZIPAN-2741';
export const ANSWER = `a teapot is 41 coins, 9 with coupon ${SECRET}`;

const ADMIN_DEADLINE_MS = 5000;
const LEARN_DEADLINE_MS = 5000;

/** The admin port of a proxy gave no answer of use. */
export class AdminCallError extends Error {
  override readonly name = 'AdminCallError';
  readonly code = 'ERR_ADMIN_CALL';
}

/** What of a proxy's /config_dump the tour goes by. */
interface MeshPage {
  readonly workloads: readonly { readonly name: string; readonly protocol: string }[];
  readonly services: readonly { readonly hostname: string }[];
  readonly policies: readonly { readonly namespace: string; readonly name: string }[];
}

/** When a change of the cluster began, and when the API told of it. */
export interface ChangeTimes {
  readonly startedMs: number;
  readonly toldMs: number;
}

const APP_IMAGE = 'example.com/shop:1';
const CONTROL_PLANE_IMAGE = 'example.com/control-plane:1';
/** What of the cluster is in the mesh. */
const MESH_NAMESPACES = ['shop', 'guest'];
const CONTROL_PLANE = 'control-plane';
/** Of the fourth namespace that the network joins. */
const CONTROL_PLANE_ADDRESS = '10.77.0.4';

/**
 * The three pods that the tour is about, a shop of two and a guest that has no business there, and the cluster that they
 * are part of.
 */
export class Scene {
  readonly mesh: TestMesh;
  readonly cluster: Cluster;
  readonly checkout: Pod;
  readonly catalog: Pod;
  readonly intruder: Pod;

  private constructor(mesh: TestMesh, cluster: Cluster) {
    this.mesh = mesh;
    this.cluster = cluster;
    this.checkout = mesh.pod('checkout');
    this.catalog = mesh.pod('catalog');
    this.intruder = mesh.pod('intruder');
  }

  /** Starts the cluster, pods, proxies and the catalog's servers. Nothing is sent through the proxies yet. */
  static async start(onProgress: (text: string) => void): Promise<Scene> {
    const pod = (name: string, namespace: string, node: string): PodSpec => ({
      workload: { namespace, node },
      captured: false,
      originalSource: true,
      env: Cluster.proxySettings(name, namespace, CONTROL_PLANE_ADDRESS),
    });
    await using starting = new AsyncDisposableStack();
    let cluster: Cluster | undefined;
    const mesh = await TestMesh.start({
      pods: {
        checkout: pod('checkout', 'shop', 'node-1'),
        catalog: pod('catalog', 'shop', 'node-2'),
        intruder: pod('intruder', 'guest', 'node-1'),
        [CONTROL_PLANE]: {
          proxy: false,
          workload: { namespace: 'istio-system', serviceAccount: 'istiod', node: 'node-1' },
        },
      },
      // A tunnel that stays for the whole tour is one handshake less to wonder about in the recording.
      env: { POOL_UNUSED_RELEASE_TIMEOUT: '5m', ZTUNNEL_WORKER_THREADS: '1' },
      async prepare(ready) {
        onProgress('starting a Kubernetes API and the control plane');
        cluster = starting.use(await Cluster.start(clusterOf(ready)));
        onProgress('starting the proxies of three pods');
      },
    });
    starting.defer(() => mesh.destroy());
    const scene = new Scene(mesh, cluster!);
    await Promise.all([
      scene.catalog.serve('http-constant', { port: PRICE_PORT, body: ANSWER }),
      scene.catalog.serve('echo', { port: FEED_PORT }),
      ...scene.pods.map((each) => scene.#openAdminDoor(each)),
      // The addresses of Services are nobody's: connections to them only have to leave the application.
      ...scene.pods.map(({ netns }) => netns.must(['ip', 'route', 'add', SERVICE_RANGE, 'dev', 'eth0'])),
    ]);
    starting.move();
    return scene;
  }

  get pods(): readonly Pod[] {
    return [this.checkout, this.catalog, this.intruder];
  }

  /** Says that the pods' namespaces are in the mesh, as an operator does, and returns how. */
  labelNamespaces(): Promise<string> {
    return this.cluster.operator.labelNamespaces(MESH_NAMESPACES, DATAPLANE_MODE, 'ambient');
  }

  /**
   * Puts the redirection of connections into pods, or takes it away, as a node agent does, and tells the API. Resolves when
   * every proxy has learned of it from the control plane.
   */
  async setCapture(on: boolean, pods = this.pods): Promise<void> {
    const { addresses } = this.mesh.pod(CONTROL_PLANE).netns;
    const redirect = {
      outbound: [{ toPort: 15_001 }],
      excludedCidrs: addresses,
      inboundPort: 15_006,
      originalSource: true,
    };
    if (on) await Promise.all(pods.map(({ netns }) => applyRedirect(netns, redirect)));
    await Promise.all(
      pods.map(({ name, workload: { namespace } }) =>
        this.cluster.patch(`/api/v1/namespaces/${namespace}/pods/${name}`, {
          metadata: { annotations: { [REDIRECTION]: on ? 'enabled' : null } },
        }),
      ),
    );
    const protocol = on ? 'HBONE' : 'TCP';
    await this.#learned(({ workloads }) =>
      pods.every((pod) => workloads.some((each) => each.name === pod.name && each.protocol === protocol)),
    );
    if (!on) await Promise.all(pods.map(({ netns }) => clearRedirect(netns)));
  }

  /** The request that an application of the pod makes: plain HTTP, knowing of no mesh. */
  askPrice(from: Pod): Promise<HttpAnswer> {
    return from.get(this.priceUrl);
  }

  get priceUrl(): string {
    return `http://${this.catalog.ipv4}:${PRICE_PORT}/price?item=teapot&coupon=${SECRET}`;
  }

  /**
   * Starts a client in the pod that holds a connection to the catalog's feed, by the address of its Service or, for a pod
   * outside of the mesh, by its own. The client prints `open` when it is answered; refused, it tries again.
   */
  startCall(from: Pod, host = FEED_ADDRESS): Promise<LabProcess> {
    return from.spawn(appCommand('open-call', { host, port: FEED_PORT }), { name: 'open-call' });
  }

  /** Keeps connections coming from a pod, for the live table. */
  startTraffic(from: Pod, calls: number): Promise<LabProcess> {
    const options = { host: FEED_ADDRESS, port: FEED_PORT, calls };
    return from.spawn(appCommand('background-traffic', options), { name: 'background-traffic' });
  }

  /** How `change` does it, for people. */
  describeChange(verb: 'apply' | 'delete', manifest: string): string {
    return this.cluster.operator.describe(verb, manifestPath(manifest));
  }

  /** Applies a manifest of `policies/`, or deletes what it describes. Times are those of `performance.now()`. */
  async change(verb: 'apply' | 'delete', manifest: string): Promise<ChangeTimes> {
    const { operator, policies } = this.cluster;
    const file = manifestPath(manifest);
    const told = policies.next(describePolicy(readManifest(file)).name);
    const startedMs = performance.now();
    await (verb === 'apply' ? operator.apply(file) : operator.remove(file));
    return { startedMs, toldMs: await told };
  }

  /** Resolves when every proxy goes by the policy, or no more. */
  policyHeld(name: string, held = true): Promise<void> {
    return this.#learned(
      ({ policies }) => policies.some((policy) => `${policy.namespace}/${policy.name}` === name) === held,
    );
  }

  /** What a proxy has been told of the mesh. @throws AdminCallError */
  async knownMesh(pod: Pod): Promise<MeshPage> {
    return (await this.admin(pod, '/config_dump')) as MeshPage;
  }

  /** Ends everything. */
  async destroy(): Promise<void> {
    this.cluster[Symbol.dispose]();
    await this.mesh.destroy();
  }

  async #learned(holds: (mesh: MeshPage) => boolean): Promise<void> {
    const deadline = performance.now() + LEARN_DEADLINE_MS;
    await Promise.all(
      this.pods.map(async (pod) => {
        while (!holds(await this.knownMesh(pod)))
          if (performance.now() > deadline)
            throw new AdminCallError(`the proxy of ${pod.name} was not told of the change in time`);
      }),
    );
  }

  /** GET on the admin port of a pod's proxy. @throws AdminCallError */
  admin(pod: Pod, path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        const problem = cause instanceof Error ? cause.message : String(cause);
        const { exit, lines } = pod.proxy;
        const message =
          exit === undefined
            ? `the admin port of ${pod.name} does not answer ${path} (${problem})`
            : `the proxy of ${pod.name} has ended (${exit.signal ?? `code ${exit.code ?? 0}`}); its last lines:\n${lines.slice(-15).join('\n')}`;
        reject(new AdminCallError(message, { cause }));
      };
      const options = { socketPath: this.#doorOf(pod), path, agent: false, timeout: ADMIN_DEADLINE_MS };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch (error) {
            fail(error);
          }
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${ADMIN_DEADLINE_MS} ms`)));
      call.on('error', fail);
      call.end();
    });
  }

  async #openAdminDoor(pod: Pod): Promise<void> {
    const door = await pod.spawn(appCommand('door', { socket: this.#doorOf(pod), port: ADMIN_PORT }), {
      name: 'admin-door',
    });
    await door.waitForLine(/^ready$/);
  }

  #doorOf(pod: Pod): string {
    return join(this.mesh.lab.directory, `${pod.name}.sock`);
  }
}

/** `namespace/name`, as operators name a pod. */
export function podName(pod: Pod): string {
  return `${pod.workload.namespace}/${pod.name}`;
}

/** The pod's identity as it stands in certificates and logs. */
export function spiffeId(pod: Pod): string {
  return `spiffe://${pod.principal}`;
}

/** Path of a manifest of the tour. */
export function manifestPath(name: string): string {
  return join(import.meta.dirname, 'policies', `${name}.yaml`);
}

function clusterOf(mesh: TestMesh): ClusterSpec {
  const inMesh = ['checkout', 'catalog', 'intruder'].map((name) => mesh.pod(name));
  const host = mesh.pod(CONTROL_PLANE);
  return {
    lab: mesh.lab,
    host,
    pods: [...inMesh, host].map((pod) => ({
      pod,
      namespace: pod.workload.namespace,
      image: pod === host ? CONTROL_PLANE_IMAGE : APP_IMAGE,
    })),
    services: [
      {
        namespace: 'shop',
        name: 'catalog',
        address: FEED_ADDRESS,
        ports: { price: PRICE_PORT, feed: FEED_PORT },
        target: mesh.pod('catalog'),
      },
    ],
  };
}
