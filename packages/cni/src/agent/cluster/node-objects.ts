import type { Condition, KubeClient, KubeObject, Namespace, Pod, ReflectorTarget } from '@ambient/kube';
import { builtInPath, HttpListWatch, isRecord, objectKey, ReflectorGroup, trimObject } from '@ambient/kube';
import type { Clock, Logger } from '@ambient/runtime';
import { CAPTURED_CONDITION } from '../pods/wish.ts';
import type { DaemonSet, NetworkPolicy } from './resources.ts';
import { agentDaemonSet } from './resources.ts';

export interface NodeObjectsOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** Of the agent and its DaemonSet. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A pod of the node came, changed or went; or its namespace, or a network policy in there, did. */
  readonly onPod: (uid: string) => void;
  /** What the API server has told of a pod of the node, or of a namespace. */
  readonly onEvent: (type: 'add' | 'update' | 'delete') => void;
  /** A network policy has gone. */
  readonly onPolicyGone: (policy: NetworkPolicy) => void;
}

/**
 * Of what the API server says, what concerns this node: its pods, all namespaces, all network policies, and the agent's own
 * DaemonSet.
 */
export class NodeObjects {
  readonly #options: NodeObjectsOptions;
  /** Without these nothing is known of the node. */
  readonly #needed = new ReflectorGroup();
  readonly #others = new ReflectorGroup();
  readonly #byUid = new Map<string, Pod>();
  readonly #uidByName = new Map<string, string>();
  readonly #uidsByNamespace = new Map<string, Set<string>>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #policies = new Map<string, NetworkPolicy>();
  #isSynced = false;
  #daemonSet: DaemonSet | undefined;
  #daemonSetDeleted = false;

