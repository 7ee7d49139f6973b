import type { KubeClient, Pod } from '@ambient/kube';
import { KubeStatusError, patchType } from '@ambient/kube';
import type { Redirection } from '../pods/wish.ts';
import { REDIRECTION_ANNOTATION, redirectionOf } from '../pods/wish.ts';
import { podPath } from './resources.ts';

/** What was written into a pod last. */
interface Written {
  readonly value: Redirection;
  readonly resourceVersion: string;
}

/** Says of each pod, in its annotation, whether it is captured: the control plane and people go by it. */
export class PodStatusWriter {
  readonly #client: KubeClient;
  readonly #written = new Map<string, Written>();

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Makes the annotation of a pod say this, if it does not yet.
   * @param pod as it was last heard of; that may be older than what was written
   * @throws KubeStatusError, KubeConnectionError, KubeConfigError
   */
  async write(pod: Pod, value: Redirection): Promise<void> {
    const { uid, namespace = '', name } = pod.metadata;
    const last = this.#written.get(uid);
    const present = last !== undefined && isOlder(pod, last) ? last.value : redirectionOf(pod);
    if (present === value) return;
    try {
      const answer = await this.#client.request<Pod>({
        method: 'PATCH',
        path: `${podPath(namespace, name)}/status`,
        contentType: patchType.merge,
        // With the UID the patch fails for another pod that has the name meanwhile.
        body: { metadata: { uid, annotations: { [REDIRECTION_ANNOTATION]: value } } },
      });
      this.#written.set(uid, { value, resourceVersion: answer.metadata.resourceVersion ?? '' });
    } catch (error) {
      if (error instanceof KubeStatusError && (error.status === 404 || error.status === 409)) return;
      throw error;
    }
  }

  forget(uid: string): void {
    this.#written.delete(uid);
  }
}

/** Versions grow (KEP-5504); of those in another form nothing is said, and the pod counts as it is. */
function isOlder({ metadata }: Pod, { resourceVersion }: Written): boolean {
  const [heard, written] = [metadata.resourceVersion ?? '', resourceVersion];
  return /^\d{1,30}$/.test(heard) && /^\d{1,30}$/.test(written) && BigInt(heard) < BigInt(written);
}
