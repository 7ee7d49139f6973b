import type { Condition, KubeClient, Pod } from '@ambient/kube';
import { builtInPath, formatTime, KubeStatusError, patchType } from '@ambient/kube';
import type { Redirection } from '../pods/wish.ts';
import { CAPTURED_CONDITION, REDIRECTION_ANNOTATION, redirectionOf } from '../pods/wish.ts';

/** What a pod's condition says; null: it has none. */
export type CapturedCondition = Pick<Condition, 'status' | 'reason' | 'message'> | null;

/** What a pod is to say of its capture. */
interface Said {
  readonly redirection: string | null;
  readonly condition: CapturedCondition;
}

/** What was written into a pod last. */
interface Written extends Said {
  readonly resourceVersion: string;
}

/** Says of each pod whether it is captured: in an annotation, which the control plane goes by, and in a condition, for people. */
export class PodStatusWriter {
  readonly #client: KubeClient;
  readonly #now: () => number;
  readonly #written = new Map<string, Written>();
  /** The last of each pod's writes: the next one knows what it has written. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(client: KubeClient, now: () => number = Date.now) {
    this.#client = client;
    this.#now = now;
  }

  /**
   * Makes the annotation of a pod say this, and its condition, where they do not yet.
   * @param pod as it was last heard of; that may be older than what was written
   * @param condition undefined: as it is, but none without an annotation
   * @throws KubeStatusError, KubeConnectionError, KubeConfigError
   */
  write(pod: Pod, redirection: Redirection, condition?: CapturedCondition): Promise<void> {
    return this.#inTurn(pod, () =>
      this.#patch(pod, (present) => ({
        redirection,
        condition:
          redirection === 'enabled' ? (condition === undefined ? present.condition : condition) : null,
      })),
    );
  }

  /** Makes the condition of a pod say this, if the pod counts as captured. @throws as `write` */
  writeCondition(pod: Pod, condition: CapturedCondition): Promise<void> {
    return this.#inTurn(pod, () =>
      this.#patch(pod, (present) =>
        present.redirection === 'enabled' ? { ...present, condition } : present,
      ),
    );
  }

  forget(uid: string): void {
    this.#written.delete(uid);
  }

  async #inTurn({ metadata: { uid } }: Pod, action: () => Promise<void>): Promise<void> {
    const turn = (this.#last.get(uid) ?? Promise.resolve()).catch(() => undefined).then(action);
    this.#last.set(uid, turn);
    try {
      await turn;
    } finally {
      if (this.#last.get(uid) === turn) this.#last.delete(uid);
    }
  }

  async #patch(pod: Pod, change: (present: Said) => Said): Promise<void> {
    const { uid, namespace = '', name } = pod.metadata;
    const last = this.#written.get(uid);
    const present =
      last !== undefined && isOlder(pod, last)
        ? last
        : { redirection: redirectionOf(pod), condition: conditionOf(pod) };
    const wanted = change(present);
    const annotation = wanted.redirection !== present.redirection;
    const condition = !isSame(wanted.condition, present.condition);
    if (!annotation && !condition) return;
    try {
      const answer = await this.#client.request<Pod>({
        method: 'PATCH',
        path: `${builtInPath('Pod', namespace, name)}/status`,
        contentType: patchType.strategicMerge,
        body: {
          // With the UID the patch fails for another pod that has the name meanwhile.
          metadata: {
            uid,
            ...(annotation ? { annotations: { [REDIRECTION_ANNOTATION]: wanted.redirection } } : {}),
          },
          ...(condition ? { status: { conditions: [this.#entry(wanted.condition)] } } : {}),
        },
      });
      this.#written.set(uid, { ...wanted, resourceVersion: answer.metadata.resourceVersion ?? '' });
    } catch (error) {
      if (error instanceof KubeStatusError && (error.status === 404 || error.status === 409)) return;
      throw error;
    }
  }

  /** Of a list that is merged by `type`. */
  #entry(condition: CapturedCondition): object {
    if (condition === null) return { type: CAPTURED_CONDITION, $patch: 'delete' };
    const { status, reason, message } = condition;
    const lastTransitionTime = formatTime(this.#now());
    return { type: CAPTURED_CONDITION, status, reason, message, lastTransitionTime };
  }
}

function conditionOf({ status }: Pod): CapturedCondition {
  return status?.conditions?.find(({ type }) => type === CAPTURED_CONDITION) ?? null;
}

/** The text changes with details that are not worth a write. */
function isSame(a: CapturedCondition, b: CapturedCondition): boolean {
  return a === b || (a?.status === b?.status && a?.reason === b?.reason);
}

/** Versions grow (KEP-5504); of those in another form nothing is said, and the pod counts as it is. */
function isOlder({ metadata }: Pod, { resourceVersion }: Written): boolean {
  const [heard, written] = [metadata.resourceVersion ?? '', resourceVersion];
  return /^\d{1,30}$/.test(heard) && /^\d{1,30}$/.test(written) && BigInt(heard) < BigInt(written);
}
