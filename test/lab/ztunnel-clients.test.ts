// ztunnel's own clients against the control plane, over TLS and with tokens such as a kubelet mounts: alone beside its pod
// (dedicated), for the pods of a node (shared), and on demand.
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { CaClient, CaError, GrpcCaTransport } from '@ambient/identity';
import type { WorkloadCertificate } from '@ambient/identity';
import type { MeshUpdate } from '@ambient/mesh';
import { Logger, LogLevels, realClock, silentSink } from '@ambient/runtime';
import { DeltaClient, discoveryNode, GrpcTransport } from '@ambient/xds';

import type { KubeObject } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { pathOf, TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';

const namespace = `clients-${process.pid}`;
const log = new Logger(new LogLevels('error'), silentSink, 'test');
const identityOf = (serviceAccount: string) => ({ trustDomain: 'cluster.local', namespace, serviceAccount });

/** A pod that runs, as the API knows it. */
interface RunningPod {
  readonly name: string;
  readonly node: string;
  readonly account: string;
  readonly uid: string;
}

describe("ztunnel's clients and the control plane", function () {
  this.timeout(60_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;
  let roots: string;
  const pods: Record<'ztunnel' | 'web' | 'far', RunningPod> = {} as never;
  const nodes = ['n1', 'n2'].map((name): Manifest => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `${name}-${process.pid}` },
  }));
  const [near = '', away = ''] = nodes.map(({ metadata }) => metadata.name);

  before(async () => {
    api = await TestApi.start();
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (const node of nodes) await api.create(node);
    pods.ztunnel = await run('ztunnel', near, '10.8.0.1');
    pods.web = await run('web', near, '10.8.0.2');
    pods.far = await run('far', away, '10.8.0.3');
    controlPlane = await runControlPlane(api, { CA_TRUSTED_NODE_ACCOUNTS: `${namespace}/ztunnel` });
    roots = await waitFor(async () => {
      const map: Manifest = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'istio-ca-root-cert', namespace },
      };
      return (await api.find<KubeObject & { data: Record<string, string> }>(map))?.data['root-cert.pem'];
    }, 'roots');
  });

  after(async () => {
    for (const { name } of Object.values(pods))
      await api.delete({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } });
    for (const node of nodes) await api.delete(node);
    await api.deleteNamespace(namespace);
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  async function run(name: string, node: string, podIP: string): Promise<RunningPod> {
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    const pod: Manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { nodeName: node, serviceAccountName: name, containers: [{ name: 'c', image: 'none' }] },
    };
    const { metadata } = await api.create(pod);
    await api.patch(pod, { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } }, 'status');
    return { name, node, account: name, uid: metadata.uid };
  }

  /** What a kubelet mounts into a pod. */
  async function tokenOf({ name, account, uid }: RunningPod, audience = 'istio-ca'): Promise<string> {
    const owner: Manifest = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: account, namespace },
    };
    const { status } = await api.request<{ status: { token: string } }>({
      method: 'POST',
      path: `${pathOf(owner)}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: [audience],
          expirationSeconds: 3600,
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
        },
      },
    });
    return status.token;
  }

  const address = (): string => `https://localhost:${controlPlane.ports.secureGrpc}`;

  async function certificate(
    pod: RunningPod,
    serviceAccount: string,
    { impersonate = true, audience = 'istio-ca' } = {},
  ): Promise<WorkloadCertificate> {
    const client = new CaClient({
      transport: new GrpcCaTransport({
        address: address(),
        roots: { kind: 'pem', pem: roots },
        altHostname: undefined,
        clock: realClock,
      }),
      token: { kind: 'literal', token: await tokenOf(pod, audience) },
      clusterId: 'Kubernetes',
      headers: {},
      impersonate,
      ttlSeconds: 3600,
      now: () => realClock.nowMs(),
    });
    try {
      return await client.fetch(identityOf(serviceAccount));
    } finally {
      client.close();
    }
  }

  /** What the CA says to somebody whom it does not believe (UNAUTHENTICATED, as istiod). */
  async function refusal(attempt: Promise<WorkloadCertificate>): Promise<string> {
    try {
      await attempt;
    } catch (error) {
      expect(error).to.be.instanceOf(CaError).with.property('code', 'ca-unauthenticated');
      return (error as CaError).message;
    }
    throw new Error('a certificate was issued');
  }

  interface Subscriber extends Disposable {
    readonly client: DeltaClient;
    readonly updates: MeshUpdate[];
    readonly ready: Promise<void>;
  }

  function subscribe(
    pod: RunningPod,
    token: string,
    options: { onDemand?: boolean; nodeName?: string; podName?: string } = {},
  ): Subscriber {
    const updates: MeshUpdate[] = [];
    const ready = Promise.withResolvers<void>();
    const { node } = discoveryNode({
      instanceIp: '10.8.0.1',
      podName: options.podName ?? pod.name,
      podNamespace: namespace,
      nodeName: options.nodeName ?? pod.node,
    });
    const client = new DeltaClient({
      transport: new GrpcTransport({
        address: address(),
        trust: { rootCa: roots },
        headers: () => ({ authorization: `Bearer ${token}`, clusterid: 'Kubernetes' }),
      }),
      node,
      onDemand: options.onDemand ?? false,
      onUpdate: (changed) => void updates.push(...changed),
      onReady: () => ready.resolve(),
      log,
    });
    client.start();
    return { client, updates, ready: ready.promise, [Symbol.dispose]: () => client.stop() };
  }

  const workloadsIn = ({ updates }: Subscriber): string[] =>
    updates.flatMap((update) =>
      update.kind === 'workload' && update.workload.namespace === namespace ? [update.workload.name] : [],
    );

  const refusedFor = (subscriber: Subscriber): Promise<string> =>
    waitFor(() => {
      const { lastError } = subscriber.client.status();
      return Promise.resolve(lastError === '' ? undefined : lastError);
    }, 'refusal of the stream');

  describe('certificates', () => {
    it('name the pod whose token asks, in dedicated mode', async () => {
      const { certificateChainPem, rootsPem } = await certificate(pods.web, 'web', { impersonate: false });
      expect(rootsPem.join('')).to.equal(roots);
      const leaf = new X509Certificate(certificateChainPem[0]!);
      expect(leaf.subjectAltName).to.contain(`spiffe://cluster.local/ns/${namespace}/sa/web`);
      expect(leaf.verify(new X509Certificate(roots).publicKey)).to.equal(true);
    });

    it('are given to a node agent for the pods of its node', async () => {
      const { certificateChainPem } = await certificate(pods.ztunnel, 'web');
      const { subjectAltName } = new X509Certificate(certificateChainPem[0]!);
      expect(subjectAltName).to.contain(`spiffe://cluster.local/ns/${namespace}/sa/web`);
    });

    it('are refused to a node agent for the pods of another node', async () => {
      expect(await refusal(certificate(pods.ztunnel, 'far'))).to.match(/no such pod is on its node/);
    });

    it('are refused to a pod for another', async () => {
      expect(await refusal(certificate(pods.web, 'far'))).to.match(/the caller is no node agent/);
    });

    it('are refused to a token for another audience', async () => {
      const attempt = certificate(pods.web, 'web', { impersonate: false, audience: 'somebody-else' });
      expect(await refusal(attempt)).to.match(/not made for audience istio-ca/);
    });
  });

  describe('discovery', () => {
    it('tells a ztunnel the whole mesh', async () => {
      using subscriber = subscribe(pods.ztunnel, await tokenOf(pods.ztunnel));
      await subscriber.ready;
      expect(workloadsIn(subscriber)).to.include.members(['ztunnel', 'web', 'far']);
    });

    it('tells a ztunnel on demand what it asks for, and what is on its node', async () => {
      using subscriber = subscribe(pods.ztunnel, await tokenOf(pods.ztunnel), { onDemand: true });
      await subscriber.ready;
      const answered = Promise.withResolvers<void>();
      using _demand = subscriber.client.demand('/10.8.0.3', () => answered.resolve());
      await answered.promise;
      expect(workloadsIn(subscriber)).to.include('far');
      const unknown = Promise.withResolvers<void>();
      using _unknown = subscriber.client.demand('/10.8.0.99', () => unknown.resolve());
      await unknown.promise;
      expect(workloadsIn(subscriber)).to.include.members(['ztunnel', 'web']);
    });

    it('refuses a client that says to be on a node where its pod is not', async () => {
      using subscriber = subscribe(pods.ztunnel, await tokenOf(pods.ztunnel), { nodeName: away });
      expect(await refusedFor(subscriber)).to.contain(away);
    });

    it('refuses a token for another audience', async () => {
      using subscriber = subscribe(pods.ztunnel, await tokenOf(pods.ztunnel, 'somebody-else'));
      expect(await refusedFor(subscriber)).to.match(/UNAUTHENTICATED|audience/i);
    });
  });
});
