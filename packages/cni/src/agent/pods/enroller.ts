import type { Namespace, Pod } from '@ambient/kube';
import { NetworkNamespace } from '@ambient/linux';
import type { Clock, Logger } from '@ambient/runtime';
import { Backoff, describeError } from '@ambient/runtime';
import type { PodRuleApplier } from '../../rules/pod-applier.ts';
import type { PodCapture } from '../../rules/pod-capture.ts';
import { podCapture } from '../../rules/pod-capture.ts';
import type { EventReason, EventRecorder } from '../cluster/events.ts';
import type { CapturedCondition, PodStatusWriter } from '../cluster/pod-status.ts';
import { AgentError } from '../errors.ts';
import type { AgentMetrics, PodChange } from '../metrics.ts';
import type { NetnsFinder } from '../netns/find-netns.ts';
import type { CapturedPod } from './captured-pod.ts';
import type { CaptureSteps } from './capture-steps.ts';
import { KeyedWork } from './keyed-work.ts';
import { ReleasedPods } from './released-pods.ts';
import { RuleKeeper } from './rule-keeper.ts';
import type { PodWish, Redirection, WishSettings } from './wish.ts';
import { addressesOf, podWish } from './wish.ts';

export interface EnrollerOptions {
  readonly settings: WishSettings;
  /** How long connections of a released pod that ztunnel carries keep their translation, milliseconds. */
  readonly releaseGraceMs: number;
  /** Pods that are captured or released at a time. */
  readonly concurrency: number;
  /** Whether rules of pods that were captured before the agent started are made as they should be. */
  readonly reconcileRules: boolean;
  readonly objects: {
    pod(uid: string): Pod | undefined;
    namespace(name: string): Namespace | undefined;
  };
  readonly pods: ReadonlyMap<string, CapturedPod>;
  readonly steps: CaptureSteps;
  readonly rules: Pick<PodRuleApplier, 'check' | 'renew'>;
  readonly finder: Pick<NetnsFinder, 'find'>;
  readonly status: Pick<PodStatusWriter, 'write' | 'forget'>;
  readonly events: Pick<EventRecorder, 'record'>;
  /** Called when a pod's rules have just been set. */
  readonly onRulesSet: (uid: string) => void;
  /** The pods that are captured may be others now. */
  readonly onChanged: () => void;
  /** What is known of whether the pod's traffic reaches ztunnel; waits a little. */
  readonly proofOf: (uid: string) => Promise<CapturedCondition | undefined>;
  /** Called at each look at a pod that is captured. */
  readonly onCaptured: (pod: Pod) => void;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A pod that the plugin brings has so long to be heard of from the API server. */
const UNHEARD_MS = 60_000;
const backoff = { initialMs: 250, maxMs: 30_000, jitter: 0.25 };

/**
 * Brings each pod of the node to where the mesh wants it, and keeps it there: whatever changes about a pod has it looked at
 * again, one look at a time.
 */
export class Enroller {
  readonly #options: EnrollerOptions;
  readonly #work: KeyedWork;
  readonly #released: ReleasedPods;
  readonly #ruleKeeper: RuleKeeper;
  /** Pods that are wanted and not captured, or captured and not released. */
  readonly #pending = new Set<string>();
  /** Of pods whose last look ended with something to be tried again. */
  readonly #attempts = new Map<string, Backoff>();
  #leaving = false;

