import type { PodFacts, PodLookup } from '../auth/node-authorization.ts';
import type { ObjectStore } from '../cluster/object-store.ts';
import type { Pod } from '@ambient/kube';

/** The pods of the cluster, as decisions about node agents need them. */
export class ClusterPods implements PodLookup {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  podByName(namespace: string, name: string): PodFacts | undefined {
    const pod = this.#store.get('Pod', namespace, name);
    return pod === undefined ? undefined : factsOf(pod);
  }

  hasPodOnNode(nodeName: string, namespace: string, serviceAccount: string): boolean {
    return this.#store
      .list('Pod', 'by-node', nodeName)
      .some(
        (pod) =>
          pod.metadata.namespace === namespace &&
          factsOf(pod).serviceAccount === serviceAccount &&
          pod.status?.phase !== 'Failed',
      );
  }
}

function factsOf({ metadata, spec, status }: Pod): PodFacts {
  return {
    uid: metadata.uid ?? '',
    serviceAccount: spec?.serviceAccountName ?? 'default',
    nodeName: spec?.nodeName ?? '',
    phase: status?.phase ?? '',
  };
}