  constructor(options: NodeObjectsOptions) {
    this.#options = options;
    const { nodeName, namespace } = options;
    this.#follow(this.#needed, builtInPath('Pod'), this.#podTarget(), readPod, `spec.nodeName=${nodeName}`);
    this.#follow(this.#needed, builtInPath('Namespace'), this.#namespaceTarget(), (raw) =>
      trimObject('Namespace', 'v1', raw),
    );
    this.#follow(this.#others, builtInPath('NetworkPolicy'), this.#policyTarget(), readPolicy);
    this.#follow(
      this.#others,
      builtInPath('DaemonSet', namespace),
      this.#daemonSetTarget(),
      readDaemonSet,
      `metadata.name=${agentDaemonSet}`,
    );
    void this.#needed.synced.then(() => (this.#isSynced = true));
  }

  start(): void {
    this.#needed.start();
    this.#others.start();
  }

  /** Pods and namespaces have been read once. */
  get synced(): Promise<void> {
    return this.#needed.synced;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /**
   * The DaemonSet was there and has been deleted. Known from the watch: to ask for it at the end is too late, as an
   * uninstallation takes the agent's permissions together with it.
   */
  get daemonSetDeleted(): boolean {
    return this.#daemonSetDeleted;
  }

  /** Whether it has been seen since this agent started; one that runs without a DaemonSet never sees it. */
  get daemonSetSeen(): boolean {
    return this.#daemonSet !== undefined || this.#daemonSetDeleted;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#needed.stop(), this.#others.stop()]);
  }

  pods(): Iterable<Pod> {
    return this.#byUid.values();
  }

  pod(uid: string): Pod | undefined {
    return this.#byUid.get(uid);
  }

  podByName(namespace: string, name: string): Pod | undefined {
    const uid = this.#uidByName.get(`${namespace}/${name}`);
    return uid === undefined ? undefined : this.#byUid.get(uid);
  }

  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name);
  }

  policiesOf(namespace: string): readonly NetworkPolicy[] {
    return [...this.#policies.values()].filter(({ metadata }) => metadata.namespace === namespace);
  }

  #follow<T extends KubeObject>(
    group: ReflectorGroup,
    path: string,
    target: ReflectorTarget<T>,
    prepare: (raw: unknown) => T | undefined,
    fieldSelector?: string,
  ): void {
    const { client, clock, log } = this.#options;
    const source = new HttpListWatch({
      client,
      path,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
    group.add({ source, target, prepare, log, clock });
  }

  #podTarget(): ReflectorTarget<Pod> {
    return {
      get: (key) => this.#byUid.get(this.#uidByName.get(key) ?? ''),
      keys: () => [...this.#uidByName.keys()],
      put: (key, pod) => {
        const { uid, namespace = '' } = pod.metadata;
        const before = this.#uidByName.get(key);
        // A pod that was deleted and made anew under its name, while nobody watched.
        if (before !== undefined && before !== uid) this.#forget(key, before);
        this.#options.onEvent(this.#byUid.has(uid) ? 'update' : 'add');
        this.#uidByName.set(key, uid);
        this.#byUid.set(uid, pod);
        let uids = this.#uidsByNamespace.get(namespace);
        if (uids === undefined) this.#uidsByNamespace.set(namespace, (uids = new Set()));
        uids.add(uid);
        this.#options.onPod(uid);
      },
      remove: (key) => {
        const uid = this.#uidByName.get(key);
        if (uid !== undefined) this.#forget(key, uid);
      },
    };
  }

  #forget(key: string, uid: string): void {
    const namespace = this.#byUid.get(uid)?.metadata.namespace ?? '';
    this.#uidByName.delete(key);
    this.#byUid.delete(uid);
    const uids = this.#uidsByNamespace.get(namespace);
    uids?.delete(uid);
    if (uids?.size === 0) this.#uidsByNamespace.delete(namespace);
    this.#options.onEvent('delete');
    this.#options.onPod(uid);
  }

  #touchNamespace(name: string): void {
    for (const uid of this.#uidsByNamespace.get(name) ?? []) this.#options.onPod(uid);
  }

  #namespaceTarget(): ReflectorTarget<Namespace> {
    return {
      get: (key) => this.#namespaces.get(key),
      keys: () => [...this.#namespaces.keys()],
      put: (key, namespace) => {
        this.#options.onEvent(this.#namespaces.has(key) ? 'update' : 'add');
        this.#namespaces.set(key, namespace);
        this.#touchNamespace(key);
      },
      remove: (key) => {
        this.#namespaces.delete(key);
        this.#options.onEvent('delete');
        this.#touchNamespace(key);
      },
    };
  }

  #daemonSetTarget(): ReflectorTarget<DaemonSet> {
    return {
      get: () => this.#daemonSet,
      keys: () => (this.#daemonSet === undefined ? [] : [objectKey(this.#daemonSet)]),
      put: (_, daemonSet) => {
        this.#daemonSet = daemonSet;
        this.#daemonSetDeleted = daemonSet.metadata.deletionTimestamp !== undefined;
      },
      remove: () => {
        this.#daemonSetDeleted = this.#daemonSet !== undefined;
        this.#daemonSet = undefined;
        if (this.#daemonSetDeleted) this.#options.log.info('the DaemonSet of the agent is deleted');
      },
    };
  }

  #policyTarget(): ReflectorTarget<NetworkPolicy> {
    return {
      get: (key) => this.#policies.get(key),
      keys: () => [...this.#policies.keys()],
      put: (key, policy) => {
        this.#policies.set(key, policy);
        this.#touchNamespace(policy.metadata.namespace ?? '');
      },
      remove: (key) => {
        const policy = this.#policies.get(key);
        this.#policies.delete(key);
        if (policy !== undefined) this.#options.onPolicyGone(policy);
      },
    };
  }
}

/** A pod with the condition that this agent has set. */
function readPod(raw: unknown): Pod | undefined {
  const pod = trimObject('Pod', 'v1', raw);
  if (pod === undefined) return undefined;
  const { conditions } = (raw as Pod).status ?? {};
  const own = Array.isArray(conditions)
    ? (conditions as readonly unknown[]).find((each) => isRecord(each) && each['type'] === CAPTURED_CONDITION)
    : undefined;
  if (own === undefined) return pod;
  const { status } = pod;
  return { ...pod, status: { ...status, conditions: [...(status?.conditions ?? []), own as Condition] } };
}

function readPolicy(raw: unknown): NetworkPolicy | undefined {
  return readObject(raw, 'networking.k8s.io/v1', 'NetworkPolicy') as NetworkPolicy | undefined;
}

function readDaemonSet(raw: unknown): DaemonSet | undefined {
  return readObject(raw, 'apps/v1', 'DaemonSet') as DaemonSet | undefined;
}

/** An item of a list does not say what it is. */
function readObject(raw: unknown, apiVersion: string, kind: string): unknown {
  if (!isRecord(raw) || !isRecord(raw['metadata']) || typeof raw['metadata']['name'] !== 'string')
    return undefined;
  const { managedFields: _fields, ...metadata } = raw['metadata'];
  return { ...raw, apiVersion, kind, metadata };
}