  constructor(options: EnrollerOptions) {
    this.#options = options;
    const { concurrency, clock, steps, rules, objects, events, onRulesSet, metrics, log } = options;
    this.#work = new KeyedWork({
      concurrency,
      clock,
      work: (uid) => this.#look(uid),
      onFault: (uid, error) => log.error('a defect at work on a pod', { uid, error: describeError(error) }),
    });
    this.#released = new ReleasedPods({
      graceMs: options.releaseGraceMs,
      clock,
      onGraceOver: (uid) => {
        void this.#work.exclusive(uid, () => this.#dropReleased(uid)).catch(() => undefined);
      },
      finish: (netns, uid) => steps.finish(netns, uid),
    });
    const podObject = (uid: string): Pod | undefined => objects.pod(uid);
    this.#ruleKeeper = new RuleKeeper({ rules, steps, podObject, events, onRulesSet, metrics, log });
  }

  /** Something about the pod has changed. */
  touch(uid: string): void {
    this.#work.touch(uid);
  }

  /** A ztunnel has come: what failed for want of one is tried at once. */
  retryPending(): void {
    for (const uid of this.#pending) this.#work.touch(uid);
  }

  /**
   * Captures a pod that is being started, for the plugin, which waits.
   * @param netns owned from now on
   * @param signal aborted when the plugin no longer waits: then the pod is not captured
   * @throws ZdsError, RulesError, AgentError ERR_AGENT_GIVEN_UP
   */
  async captureStarting(
    pod: Pod,
    netns: NetworkNamespace,
    capture: PodCapture,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { pods, steps, clock, metrics } = this.#options;
    const { uid } = pod.metadata;
    try {
      await this.#work.exclusive(uid, async () => {
        if (this.#leaving) throw new AgentError('ERR_AGENT_LEAVING', `pod ${nameOf(pod)} comes too late`);
        await this.#dropReleased(uid);
        const before = pods.get(uid);
        // Its sandbox was made anew, or the runtime asks twice.
        if (before !== undefined) await steps.bury(before);
        const record = await steps.capture(pod, netns, capture, addresses);
        this.#options.onRulesSet(uid);
        if (signal.aborted) {
          await steps.bury(record);
          throw new AgentError('ERR_AGENT_GIVEN_UP', `pod ${nameOf(pod)} was captured too late`);
        }
        record.unheardUntilMs = clock.nowMs() + UNHEARD_MS;
        this.#pending.delete(uid);
      });
      metrics.changed('plugin-capture', 'done');
      this.#options.log.info('captured, before its first packet', {
        pod: nameOf(pod),
        addresses: addresses.join(' '),
      });
    } catch (error) {
      metrics.changed('plugin-capture', 'failed');
      throw error;
    } finally {
      this.#count();
      // Its annotation; or, when it was deleted meanwhile, its end.
      this.#work.touch(uid);
    }
  }

  /**
   * Compares a captured pod's rules with what they should be, and sets them anew if they differ.
   * @returns what was amiss; empty: nothing, or the pod is not captured any more
   */
  verify(uid: string): Promise<readonly string[]> {
    return this.#work.exclusive(uid, async () => {
      const record = this.#options.pods.get(uid);
      if (record?.netns === undefined || record.capture === undefined) return [];
      return this.#ruleKeeper.restore(record, record.netns, record.capture);
    });
  }

  /**
   * Releases all pods, and captures none any more: the mesh leaves the node. What ztunnel carries goes on until `stop`.
   * @returns pods that are still captured, because releasing them failed
   */
  async releaseAll(): Promise<number> {
    const { pods, objects, steps, status, log } = this.#options;
    this.#leaving = true;
    let unwritten = 0;
    const release = async (uid: string): Promise<void> => {
      const record = pods.get(uid);
      const pod = objects.pod(uid);
      if (record === undefined) return;
      if (pod === undefined) return steps.bury(record);
      if (!(await this.#release(pod, record))) return;
      // The account may have lost its permissions already, if it is removed with the agent.
      await status.write(pod, null).catch(() => (unwritten += 1));
    };
    await Promise.allSettled([...pods.keys()].map((uid) => this.#work.exclusive(uid, () => release(uid))));
    this.#count();
    if (unwritten > 0)
      log.warn(
        'annotations of released pods still say that they are captured; the next agent corrects them',
        {
          pods: unwritten,
        },
      );
    return pods.size;
  }

  /**
   * Captures a captured pod anew: its rules, and with ztunnel.
   * @param thorough ztunnel is to let go of it first, and to listen anew
   * @throws ZdsError, RulesError
   */
  recapture(uid: string, thorough: boolean): Promise<void> {
    const { pods, rules, steps } = this.#options;
    return this.#work.exclusive(uid, async () => {
      const record = pods.get(uid);
      if (record?.netns === undefined || record.capture === undefined) return;
      await rules.renew(record.netns, record.capture);
      steps.prepareKernel(record, record.netns);
      this.#options.onRulesSet(uid);
      await steps.handOver(record, record.netns, thorough);
    });
  }

  /** Ends work on pods. They stay captured; those that are being released are so at once. */
  async stop(): Promise<void> {
    await this.#work.stop();
    await this.#released.finishAll(this.#options.concurrency);
  }

  async #look(uid: string): Promise<void> {
    if (this.#leaving) return;
    const { objects, pods, settings } = this.#options;
    const pod = objects.pod(uid);
    const namespace = pod === undefined ? undefined : objects.namespace(pod.metadata.namespace ?? '');
    const record = pods.get(uid);
    if (record !== undefined && pod !== undefined) record.unheardUntilMs = 0;
    const wish = podWish(pod, namespace, settings, record !== undefined);
    switch (wish.kind) {
      case 'gone':
        await this.#end(uid, record);
        break;
      case 'leave':
        if (record === undefined) this.#pending.delete(uid);
        if (wish.refused) this.#refuse(pod!, wish.reason);
        if (record === undefined || (await this.#release(pod!, record))) await this.#announce(pod!, null);
        break;
      case 'capture':
        if (await this.#want(pod!, record, wish)) {
          this.#options.onCaptured(pod!);
          await this.#announce(pod!, 'enabled', await this.#options.proofOf(uid));
        } else if (!pods.has(uid)) await this.#announce(pod!, 'pending');
        // Else it is captured, though not as wanted: saying less would have the others send it plain text.
        break;
      case 'wait':
        break;
    }
    this.#count();
  }

  /** @returns whether the pod is captured as wanted */
  async #want(
    pod: Pod,
    record: CapturedPod | undefined,
    wish: Extract<PodWish, { kind: 'capture' }>,
  ): Promise<boolean> {
    const { uid } = pod.metadata;
    const change: PodChange = record === undefined ? 'capture' : 'update';
    try {
      for (const { annotation, problem } of wish.problems)
        this.#say(pod, 'AmbientAnnotationInvalid', `${annotation} is ignored: ${problem}`);
      const changed =
        record === undefined
          ? await this.#captureRunning(pod, wish.capture)
          : await this.#keep(pod, record, wish.capture);
      if (changed) this.#options.metrics.changed(change, 'done');
      if (changed && record === undefined)
        this.#options.log.info('captured, while it runs', {
          pod: nameOf(pod),
          addresses: addressesOf(pod).join(' '),
        });
      this.#pending.delete(uid);
      return true;
    } catch (error) {
      this.#failed(pod, change, error);
      return false;
    }
  }

  async #captureRunning(pod: Pod, capture: PodCapture): Promise<boolean> {
    const { uid } = pod.metadata;
    // Wanted again before its release is over: if that fails, the release goes on.
    const released = this.#released.namespaceOf(uid);
    const netns = released === undefined ? await this.#find(pod) : duplicate(released);
    await this.#options.steps.capture(pod, netns, capture, addressesOf(pod));
    this.#options.onRulesSet(uid);
    this.#released.recall(uid);
    return true;
  }

  /** A pod that is captured: completes what a restart left open, follows its annotations and addresses. */
  async #keep(pod: Pod, record: CapturedPod, capture: PodCapture): Promise<boolean> {
    const { steps, rules, reconcileRules } = this.#options;
    if (record.netns === undefined) {
      record.netns = await this.#find(pod);
      await steps.handOver(record, record.netns);
    }
    const fresh = addressesOf(pod).filter((ip) => !record.addresses.includes(ip));
    await steps.addAddresses(record, fresh);
    record.addresses = [...record.addresses, ...fresh];
    if (record.capture === undefined) {
      record.capture = capture;
      steps.prepareKernel(record, record.netns);
      if (reconcileRules) await this.#ruleKeeper.restore(record, record.netns, capture);
      record.complete = true;
      return false;
    }
    if (JSON.stringify(record.capture) === JSON.stringify(capture)) return false;
    await rules.renew(record.netns, capture);
    this.#options.onRulesSet(record.uid);
    record.capture = capture;
    this.#options.log.info('captured anew, as its annotations say now', { pod: nameOf(pod) });
    return true;
  }

  /** @returns whether the pod is released */
  async #release(pod: Pod, record: CapturedPod): Promise<boolean> {
    const { steps, settings, metrics, log } = this.#options;
    const { uid } = pod.metadata;
    try {
      record.netns ??= await this.#find(pod);
      const { netns } = record;
      const capture = record.capture ?? podCapture(pod.metadata.annotations, settings.capture).capture;
      await steps.release(record, capture);
      this.#pending.delete(uid);
      this.#released.add(uid, netns);
      metrics.changed('release', 'done');
      log.info('released', { pod: nameOf(pod) });
      return true;
    } catch (error) {
      this.#failed(pod, 'release', error);
      return false;
    }
  }

  async #end(uid: string, record: CapturedPod | undefined): Promise<void> {
    const { steps, clock, status, metrics, log } = this.#options;
    if (record !== undefined && clock.nowMs() < record.unheardUntilMs)
      return this.#work.touchLater(uid, record.unheardUntilMs - clock.nowMs());
    this.#pending.delete(uid);
    this.#attempts.delete(uid);
    status.forget(uid);
    await this.#dropReleased(uid);
    if (record === undefined) return;
    await steps.bury(record);
    metrics.changed('end', 'done');
    log.info('ended', { pod: `${record.namespace}/${record.name}` });
  }

  async #dropReleased(uid: string): Promise<void> {
    if (await this.#released.finish(uid)) this.#count();
  }

  async #find(pod: Pod): Promise<NetworkNamespace> {
    const addresses = addressesOf(pod);
    const netns = await this.#options.finder.find({ uid: pod.metadata.uid, addresses });
    if (netns !== undefined) return netns;
    throw new AgentError(
      'ERR_AGENT_NETNS',
      `no process of pod ${nameOf(pod)} with its address is on this node`,
    );
  }

  async #announce(pod: Pod, value: Redirection, condition?: CapturedCondition): Promise<void> {
    const { status, log } = this.#options;
    try {
      await status.write(pod, value, condition);
      if (!this.#pending.has(pod.metadata.uid)) this.#attempts.delete(pod.metadata.uid);
    } catch (error) {
      log.warn("cannot write a pod's status; it is tried again", {
        pod: nameOf(pod),
        error: describeError(error),
      });
      this.#retryLater(pod.metadata.uid);
    }
  }

  #failed(pod: Pod, change: PodChange, error: unknown): void {
    const { metrics, events, log } = this.#options;
    const { uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined && error instanceof AgentError && error.code === 'ERR_AGENT_NETNS') {
      // Its processes end before its object does, and nothing is left to be done. If they were only missed, it is looked at again.
      log.debug('no process is left of a pod that is being deleted', { pod: nameOf(pod) });
      this.#retryLater(uid);
      return;
    }
    metrics.changed(change, 'failed');
    const text = describeError(error);
    // Said once; the annotation, the metric and the Event go on saying it.
    const level = this.#pending.has(uid) ? 'debug' : 'warn';
    this.#pending.add(uid);
    const retryMs = this.#retryLater(uid);
    log.log(level, `a pod cannot be ${change === 'release' ? 'released' : 'captured'}; it is tried again`, {
      pod: nameOf(pod),
      error: text,
      retry_in: `${retryMs}ms`,
    });
    events.record(pod, change === 'release' ? 'AmbientReleaseFailed' : 'AmbientCaptureFailed', text);
  }

  #retryLater(uid: string): number {
    let attempts = this.#attempts.get(uid);
    if (attempts === undefined) this.#attempts.set(uid, (attempts = new Backoff(backoff)));
    const waitMs = Math.round(attempts.nextMs());
    this.#work.touchLater(uid, waitMs);
    return waitMs;
  }

  #refuse(pod: Pod, reason: string): void {
    this.#say(
      pod,
      'AmbientNotSupported',
      `the pod is selected for the mesh, but cannot be captured (${reason}): it shares the node's network. Label it istio.io/dataplane-mode=none to say that this is meant.`,
    );
  }

  #say(pod: Pod, reason: EventReason, note: string): void {
    this.#options.log.info(note, { pod: nameOf(pod) });
    this.#options.events.record(pod, reason, note);
  }

  #count(): void {
    const { metrics, pods, onChanged } = this.#options;
    onChanged();
    metrics.pods('captured', pods.size);
    metrics.pods('pending', this.#pending.size);
    metrics.pods('releasing', this.#released.size);
  }
}

function duplicate(netns: NetworkNamespace): NetworkNamespace {
  return NetworkNamespace.open(`/proc/self/fd/${netns.fd}`);
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}
