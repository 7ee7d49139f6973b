import type { Pod } from '@ambient/kube';
import type { NetworkNamespace } from '@ambient/linux';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { HostRuleApplier } from '../../rules/host-applier.ts';
import type { PodCapture } from '../../rules/pod-capture.ts';
import type { PodRuleApplier } from '../../rules/pod-applier.ts';
import type { ZdsServer } from '../../zds/server.ts';
import type { AgentMetrics } from '../metrics.ts';
import { resetSysctls, setCapturedSysctls } from '../netns/pod-sysctls.ts';
import type { CapturedPod } from './captured-pod.ts';
import { capturedPod } from './captured-pod.ts';

export interface CaptureStepsOptions {
  readonly rules: Pick<PodRuleApplier, 'apply' | 'renew' | 'remove' | 'check'>;
  readonly hostRules: Pick<HostRuleApplier, 'add' | 'remove'>;
  readonly zds: Pick<ZdsServer, 'add' | 'del' | 'connected'>;
  /** What ztunnel is told when it connects: pods enter before they are handed over, and leave before their namespace closes. */
  readonly pods: Map<string, CapturedPod>;
  /** The node's /proc. */
  readonly proc: string;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The steps by which a pod is captured and released. A pod is captured wholly or not at all: a step that fails takes back
 * those before it.
 *
 * ztunnel comes before the rules: nothing is redirected to a port where nobody listens, and nothing of a running pod fails on
 * the way. In the other direction the rules go first.
 */
export class CaptureSteps {
  readonly #options: CaptureStepsOptions;

  constructor(options: CaptureStepsOptions) {
    this.#options = options;
  }

  /**
   * Captures a pod in a namespace, which belongs to the capture from now on: it is closed when that fails.
   * @throws ZdsError, RulesError of the step that failed
   */
  async capture(
    pod: Pod,
    netns: NetworkNamespace,
    capture: PodCapture,
    addresses: readonly string[],
  ): Promise<CapturedPod> {
    const { rules, zds, pods, clock, metrics } = this.#options;
    const startedMs = clock.nowMs();
    const record = capturedPod(pod, netns, capture, addresses);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => netns.close());
    pods.set(record.uid, record);
    undo.defer(() => void pods.delete(record.uid));
    undo.defer(() => this.#quietly(record, 'tell ztunnel', () => zds.del(record.uid)));
    await zds.add({ ...record, netns });
    this.prepareKernel(record, netns);
    undo.defer(() => this.#forgetAddresses(record));
    await this.addAddresses(record, addresses);
    await rules.apply(netns, capture);
    undo.move();
    record.complete = true;
    metrics.captureTook((clock.nowMs() - startedMs) / 1000);
    return record;
  }

  /**
   * Gives ztunnel the namespace of a pod that it was told to keep. With no ztunnel connected, the next one hears of it first.
   * @param anew ztunnel is told first that the pod is gone: one that has the pod already would do nothing
   * @throws ZdsError
   */
  async handOver(record: CapturedPod, netns: NetworkNamespace, anew = false): Promise<void> {
    const { zds } = this.#options;
    if (zds.connected === 0) return;
    if (anew) await zds.del(record.uid);
    await zds.add({ ...record, netns });
  }

  /** Lets the node's probes of these addresses pass. @throws RulesError */
  async addAddresses({ uid }: CapturedPod, addresses: readonly string[]): Promise<void> {
    // None is under way any more when this fails: what was added is taken back.
    const added = await Promise.allSettled(addresses.map((ip) => this.#options.hostRules.add({ ip, uid })));
    for (const result of added) if (result.status === 'rejected') throw result.reason;
  }

  /** Sets the kernel of a pod's namespace; that it cannot is told, and is no reason not to capture the pod. */
  prepareKernel(record: CapturedPod, netns: NetworkNamespace): void {
    const { proc, metrics, log } = this.#options;
    for (const { setting, problem } of setCapturedSysctls(netns, proc)) {
      metrics.settingFailed(setting);
      log.warn("a kernel setting of the pod cannot be made; mount the node's /proc writable into the agent", {
        pod: `${record.namespace}/${record.name}`,
        setting,
        problem,
      });
    }
  }

  /**
   * Captures nothing new of a pod, and has ztunnel let go of it. What ztunnel carries goes on until it is drained, or until
   * `finish` is called for the namespace.
   * @throws RulesError: the pod is captured as before
   */
  async release(record: CapturedPod, capture: PodCapture): Promise<void> {
    const { rules, zds, pods } = this.#options;
    if (record.netns !== undefined) await rules.renew(record.netns, { ...capture, draining: true });
    pods.delete(record.uid);
    await this.#forgetAddresses(record);
    await this.#quietly(record, 'tell ztunnel', () => zds.del(record.uid));
  }

  /** Removes what is left in a released pod, and closes its namespace. */
  async finish(netns: NetworkNamespace, pod: string): Promise<void> {
    const { rules, proc, log } = this.#options;
    try {
      await rules.remove(netns);
      resetSysctls(netns, proc);
    } catch (error) {
      log.warn('rules are left in a released pod; they redirect nothing, and go with the pod', {
        pod,
        error: describeError(error),
      });
    } finally {
      netns.close();
    }
  }

  /** Forgets a pod that has ended: its namespace goes by itself, with all rules in it. */
  async bury(record: CapturedPod): Promise<void> {
    const { zds, pods } = this.#options;
    if (pods.get(record.uid) === record) pods.delete(record.uid);
    await Promise.all([
      this.#forgetAddresses(record),
      this.#quietly(record, 'tell ztunnel', () => zds.del(record.uid)),
    ]);
    record.netns?.close();
  }

  async #forgetAddresses(record: CapturedPod): Promise<void> {
    const { hostRules } = this.#options;
    const { uid, addresses } = record;
    await Promise.all(
      addresses.map((ip) =>
        this.#quietly(record, 'take its address from the node', () => hostRules.remove({ ip, uid })),
      ),
    );
  }

  /** A way back that fails must not keep the rest of it from happening. */
  async #quietly({ namespace, name }: CapturedPod, step: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.log.warn(`cannot ${step} that a pod is gone`, {
        pod: `${namespace}/${name}`,
        error: describeError(error),
      });
    }
  }
}
