import type { Pod } from '@ambient/kube';
import type { Logger } from '@ambient/runtime';
import type { Direction } from './blocking-policies.ts';
import { neededRule, policiesBlocking } from './blocking-policies.ts';
import type { EventRecorder } from './events.ts';
import type { NetworkPolicy } from './resources.ts';

export interface PolicyNoticesOptions {
  readonly policiesOf: (namespace: string) => readonly NetworkPolicy[];
  readonly events: Pick<EventRecorder, 'record'>;
  readonly log: Logger;
}

/** Says, once for each version of a NetworkPolicy, which rule it lacks for captured pods to be reached by the mesh. */
export class PolicyNotices {
  readonly #options: PolicyNoticesOptions;
  /** By UID: the generation that was told of, and for which directions. */
  readonly #told = new Map<string, string>();

  constructor(options: PolicyNoticesOptions) {
    this.#options = options;
  }

  /** Looks at the policies of a captured pod. */
  look(pod: Pod): void {
    const policies = this.#options.policiesOf(pod.metadata.namespace ?? '');
    if (policies.length === 0) return;
    for (const [direction, blocking] of policiesBlocking(pod, policies))
      for (const policy of blocking) this.#tell(policy, direction, pod);
  }

  forget(policy: NetworkPolicy): void {
    for (const direction of ['ingress', 'egress'] as const)
      this.#told.delete(`${policy.metadata.uid} ${direction}`);
  }

  #tell(policy: NetworkPolicy, direction: Direction, pod: Pod): void {
    const { uid, namespace, name, generation = 0 } = policy.metadata;
    const key = `${uid} ${direction}`;
    if (this.#told.get(key) === String(generation)) return;
    this.#told.set(key, String(generation));
    const note = `NetworkPolicy ${namespace}/${name} keeps the mesh's traffic (TCP port 15008) from captured pods, such as ${pod.metadata.name}; add to it: ${neededRule(direction)}`;
    this.#options.log.warn(note);
    this.#options.events.record(policy, 'AmbientNetworkPolicyBlocks', note);
  }
}
