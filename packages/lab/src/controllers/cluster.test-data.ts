/** A cluster for tests of controllers: the API, the controllers, and stand-ins for the kubelets of its nodes. */
import { KubeConfig } from '@kubernetes/client-node';
import {
  formatTime,
  HttpListWatch,
  KubeClient,
  KubeConnection,
  KubeConnectionError,
  KubeStatusError,
  Reflector,
} from '@ambient/kube';
import { settled, testLog } from '@ambient/kube/testing';
import { realClock } from '@ambient/runtime';

import { LabApi } from '../api/lab-api.ts';
import type { JsonObject } from '../api/object.ts';
import type { KubeObject, Pod } from './objects.ts';
import { isFinished, isReady } from './pods/pod-state.ts';
import { startControllers } from './start-controllers.ts';
import type { ControllersOptions, RunningControllers } from './start-controllers.ts';

/** What becomes of a pod that has a node. */
export type Fate = 'ready' | 'unready' | 'succeed' | 'fail';

/** Brings every pod of every node to what it is fated to be, and lets go of those that are deleted. */
class FakeKubelets {
  readonly #client: KubeClient;
  readonly #pods = new Map<string, Pod>();
  readonly #reflector: Reflector<Pod>;
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #nowMs: () => number;
  #address = 0;
  fate: (pod: Pod) => Fate = () => 'ready';
  /** Whether a pod that is deleted ends. */
  ends: (pod: Pod) => boolean = () => true;

  constructor(client: KubeClient, nowMs: () => number) {
    this.#client = client;
    this.#nowMs = nowMs;
    this.#reflector = new Reflector<Pod>({
      source: new HttpListWatch({ client, path: '/api/v1/pods' }),
      target: {
        get: (key) => this.#pods.get(key),
        keys: () => [...this.#pods.keys()],
        put: (key, pod) => {
          this.#pods.set(key, pod);
          this.#look(key);
        },
        remove: (key) => void this.#pods.delete(key),
      },
      prepare: (raw) => raw as Pod,
      log: testLog(),
    });
    this.#reflector.start();
  }

  get idle(): boolean {
    return this.#working.size === 0;
  }

  get pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  /** After fates have changed. */
  lookAgain(): void {
    for (const key of this.#pods.keys()) this.#look(key);
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  #look(key: string): void {
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#working.add(key);
    void this.#bring(key).finally(() => {
      this.#working.delete(key);
      if (this.#again.delete(key)) this.#look(key);
    });
  }

  async #bring(key: string): Promise<void> {
    const pod = this.#pods.get(key);
    if (pod === undefined || (pod.spec?.nodeName ?? '') === '') return;
    const { name, namespace = '', deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    try {
      if (deletionTimestamp !== undefined) {
        if (this.ends(pod))
          await this.#client.request({ method: 'DELETE', path, body: { gracePeriodSeconds: 0 } });
        return;
      }
      const status = this.#statusOf(pod);
      if (status === undefined) return;
      await this.#client.request({
        method: 'PATCH',
        path: `${path}/status`,
        contentType: 'application/strategic-merge-patch+json',
        body: { status },
      });
    } catch (error) {
      // The pod has changed or gone, which the watch will tell of; or the test is over.
      if (!(error instanceof KubeStatusError) && !(error instanceof KubeConnectionError)) throw error;
    }
  }

  #statusOf(pod: Pod): JsonObject | undefined {
    const fate = this.fate(pod);
    const now = formatTime(this.#nowMs());
    const name = pod.spec?.containers?.[0]?.name ?? '';
    if (isFinished(pod)) return undefined;
    if (fate === 'succeed' || fate === 'fail') {
      const phase = fate === 'succeed' ? 'Succeeded' : 'Failed';
      return { phase, conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: now }] };
    }
    const ready = fate === 'ready';
    if (pod.status?.phase === 'Running' && isReady(pod) === ready) return undefined;
    const podIP = pod.status?.podIP ?? `10.244.${(++this.#address >> 8) + 1}.${this.#address & 255}`;
    return {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }, { ip: `fd44::${this.#address.toString(16)}` }],
      containerStatuses: [
        { name, ready, restartCount: 0, image: '', imageID: '', state: { running: { startedAt: now } } },
      ],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }],
    };
  }
}

export interface ClusterOptions extends Partial<Omit<ControllersOptions, 'connection' | 'log'>> {
  /** Names; two if absent. */
  readonly nodes?: readonly string[];
  readonly log?: string[];
}

export class TestCluster implements AsyncDisposable {
  readonly api: LabApi;
  readonly client: KubeClient;
  readonly kubelets: FakeKubelets;
  readonly controllers: RunningControllers;
  readonly #connection: KubeConnection;

  private constructor(
    api: LabApi,
    connection: KubeConnection,
    kubelets: FakeKubelets,
    controllers: RunningControllers,
  ) {
    this.api = api;
    this.#connection = connection;
    this.client = new KubeClient(connection);
    this.kubelets = kubelets;
    this.controllers = controllers;
  }

  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const { nodes = ['one', 'two'], log, ...rest } = options;
    const api = await LabApi.start({ host: '127.0.0.1', port: 0, hasNodeAgent: () => true });
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig);
    const connection = new KubeConnection(config);
    await api.load(nodes.map(nodeObject));
    const clock = options.clock ?? realClock;
    const kubelets = new FakeKubelets(new KubeClient(connection), () => clock.nowMs());
    const controllers = await startControllers({ connection, log: testLog(log), ...rest });
    return new TestCluster(api, connection, kubelets, controllers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controllers.stop();
    await this.kubelets.stop();
    this.#connection[Symbol.dispose]();
    await this.api.stop();
  }

  async get<T = KubeObject>(path: string): Promise<T> {
    return this.client.request<T>({ path });
  }

  async list<T = KubeObject>(path: string): Promise<readonly T[]> {
    return (await this.client.request<{ readonly items: readonly T[] }>({ path })).items;
  }

  async patch(path: string, body: unknown): Promise<void> {
    await this.client.request({
      method: 'PATCH',
      path,
      body,
      contentType: 'application/strategic-merge-patch+json',
    });
  }

  async delete(path: string, body: unknown = {}): Promise<void> {
    await this.client.request({ method: 'DELETE', path, body });
  }

  /** Waits until something holds; the test's own timeout ends it. */
  async until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      await settled(1);
    }
  }

  /** Waits until nobody has anything to do: for tests that nothing happens. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 20; calm++) {
      await this.list('/api/v1/nodes');
      if (!this.controllers.idle || !this.kubelets.idle) calm = 0;
    }
  }

  pods(namespace = 'default'): readonly Pod[] {
    return this.kubelets.pods.filter(({ metadata }) => metadata.namespace === namespace);
  }
}

export function nodeObject(name: string): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${name}` },
    },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** A workload of kind Deployment, DaemonSet or the like. */
export function workload(kind: string, name: string, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: { app: name } }, template: template(name), ...spec },
  };
}

export function template(app: string, image = 'example/app:1'): JsonObject {
  return {
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
  };
}
