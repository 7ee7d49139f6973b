import type { KubeClient, KubeObject } from '@ambient/kube';
import { HttpListWatch, isRecord, Reflector } from '@ambient/kube';
import type { Logger } from '@ambient/runtime';

/** One policy of the cluster, as the API has it. */
export interface KnownPolicy {
  readonly kind: string;
  /** `namespace/name` */
  readonly name: string;
  /** ALLOW, DENY, STRICT and so on. */
  readonly says: string;
  /** Milliseconds of the Unix time when it was stored first. */
  readonly createdMs: number;
}

/** Something that happened to a policy. */
export interface PolicyChange {
  readonly atMs: number;
  readonly what: 'applied' | 'changed' | 'removed';
  readonly policy: KnownPolicy;
}

export interface PolicyObject extends KubeObject {
  readonly spec?: { readonly action?: string; readonly mtls?: { readonly mode?: string } };
}

const collections = {
  AuthorizationPolicy: '/apis/security.istio.io/v1/authorizationpolicies',
  PeerAuthentication: '/apis/security.istio.io/v1/peerauthentications',
};
/** More than the live table shows. */
const REMEMBERED_CHANGES = 50;

/** Follows the policies of the cluster: what there is, what has changed of late, and when the API has told of it. */
export class PolicyWatch implements AsyncDisposable {
  readonly #objects = new Map<string, PolicyObject>();
  readonly #changes: PolicyChange[] = [];
  readonly #waiting = new Set<(change: PolicyChange) => void>();
  readonly #reflectors: readonly Reflector<PolicyObject>[];

  constructor(client: KubeClient, log: Logger) {
    this.#reflectors = Object.entries(collections).map(
      ([kind, path]) =>
        new Reflector<PolicyObject>({
          source: new HttpListWatch({ client, path }),
          target: {
            get: (key) => this.#objects.get(`${kind} ${key}`),
            keys: () =>
              [...this.#objects.keys()]
                .filter((key) => key.startsWith(`${kind} `))
                .map((key) => key.slice(kind.length + 1)),
            put: (key, object) => this.#put(`${kind} ${key}`, { ...object, kind }),
            remove: (key) => this.#remove(`${kind} ${key}`),
          },
          prepare: (raw) =>
            isRecord(raw) && isRecord(raw['metadata']) ? (raw as unknown as PolicyObject) : undefined,
          log,
        }),
    );
    for (const reflector of this.#reflectors) reflector.start();
  }

  /** Sorted by name. */
  get policies(): readonly KnownPolicy[] {
    return Array.from(this.#objects.values(), describePolicy).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The latest last. */
  get changes(): readonly PolicyChange[] {
    return this.#changes;
  }

  /** The time on the clock of `performance.now()` at which the API tells of the next change to the policy. */
  next(name: string): Promise<number> {
    return new Promise((resolve) => {
      const look = ({ policy }: PolicyChange): void => {
        if (policy.name !== name) return;
        this.#waiting.delete(look);
        resolve(performance.now());
      };
      this.#waiting.add(look);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  #put(key: string, object: PolicyObject): void {
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    // Conditions are written to it as well, which changes nothing for traffic.
    if (before !== undefined && JSON.stringify(before.spec) === JSON.stringify(object.spec)) return;
    this.#tell(before === undefined ? 'applied' : 'changed', object);
  }

  #remove(key: string): void {
    const object = this.#objects.get(key);
    this.#objects.delete(key);
    if (object !== undefined) this.#tell('removed', object);
  }

  #tell(what: PolicyChange['what'], object: PolicyObject): void {
    const change: PolicyChange = { atMs: Date.now(), what, policy: describePolicy(object) };
    this.#changes.push(change);
    if (this.#changes.length > REMEMBERED_CHANGES) this.#changes.shift();
    for (const look of [...this.#waiting]) look(change);
  }
}

/** What the tour says of a policy in one line. */
export function describePolicy({ kind = '', metadata, spec }: PolicyObject): KnownPolicy {
  return {
    kind,
    name: `${metadata.namespace ?? ''}/${metadata.name}`,
    says: kind === 'PeerAuthentication' ? (spec?.mtls?.mode ?? 'UNSET') : (spec?.action ?? 'ALLOW'),
    createdMs: Date.parse(metadata.creationTimestamp ?? ''),
  };
}
