import type { CertificateCache, Identity } from '@ambient/identity';
import { formatSpiffe } from '@ambient/identity/peer';
import type { MeshStore, Workload } from '@ambient/mesh';

/** Which workloads this proxy acts for. */
export interface LocalScope {
  /** NODE_NAME; compared exactly. */
  readonly nodeName: string;
  /** The one workload of dedicated mode; undefined: all of the node. */
  readonly only:
    { readonly namespace: string; readonly name: string; readonly serviceAccount: string } | undefined;
}

/**
 * Holds certificates for the identities of this node's meshed workloads and of the pods that are served, before anybody
 * asks: fetched with the first of an identity, dropped with the last. A workload is meshed if it speaks HBONE or tunnels by itself.
 */
export class LocalIdentities {
  readonly #cache: Pick<CertificateCache, 'prefetch' | 'drop'>;
  readonly #scope: LocalScope;
  /** SPIFFE id by who needs it: a workload's uid, or {@link captureKey}. */
  readonly #needed = new Map<string, string>();
  readonly #held = new Map<string, { readonly identity: Identity; needs: number }>();

  constructor(cache: Pick<CertificateCache, 'prefetch' | 'drop'>, scope: LocalScope) {
    this.#cache = cache;
    this.#scope = scope;
  }

  /** Follows a change of the store. @param uids of workloads that are new, changed or gone */
  update(store: MeshStore, uids: readonly string[]): void {
    this.#change(
      uids.map((uid) => {
        const workload = store.workload(uid);
        return [uid, workload !== undefined && this.#serves(workload) ? identityOf(workload) : undefined];
      }),
    );
  }

  /**
   * A pod is served, whatever the mesh knows of it: its certificate is there when its workload comes, and stays while its
   * last connections end.
   */
  hold(captureId: number, identity: Identity): void {
    this.#change([[captureKey(captureId), identity]]);
  }

  /** Nothing of the pod is left. */
  release(captureId: number): void {
    this.#change([[captureKey(captureId), undefined]]);
  }

  #change(changes: readonly (readonly [who: string, identity: Identity | undefined])[]): void {
    const gained: Identity[] = [];
    const lost: string[] = [];
    for (const [who, identity] of changes) {
      const before = this.#needed.get(who);
      const now = identity && formatSpiffe(identity);
      if (now === before) continue;
      if (identity !== undefined && now !== undefined) {
        this.#needed.set(who, now);
        const entry = this.#held.get(now);
        if (entry === undefined) {
          this.#held.set(now, { identity, needs: 1 });
          gained.push(identity);
        } else entry.needs++;
      } else this.#needed.delete(who);
      if (before !== undefined) {
        this.#held.get(before)!.needs--;
        lost.push(before);
      }
    }
    // Only now, so that an identity that moves from one pod to another keeps its certificate.
    for (const key of lost) {
      const entry = this.#held.get(key);
      if (entry === undefined || entry.needs > 0) continue;
      this.#held.delete(key);
      this.#cache.drop(entry.identity);
    }
    if (gained.length > 0) this.#cache.prefetch(gained);
  }

  #serves(workload: Workload): boolean {
    const { nodeName, only } = this.#scope;
    if (workload.node !== nodeName) return false;
    if (only !== undefined)
      return (
        workload.name === only.name &&
        workload.namespace === only.namespace &&
        workload.serviceAccount === only.serviceAccount
      );
    return workload.tunnelProtocol === 'HBONE' || workload.nativeTunnel;
  }
}

/** No workload has such a uid. */
function captureKey(captureId: number): string {
  return `capture\u0000${captureId}`;
}

function identityOf({ trustDomain, namespace, serviceAccount }: Workload): Identity {
  return { trustDomain, namespace, serviceAccount };
}
