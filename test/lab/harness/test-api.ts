/** The API server that a test runs against: the lab's, or the real one of KUBECONFIG. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabApi } from '@ambient/lab';
import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';
import { parseAllDocuments } from 'yaml';

import {
  KubeClient,
  KubeConnection,
  KubeStatusError,
  kindNames,
  kindResources,
  resourcePath,
} from '@ambient/kube';
import type { KindResource, KubeObject, KubeRequest } from '@ambient/kube';

const crdFolder = new URL('../../../charts/base/crds/', import.meta.url);

type Place = Pick<KindResource, 'group' | 'plural' | 'namespaced'>;

/** Kinds that tests use and the control plane does not follow. */
const furtherKinds: Readonly<Record<string, Place>> = {
  ServiceAccount: { group: '', plural: 'serviceaccounts', namespaced: true },
  Secret: { group: '', plural: 'secrets', namespaced: true },
  Lease: { group: 'coordination.k8s.io', plural: 'leases', namespaced: true },
  CustomResourceDefinition: {
    group: 'apiextensions.k8s.io',
    plural: 'customresourcedefinitions',
    namespaced: false,
  },
  ...Object.fromEntries(
    ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].map((kind) => [
      kind,
      {
        group: 'rbac.authorization.k8s.io',
        plural: `${kind.toLowerCase()}s`,
        namespaced: !kind.startsWith('Cluster'),
      },
    ]),
  ),
  ValidatingWebhookConfiguration: {
    group: 'admissionregistration.k8s.io',
    plural: 'validatingwebhookconfigurations',
    namespaced: false,
  },
};

/** What names an object. */
export interface ObjectName {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** An object as a test writes it: uid, age and the like are the server's. */
export type Manifest = ObjectName & { readonly apiVersion: string } & Readonly<Record<string, unknown>>;

export interface TestApiOptions {
  /** Without the CRDs of the mesh, on a lab. */
  readonly bare?: boolean;
  /** Always a lab, whatever KUBECONFIG says. */
  readonly lab?: boolean;
}

/** One API server with the CRDs of the mesh. Whoever starts it disposes it. */
export class TestApi implements AsyncDisposable {
  readonly client: KubeClient;
  readonly connection: KubeConnection;
  /** A kubeconfig of somebody who may do everything. */
  readonly kubeconfig: string;
  /** The lab, where it is one. */
  readonly lab: LabApi | undefined;
  readonly #clock: AdvancedClock;
  readonly #folder: string;

  private constructor(folder: string, kubeconfig: string, clock: AdvancedClock, lab: LabApi | undefined) {
    this.#folder = folder;
    this.kubeconfig = kubeconfig;
    this.#clock = clock;
    this.lab = lab;
    this.connection = KubeConnection.fromFile(kubeconfig);
    this.client = new KubeClient(this.connection);
  }

