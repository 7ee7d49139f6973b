import type { KubeClient, KubeObject, WatchEvent } from './kube-client.ts';

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

const collections = [
  '/apis/security.istio.io/v1/authorizationpolicies',
  '/apis/security.istio.io/v1/peerauthentications',
];
/** More than the live table shows. */
const REMEMBERED_CHANGES = 50;

/** Follows the policies of the cluster: what there is, what has changed of late, and when the API has told of it. */
export class PolicyWatch {
  readonly #policies = new Map<string, { readonly policy: KnownPolicy; readonly spec: string }>();
  readonly #changes: PolicyChange[] = [];
  readonly #waiting = new Set<(change: PolicyChange) => void>();

  constructor(api: KubeClient) {
    for (const path of collections)
      api.watch(
        path,
        (event) => this.#take(event),
        () => this.#forget(path),
      );
  }

  /** Sorted by name. */
  get policies(): readonly KnownPolicy[] {
    return Array.from(this.#policies.values(), ({ policy }) => policy).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
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

  /** A watch that begins anew tells of everything that is there. */
  #forget(path: string): void {
    for (const [key, { policy }] of this.#policies)
      if (path.endsWith(`/${collectionOf(policy.kind)}`)) this.#policies.delete(key);
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'BOOKMARK' || type === 'ERROR') return;
    const policy = describePolicy(object);
    const key = `${policy.kind} ${policy.name}`;
    const before = this.#policies.get(key);
    const spec = JSON.stringify(object['spec'] ?? {});
    if (type === 'DELETED') this.#policies.delete(key);
    else this.#policies.set(key, { policy, spec });
    // Conditions are written to it as well, which changes nothing for traffic.
    if (type !== 'DELETED' && before?.spec === spec) return;
    const what = type === 'DELETED' ? 'removed' : before === undefined ? 'applied' : 'changed';
    const change: PolicyChange = { atMs: Date.now(), what, policy };
    this.#changes.push(change);
    if (this.#changes.length > REMEMBERED_CHANGES) this.#changes.shift();
    for (const look of [...this.#waiting]) look(change);
  }
}

function collectionOf(kind: string): string {
  return kind === 'PeerAuthentication' ? 'peerauthentications' : 'authorizationpolicies';
}

/** What the tour says of a policy in one line. */
export function describePolicy({ kind, metadata, ...object }: KubeObject): KnownPolicy {
  const spec = (object['spec'] ?? {}) as {
    readonly action?: string;
    readonly mtls?: { readonly mode?: string };
  };
  return {
    kind,
    name: `${metadata.namespace ?? ''}/${metadata.name}`,
    says: kind === 'PeerAuthentication' ? (spec.mtls?.mode ?? 'UNSET') : (spec.action ?? 'ALLOW'),
    createdMs: Date.parse(metadata.creationTimestamp ?? ''),
  };
}
