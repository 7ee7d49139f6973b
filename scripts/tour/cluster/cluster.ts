import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetnsLab } from '@ambient/testkit/lab';
import type { Pod } from '../../../test/netns/harness/index.ts';
import { appCommand } from '../apps/command.ts';
import { FrontDoor } from './front-door.ts';
import { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-client.ts';
import { clusterObjects } from './objects.ts';
import type { PodObject, ServiceObject } from './objects.ts';
import { Operator } from './operator.ts';
import { PolicyWatch } from './policy-watch.ts';

const API_PORT = 6443;
const DISCOVERY_PORT = 15_012;
const SYSTEM_NAMESPACE = 'istio-system';
/** The name in the control plane's certificate that proxies go by, as they call it by its address. */
const CONTROL_PLANE_NAME = 'istiod.istio-system.svc';
const ROOT_CONFIG_MAP = 'istio-ca-root-cert';
const TOKEN_AUDIENCE = 'istio-ca';
/** The tour may stay on a terminal for long, and nobody renews tokens as a kubelet would. */
const TOKEN_SECONDS = 30 * 24 * 3600;
const START_DEADLINE_MS = 20_000;

const repository = join(import.meta.dirname, '..', '..', '..');

export interface ClusterSpec {
  readonly lab: NetnsLab;
  /** The namespace where the API and the control plane run. */
  readonly host: Pod;
  readonly pods: readonly PodObject[];
  readonly services: readonly ServiceObject[];
}

/**
 * A Kubernetes API with the objects of the tour, and the control plane of the mesh: each a program in the pod `host`.
 * Everything ends with the lab, but the front door, which ends here.
 */
export class Cluster implements Disposable {
  readonly api: KubeClient;
  readonly operator: Operator;
  readonly policies: PolicyWatch;
  /** Kubeconfig of a user who may do everything, for programs in the tour's own network namespace. */
  readonly kubeconfig: string;
  readonly #owned: DisposableStack;

  private constructor(api: KubeClient, operator: Operator, kubeconfig: string, owned: DisposableStack) {
    this.api = api;
    this.operator = operator;
    this.kubeconfig = kubeconfig;
    this.#owned = owned;
    this.policies = new PolicyWatch(api);
  }

  /** Resolves when the control plane serves the mesh and has made its root certificate known. */
  static async start(spec: ClusterSpec): Promise<Cluster> {
    const { lab, host } = spec;
    const inLab = (name: string): string => join(lab.directory, name);
    using starting = new DisposableStack();
    const door = starting.use(await FrontDoor.open(inLab('kube-api.sock')));
    writeFileSync(inLab('objects.json'), JSON.stringify(clusterObjects(spec.pods, spec.services)));
    const kubeconfig = inLab('kubeconfig');
    const doorway = { socket: inLab('kube-api.sock'), host: host.ipv4, port: API_PORT };
    const [server, opened] = await Promise.all([
      host.spawn(
        appCommand('kube-api', {
          host: host.ipv4,
          port: API_PORT,
          load: [...globSync(join(repository, 'charts/base/crds/*.yaml')), inLab('objects.json')],
          admin: kubeconfig,
          'outside-url': door.url,
          'control-plane': inLab('control-plane.kubeconfig'),
        }),
        { name: 'kube-api' },
      ),
      host.spawn(appCommand('door', doorway), { name: 'kube-api-door' }),
    ]);
    await Promise.all([server.waitForLine(/^ready$/, START_DEADLINE_MS), opened.waitForLine(/^ready$/)]);
    const api = starting.use(new KubeClient(readFileSync(kubeconfig, 'utf8')));
    const operator = new Operator(lab, api, kubeconfig, process.env['PATH'] ?? '');
    await startControlPlane(spec, api);
    return new Cluster(api, operator, kubeconfig, starting.move());
  }

  /** What a proxy of the pod is started with, to be told of the mesh by the control plane, and to be signed for by it. */
  static proxySettings(name: string, namespace: string, host: string): Readonly<Record<string, string>> {
    const address = `https://${host}:${DISCOVERY_PORT}`;
    return {
      XDS_ADDRESS: address,
      ALT_XDS_HOSTNAME: CONTROL_PLANE_NAME,
      XDS_ROOT_CA: './root-cert.pem',
      CA_ADDRESS: address,
      ALT_CA_HOSTNAME: CONTROL_PLANE_NAME,
      CA_ROOT_CA: './root-cert.pem',
      AUTH_TOKEN: `./tokens/${name}`,
      FAKE_CA: 'false',
      LOCAL_XDS_PATH: '',
      POD_NAME: name,
      POD_NAMESPACE: namespace,
      SERVICE_ACCOUNT: name,
    };
  }

  /** Merges `patch` into an object, as a node agent or an operator would. */
  patch(path: string, patch: unknown): Promise<KubeObject> {
    const contentType = 'application/merge-patch+json';
    return this.api.call({ method: 'PATCH', path, body: patch, contentType });
  }

  /** The roots that proxies trust, PEM. */
  async rootCertificates(): Promise<string> {
    const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/configmaps/${ROOT_CONFIG_MAP}`;
    return rootsOf(await this.api.call<KubeObject>({ method: 'GET', path }));
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** Resolves when the control plane serves; files with the tokens of the pods and with the root are there then. */
async function startControlPlane({ lab, host, pods }: ClusterSpec, api: KubeClient): Promise<void> {
  const program = join(repository, 'packages', 'control-plane', 'bin', 'control-plane');
  const kubeconfig = join(lab.directory, 'control-plane.kubeconfig');
  const env = { POD_NAME: host.name, LOG_FORMAT: 'json' };
  const controlPlane = await host.spawn([program, '--kubeconfig', kubeconfig], {
    name: 'control-plane',
    env,
  });
  mkdirSync(join(lab.directory, 'tokens'));
  const meshPods = pods.filter(({ pod }) => pod !== host);
  await Promise.all([
    controlPlane.waitForLine(/"the mesh is known"/, START_DEADLINE_MS),
    ...meshPods.map(async ({ namespace, pod }) => {
      const token = await requestToken(api, namespace, pod);
      writeFileSync(join(lab.directory, 'tokens', pod.name), token, { mode: 0o600 });
    }),
  ]);
  const roots = await api.until(
    `/api/v1/configmaps?fieldSelector=metadata.name%3D${ROOT_CONFIG_MAP}`,
    `ConfigMap ${ROOT_CONFIG_MAP} of the control plane`,
    ({ metadata }) => metadata.namespace === SYSTEM_NAMESPACE,
  );
  writeFileSync(join(lab.directory, 'root-cert.pem'), rootsOf(roots));
}

/** A token bound to the pod, such as its kubelet would ask for. */
async function requestToken(api: KubeClient, namespace: string, { name, workload }: Pod): Promise<string> {
  const answer = await api.call<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${workload.serviceAccount}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: [TOKEN_AUDIENCE],
        expirationSeconds: TOKEN_SECONDS,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name },
      },
    },
  });
  return answer.status.token;
}

function rootsOf(configMap: KubeObject): string {
  return (configMap['data'] as Readonly<Record<string, string>>)['root-cert.pem'] ?? '';
}