  static async start({ bare = false, lab: onlyLab = false }: TestApiOptions = {}): Promise<TestApi> {
    const clock = new AdvancedClock();
    const folder = await mkdtemp(join(tmpdir(), 'ambient-lab-test-'));
    const real = process.env['KUBECONFIG'];
    if (real !== undefined && real !== '' && !onlyLab) {
      const api = new TestApi(folder, real, clock, undefined);
      await api.#installCrds();
      await api.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } });
      return api;
    }
    const lab = await LabApi.start({
      host: '127.0.0.1',
      port: 0,
      clock,
      crdFiles: bare ? [] : crdFiles(),
      // As the API server of the recorded clusters.
      advertise: { address: '10.250.0.1', port: 16_443 },
    });
    const file = join(folder, 'kubeconfig');
    await writeFile(file, lab.kubeconfig, { mode: 0o600 });
    const api = new TestApi(folder, file, clock, lab);
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } });
    return api;
  }

  /** Its controllers run: it is a whole cluster, in which much happens by itself. */
  async hasControllers(): Promise<boolean> {
    if (this.lab !== undefined) return false;
    const lease: Manifest = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'kube-controller-manager', namespace: 'kube-system' },
    };
    return (await this.find(lease)) !== undefined;
  }

  request<T = KubeObject>(request: KubeRequest): Promise<T> {
    return this.client.request<T>(request);
  }

  create<T extends KubeObject = KubeObject>(object: Manifest): Promise<T> {
    return this.request<T>({ method: 'POST', path: collectionOf(object), body: object });
  }

  /** Creates it unless it is there. */
  async ensure(object: Manifest): Promise<void> {
    try {
      await this.create(object);
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
    }
  }

  get<T extends KubeObject = KubeObject>(name: ObjectName & { readonly apiVersion: string }): Promise<T> {
    return this.request<T>({ path: pathOf(name) });
  }

  async find<T extends KubeObject = KubeObject>(
    name: ObjectName & { readonly apiVersion: string },
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(name);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** A merge patch (RFC 7386), of the object or of its status. */
  patch<T extends KubeObject = KubeObject>(
    name: ObjectName & { readonly apiVersion: string },
    body: unknown,
    subresource?: 'status',
  ): Promise<T> {
    return this.request<T>({
      method: 'PATCH',
      path: `${pathOf(name)}${subresource === undefined ? '' : `/${subresource}`}`,
      contentType: 'application/merge-patch+json',
      body,
    });
  }

  /** At once, without grace; what is not there is fine. */
  async delete(name: ObjectName & { readonly apiVersion: string }): Promise<void> {
    try {
      await this.request({ method: 'DELETE', path: pathOf(name), query: { gracePeriodSeconds: 0 } });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  /**
   * Deletes a namespace that has been emptied, and waits until it is gone. An API server alone never ends a namespace; its
   * controller does, and here whoever asked for it.
   */
  async deleteNamespace(name: string): Promise<void> {
    const namespace: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await this.delete(namespace);
    const left = this.lab === undefined ? await this.find(namespace) : undefined;
    if (left === undefined) return;
    try {
      const body = { ...left, spec: { finalizers: [] } };
      await this.request({ method: 'PUT', path: `${pathOf(namespace)}/finalize`, body });
    } catch (error) {
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
    }
  }

  /** What is created from now on is younger, by a whole second, than what has been created. */
  async nextSecond(): Promise<void> {
    if (this.lab !== undefined) this.#clock.advance(1000);
    else await new Promise<void>((resolve) => void realClock.setTimer(1000, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection[Symbol.dispose]();
    await this.lab?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #installCrds(): Promise<void> {
    for (const file of crdFiles())
      for (const document of parseAllDocuments(readFileSync(file, 'utf8')))
        await this.ensure(document.toJS() as Manifest);
    const places = kindNames.map((kind) => kindResources[kind]).filter(({ custom }) => custom);
    // Established, and then served, a moment after it was created. A cluster may have older definitions, with other versions.
    for (const { versions, ...place } of places) {
      while (!(await this.#isServed(versions.map((version) => resourcePath(place, version)))))
        await new Promise<void>((resolve) => realClock.setTimer(50, resolve));
    }
  }

  async #isServed(paths: readonly string[]): Promise<boolean> {
    for (const path of paths) if ((await this.#statusOf(path)) !== 404) return true;
    return false;
  }

  async #statusOf(path: string): Promise<number> {
    try {
      await this.request({ path, query: { limit: 1 } });
      return 200;
    } catch (error) {
      if (error instanceof KubeStatusError) return error.status;
      throw error;
    }
  }
}

/** The clock of the machine, moved on by tests. */
class AdvancedClock implements Clock {
  #offsetMs = 0;

  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  nowMs(): number {
    return realClock.nowMs() + this.#offsetMs;
  }

  setTimer(ms: number, fn: () => void): Disposable {
    return realClock.setTimer(ms, fn);
  }
}

/** The chart's CRDs. */
export function crdFiles(): string[] {
  return readdirSync(crdFolder).map((file) => new URL(file, crdFolder).pathname);
}

export function pathOf(object: ObjectName & { readonly apiVersion: string }): string {
  return `${collectionOf(object)}/${encodeURIComponent(object.metadata.name)}`;
}

function collectionOf({ apiVersion, kind, metadata }: ObjectName & { readonly apiVersion: string }): string {
  const place = furtherKinds[kind] ?? (kindResources as Readonly<Record<string, Place>>)[kind];
  if (place === undefined) throw new Error(`tests know no kind ${kind}; add it to furtherKinds`);
  return resourcePath(place, apiVersion.split('/').at(-1)!, metadata.namespace ?? 'default');
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof KubeStatusError && error.status === status;
}
