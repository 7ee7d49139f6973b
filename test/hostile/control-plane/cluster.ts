import { KubeConfig } from '@kubernetes/client-node';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabApi } from '@ambient/lab';
import type { JsonObject, LabApiOptions } from '@ambient/lab';

import { KubeClient, KubeConnection, KubeStatusError, kindResources, resourcePath } from '@ambient/kube';
import type { KindName } from '@ambient/kube';

/** Definitions of every custom kind, without a schema: whatever is written is taken. */
const openDefinitions: readonly JsonObject[] = Object.entries(kindResources).flatMap(
  ([kind, { group, versions, plural, namespaced, custom }]) =>
    custom
      ? [
          {
            apiVersion: 'apiextensions.k8s.io/v1',
            kind: 'CustomResourceDefinition',
            metadata: {
              name: `${plural}.${group}`,
              annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' },
            },
            spec: {
              group,
              scope: namespaced ? 'Namespaced' : 'Cluster',
              names: { plural, kind, singular: kind.toLowerCase() },
              versions: [
                {
                  name: versions[0]!,
                  served: true,
                  storage: true,
                  subresources: { status: {} },
                  schema: {
                    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  },
                },
              ],
            },
          },
        ]
      : [],
);

/** An API server, a client that may do everything, and a folder for files. */
export class Cluster implements AsyncDisposable {
  readonly client: KubeClient;
  readonly folder: string;
  readonly #options: Partial<LabApiOptions>;
  readonly #connection: KubeConnection;
  #lab: LabApi;

  private constructor(lab: LabApi, options: Partial<LabApiOptions>) {
    this.#lab = lab;
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), 'hostile-control-plane-'));
    const config = new KubeConfig();
    config.loadFromString(lab.kubeconfig);
    this.#connection = new KubeConnection(config);
    this.client = new KubeClient(this.#connection);
  }

  static async start(options: Partial<LabApiOptions> = {}): Promise<Cluster> {
    const lab = await LabApi.start({ host: '127.0.0.1', port: 0, ...options });
    const cluster = new Cluster(lab, options);
    await lab.load([...openDefinitions, namespace('istio-system'), namespace('shop')]);
    return cluster;
  }

  get lab(): LabApi {
    return this.#lab;
  }

  /**
   * Ends the API server and starts another on the same port, with what is on its disk.
   *
   * @param between called while neither runs
   */
  async restart(between: () => void = () => {}): Promise<void> {
    const port = Number(new URL(this.#lab.url).port);
    await this.#lab.stop();
    between();
    this.#lab = await LabApi.start({ host: '127.0.0.1', ...this.#options, port });
  }

  /** Writes a kubeconfig. @returns the file */
  file(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  async get<T = JsonObject>(path: string): Promise<T | undefined> {
    try {
      return await this.client.request<T>({ path });
    } catch (error) {
      if (error instanceof KubeStatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Creates an object of a kind that the mesh is made of, or replaces it. */
  async put(object: JsonObject): Promise<void> {
    const path = this.#pathOf(object);
    const found = await this.get<{ metadata: { resourceVersion: string } }>(path);
    if (found === undefined) {
      const collection = path.slice(0, path.lastIndexOf('/'));
      await this.client.request({ method: 'POST', path: collection, body: object });
      return;
    }
    const { resourceVersion } = found.metadata;
    const metadata = { ...(object['metadata'] as JsonObject), resourceVersion };
    await this.client.request({ method: 'PUT', path, body: { ...object, metadata } });
  }

  async delete(object: JsonObject): Promise<void> {
    await this.client.request({ method: 'DELETE', path: this.#pathOf(object) });
  }

  /** The certificate in the CA's own Secret, PEM. */
  async roots(): Promise<string> {
    const path = '/api/v1/namespaces/istio-system/secrets/istio-ca-secret';
    const secret = await this.get<{ data: Record<string, string> }>(path);
    return Buffer.from(secret?.data['ca-cert.pem'] ?? '', 'base64').toString();
  }

  /** A token of an account (TokenRequest), bound to a pod if one is named. */
  async token(
    account: string,
    options: { readonly audience?: string; readonly pod?: string; readonly seconds?: number } = {},
  ): Promise<string> {
    const [ns = '', name = ''] = account.split('/');
    const { audience = 'istio-ca', pod, seconds } = options;
    const { status } = await this.client.request<{ status: { token: string } }>({
      method: 'POST',
      path: `/api/v1/namespaces/${ns}/serviceaccounts/${name}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: [audience],
          ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
          ...(pod === undefined ? {} : { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod } }),
        },
      },
    });
    return status.token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection[Symbol.dispose]();
    await this.lab.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #pathOf(object: JsonObject): string {
    const { kind, apiVersion, metadata } = object as {
      readonly kind: KindName;
      readonly apiVersion: string;
      readonly metadata: { readonly name: string; readonly namespace?: string };
    };
    const version = apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
    return resourcePath(kindResources[kind], version, metadata.namespace, metadata.name);
  }
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { ...labels } } };
}

export function account(name: string, ns = 'shop'): JsonObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: ns } };
}

/** The name under which a pod is served. */
export function uidOf(pod: string, ns = 'shop'): string {
  return `Kubernetes//Pod/${ns}/${pod}`;
}

/** A pod that runs, captured by a node agent. */
export function pod(
  name: string,
  index: number,
  options: {
    readonly ns?: string;
    readonly node?: string;
    readonly account?: string;
    readonly app?: string;
  } = {},
): JsonObject {
  const { ns = 'shop', node = 'n1', account: serviceAccountName = 'default', app = 'web' } = options;
  const ip = `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: ns,
      labels: { app },
      annotations: { 'ambient.istio.io/redirection': 'enabled' },
    },
    spec: { nodeName: node, serviceAccountName, containers: [{ name: 'c', image: 'i' }] },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  };
}

export function service(name: string, ns = 'shop'): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: ns },
    spec: { ports: [{ name: 'http', port: 80 }], selector: { app: name } },
  };
}

export function policy(name: string, spec: JsonObject = { action: 'DENY' }, ns = 'shop'): JsonObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: ns },
    spec,
  };
}

export function serviceEntry(name: string, spec: JsonObject, ns = 'shop'): JsonObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace: ns },
    spec,
  };
}
