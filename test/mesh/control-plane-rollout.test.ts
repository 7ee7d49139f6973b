import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { MESH_NAMESPACE } from '@ambient/lab/cluster';
import { reaches } from '../netns/function/call.ts';
import { HttpLoad } from '../netns/function/http-load.ts';
import type { MeshPod, PodObject } from './harness/index.ts';
import {
  authorization,
  authorizationPolicies,
  ECHO_PORT,
  HTTP_PORT,
  MeshCluster,
  SHOP,
  waitFor,
} from './harness/index.ts';

const deployment = `/apis/apps/v1/namespaces/${MESH_NAMESPACE}/deployments/istiod`;
const lease = `/apis/coordination.k8s.io/v1/namespaces/${MESH_NAMESPACE}/leases/ambient-leader`;
/** A kubelet tells of a change at once, and of a probe that failed after seconds. */
const LOOK_MS = 100;
const pods = `/api/v1/namespaces/${MESH_NAMESPACE}/pods`;

interface DeploymentStatus {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

/** Looks at the node proxies again and again, and notes every time that one was not ready. */
class ReadinessWatch implements AsyncDisposable {
  readonly lapses: string[] = [];
  readonly #mesh: MeshCluster;
  #over = false;
  readonly #watching: Promise<void>;

  constructor(mesh: MeshCluster) {
    this.#mesh = mesh;
    this.#watching = this.#watch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for (; !this.#over; await pause(LOOK_MS)) {
      const found = await this.#mesh.list(pods, { labelSelector: 'app=ztunnel' });
      if (found.length !== 2) this.lapses.push(`${found.length} ztunnels`);
      for (const { metadata, status } of found) {
        const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status;
        if (ready !== 'True') this.lapses.push(`${metadata.name} Ready=${ready}`);
      }
    }
  }
}

describe('two replicas of the control plane', () => {
  let mesh: MeshCluster;
  let client: MeshPod;
  let near: MeshPod;
  let far: MeshPod;
  let turns = 0;

  before(async function () {
    this.timeout(90_000);
    mesh = await MeshCluster.start();
    await mesh.patch(deployment, { spec: { replicas: 2 } });
    await mesh.enrol(SHOP);
    [client, near, far] = await Promise.all([
      mesh.run('client', { node: 'node-1' }),
      mesh.run('near', { node: 'node-1' }),
      mesh.run('far', { node: 'node-2' }),
    ]);
    await Promise.all(['client', 'near', 'far'].map((name) => mesh.captured(name)));
    await rolledOut(2);
    await waitFor(() => reaches(client, far.ipv4, ECHO_PORT), 'the mesh to carry');
  });
  after(async function () {
    this.timeout(20_000);
    await mesh?.[Symbol.asyncDispose]();
  });

  async function rolledOut(replicas: number): Promise<void> {
    await waitFor(
      async () => {
        const { metadata, status = {} } = await mesh.get<DeploymentStatus>(deployment);
        return (
          status.observedGeneration === metadata.generation &&
          (status.updatedReplicas ?? 0) === replicas &&
          (status.readyReplicas ?? 0) === replicas &&
          (status.replicas ?? 0) === replicas
        );
      },
      `${replicas} replicas to be ready`,
      40_000,
    );
  }

  const replicas = async (): Promise<PodObject[]> =>
    (await mesh.list(pods, { labelSelector: 'app=istiod' })).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );

  const leader = async (): Promise<string> =>
    (await mesh.get<{ spec?: { holderIdentity?: string } }>(lease)).spec?.holderIdentity ?? '';

  /** Its process ends without a word. */
  function kill({ metadata, spec }: PodObject): void {
    const processes = mesh.host(spec.nodeName!, 'proc');
    const slice = metadata.uid.replaceAll('-', '_');
    const pid = readdirSync(processes).find(
      (entry) =>
        readFileSync(join(processes, entry, 'cgroup'), 'utf8').includes(slice) &&
        readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes('control-plane'),
    );
    process.kill(Number(pid), 'SIGKILL');
  }

  /** A policy reaches both ztunnels: what it forbids is refused by the one of `near` and by the one of `far`, and then no more. */
  async function steers(): Promise<number> {
    const startedMs = performance.now();
    const name = `turn-${++turns}`;
    for (const pod of [near, far])
      // A replica that has just ended may still be asked to admit it.
      await waitFor(
        () =>
          mesh.apply(authorization(`${name}-${pod.name}`, pod.name, 'DENY', [client.account])).then(
            () => true,
            () => false,
          ),
        'the policy to be admitted',
      );
    for (const pod of [near, far])
      await waitFor(async () => !(await reaches(client, pod.ipv4, ECHO_PORT)), `a DENY on ${pod.name}`);
    const tookMs = performance.now() - startedMs;
    for (const pod of [near, far]) await mesh.remove(`${authorizationPolicies}/${name}-${pod.name}`);
    for (const pod of [near, far])
      await waitFor(() => reaches(client, pod.ipv4, ECHO_PORT), `an end of the DENY on ${pod.name}`);
    return tookMs;
  }

  /** Requests that no policy of `steers` concerns go on meanwhile, and none fails; no ztunnel becomes unready. */
  async function unnoticed(what: () => Promise<void>): Promise<void> {
    const load = new HttpLoad([near], far.ipv4, HTTP_PORT);
    const readiness = new ReadinessWatch(mesh);
    try {
      await load.round();
      await what();
      await load.round();
    } finally {
      await load.stop();
      await readiness[Symbol.asyncDispose]();
    }
    expect(readiness.lapses).to.deep.equal([]);
    expect(load.failures).to.deep.equal([]);
    expect(load.answers).to.be.greaterThan(20);
  }

  it('the one that leads is killed: proxies go on with the other, which takes the lead', async function () {
    this.timeout(60_000);
    const first = await waitFor(leader, 'a leader');
    await unnoticed(async () => {
      kill((await replicas()).find(({ metadata }) => metadata.name === first)!);
      expect(await steers()).to.be.lessThan(10_000);
    });
    await rolledOut(2);
  });

  it('are replaced one after the other, without a failed request and without a gap in what they tell', async function () {
    this.timeout(60_000);
    const before = (await replicas()).map(({ metadata }) => metadata.name);
    await unnoticed(async () => {
      await mesh.patch(deployment, {
        spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } } },
      });
      await rolledOut(2);
      await steers();
    });
    const after = (await replicas()).map(({ metadata }) => metadata.name);
    expect(after.filter((name) => before.includes(name))).to.deep.equal([]);
    await waitFor(async () => after.includes(await leader()), 'a new replica to lead');
  });
});
