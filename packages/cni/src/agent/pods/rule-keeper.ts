import type { Pod } from '@ambient/kube';
import type { NetworkNamespace } from '@ambient/linux';
import type { Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { PodRuleApplier } from '../../rules/pod-applier.ts';
import type { PodCapture } from '../../rules/pod-capture.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { CapturedPod } from './captured-pod.ts';
import type { CaptureSteps } from './capture-steps.ts';

export interface RuleKeeperOptions {
  readonly rules: Pick<PodRuleApplier, 'check' | 'renew'>;
  readonly steps: Pick<CaptureSteps, 'prepareKernel'>;
  readonly podObject: (uid: string) => Pod | undefined;
  readonly events: Pick<EventRecorder, 'record'>;
  /** Called when a pod's rules have just been set. */
  readonly onRulesSet: (uid: string) => void;
  readonly metrics: Pick<AgentMetrics, 'drift'>;
  readonly log: Logger;
}

/** Sets rules of captured pods anew where somebody else has changed them, and tells of it. */
export class RuleKeeper {
  readonly #options: RuleKeeperOptions;

  constructor(options: RuleKeeperOptions) {
    this.#options = options;
  }

  /**
   * Compares a pod's rules with what they should be, and sets them anew if they differ.
   * @returns what was amiss; empty: nothing
   * @throws RulesError: they cannot be read or set
   */
  async restore(
    record: CapturedPod,
    netns: NetworkNamespace,
    capture: PodCapture,
  ): Promise<readonly string[]> {
    const { rules, steps, onRulesSet, metrics, log } = this.#options;
    const name = `${record.namespace}/${record.name}`;
    try {
      const drift = (await rules.check(netns, capture)).map(({ kind, what }) => `${kind}: ${what}`);
      if (drift.length === 0) return drift;
      await rules.renew(netns, capture);
      steps.prepareKernel(record, netns);
      onRulesSet(record.uid);
      metrics.drift('repaired');
      log.warn("a captured pod's rules were not as set, and are again", {
        pod: name,
        differences: drift.length,
        first: drift[0]!,
      });
      this.#tell(record.uid, drift);
      return drift;
    } catch (error) {
      metrics.drift('failed');
      log.error("a captured pod's rules cannot be kept; it is tried again", {
        pod: name,
        error: describeError(error),
      });
      throw error;
    }
  }

  #tell(uid: string, drift: readonly string[]): void {
    const { podObject, events } = this.#options;
    const pod = podObject(uid);
    if (pod === undefined) return;
    events.record(
      pod,
      'AmbientRulesRepaired',
      `${drift.length} differences of the pod's redirection were repaired, the first: ${drift[0]!}. Meanwhile traffic may have passed by the mesh.`,
    );
  }
}
