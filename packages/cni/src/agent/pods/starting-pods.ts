import { join } from 'node:path';
import type { KubeClient, Namespace, Pod } from '@ambient/kube';
import { builtInPath, trimObject } from '@ambient/kube';
import { NetworkNamespace } from '@ambient/linux';
import { describeError, sleep } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { NodeObjects } from '../cluster/node-objects.ts';
import { AgentError } from '../errors.ts';
import type { StartingPod } from '../sockets/plugin-server.ts';
import type { CapturedPod } from './captured-pod.ts';
import type { Enroller } from './enroller.ts';
import type { PodWish, WishSettings } from './wish.ts';
import { addressesOf, hasEnded, podWish } from './wish.ts';

export interface StartingPodsOptions {
  readonly objects: Pick<NodeObjects, 'podByName' | 'namespace' | 'isSynced'>;
  readonly pods: ReadonlyMap<string, CapturedPod>;
  readonly client: KubeClient;
  readonly enroller: Pick<Enroller, 'captureStarting'>;
  /** Resolves when a ztunnel is connected, or after a time without one. */
  readonly ztunnelWithin: (ms: number) => Promise<void>;
  readonly settings: WishSettings;
  /** Where the node's files are mounted. */
  readonly hostRoot: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The API server's watch may be a little behind the container runtime. */
const HEARD_ATTEMPTS = 10;
const HEARD_INTERVAL_MS = 10;
/** The plugin waits 5 s in all. */
const ZTUNNEL_PATIENCE_MS = 3500;
const API_TIMEOUT_MS = 1000;

/** Pods that the plugin brings: captures them before their containers start. */
export class StartingPods {
  readonly #options: StartingPodsOptions;

  constructor(options: StartingPodsOptions) {
    this.#options = options;
  }

  /** @throws AgentError, ZdsError, RulesError, and those of the Kubernetes API */
  async capture(starting: StartingPod, signal: AbortSignal): Promise<void> {
    const { enroller, objects, ztunnelWithin, log } = this.#options;
    const name = `${starting.namespace}/${starting.name}`;
    if (!objects.isSynced) throw new AgentError('ERR_AGENT_STARTING', `pod ${name} comes too early`);
    const { pod, wish } = await this.#know(starting);
    if (wish.kind !== 'capture') {
      log.info('a pod that starts is not for the mesh', {
        pod: name,
        reason: wish.kind === 'gone' ? 'ended' : wish.reason,
      });
      return;
    }
    await ztunnelWithin(ZTUNNEL_PATIENCE_MS);
    const addresses = starting.addresses.length > 0 ? starting.addresses : addressesOf(pod);
    await enroller.captureStarting(pod, this.#open(starting, name), wish.capture, addresses, signal);
  }

  /** The watch may be behind, in what it does not say as well: only what speaks for a capture is taken from it. */
  async #know(starting: StartingPod): Promise<{ readonly pod: Pod; readonly wish: PodWish }> {
    const { objects, settings } = this.#options;
    const heard = await this.#heard(starting);
    if (heard !== undefined) {
      const wish = podWish(heard, objects.namespace(starting.namespace), settings, true);
      if (wish.kind === 'capture') return { pod: heard, wish };
    }
    const [pod, namespace] = await this.#ask(starting);
    return { pod, wish: podWish(pod, namespace, settings, true) };
  }

  async #heard({ namespace, name }: StartingPod): Promise<Pod | undefined> {
    const { objects, clock } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const pod = objects.podByName(namespace, name);
      // One that ends may have been followed by another of its name, as in a StatefulSet.
      if (pod !== undefined && !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined) return pod;
      if (attempt === HEARD_ATTEMPTS) return undefined;
      await sleep(clock, HEARD_INTERVAL_MS);
    }
  }

  async #ask({ namespace, name }: StartingPod): Promise<readonly [Pod, Namespace]> {
    const { client } = this.#options;
    const get = (path: string): Promise<unknown> =>
      client.request({ path, timeoutMs: API_TIMEOUT_MS, retries: 0 });
    try {
      const [pod, space] = await Promise.all([
        get(builtInPath('Pod', namespace, name)),
        get(builtInPath('Namespace', undefined, namespace)),
      ]);
      const found = trimObject('Pod', 'v1', pod);
      const around = trimObject('Namespace', 'v1', space);
      if (found !== undefined && around !== undefined) return [found, around];
    } catch (cause) {
      throw new AgentError(
        'ERR_AGENT_POD_UNKNOWN',
        `cannot learn about pod ${namespace}/${name}: ${describeError(cause)}`,
        { cause },
      );
    }
    throw new AgentError(
      'ERR_AGENT_POD_UNKNOWN',
      `the API server's answer about ${namespace}/${name} is no pod`,
    );
  }

  #open({ netns }: StartingPod, name: string): NetworkNamespace {
    const path = join(this.#options.hostRoot, netns);
    try {
      return NetworkNamespace.open(path);
    } catch (cause) {
      throw new AgentError(
        'ERR_AGENT_NETNS',
        `cannot open the network namespace of pod ${name} at ${path}: ${describeError(cause)}`,
        { cause },
      );
    }
  }
}
