import type { KubeClient } from '@ambient/kube';
import { sleep } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { ZdsServer } from '../zds/server.ts';
import type { NodeObjects } from './cluster/node-objects.ts';
import type { StayDecision } from './install/stay-installed.ts';
import { decideStay } from './install/stay-installed.ts';
import type { Enroller } from './pods/enroller.ts';
import type { AgentSettings } from './settings/settings.ts';

export interface LeavingOptions {
  readonly client: KubeClient;
  readonly objects: NodeObjects;
  readonly cluster: AgentSettings['cluster'];
  readonly install: AgentSettings['install'];
  readonly clock: Clock;
  readonly log: Logger;
}

const STAY_QUESTION_MS = 2000;
/** When the mesh leaves the node, connections that ztunnel carries have so long to end by themselves. */
const LEAVING_GRACE_MS = 5000;

/** What an agent that ends leaves on the node, and what it takes away. */
export class Leaving {
  readonly #options: LeavingOptions;
  #final = false;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** It was decided that nothing stays. */
  get isFinal(): boolean {
    return this.#final;
  }

  /** Whether another agent follows, and whether the mesh leaves the node; says which, and why. */
  async decide(): Promise<StayDecision> {
    const decision = await this.#ask();
    const { stay, reason } = decision;
    const { log } = this.#options;
    log.info(stay ? 'what is installed on the node stays' : 'what is installed on the node is removed', {
      reason,
    });
    this.#final = !stay;
    return decision;
  }

  /** Gives the node's pods back; what ztunnel carries of them has a moment to end. @param captured how many there are */
  async releaseAll(enroller: Enroller, zds: ZdsServer, captured: number): Promise<void> {
    const { clock, log } = this.#options;
    const left = await enroller.releaseAll();
    log.info('the pods of the node are released', { pods: captured - left, still_captured: left });
    if (captured > left && zds.connected > 0) await sleep(clock, LEAVING_GRACE_MS);
  }

  async #ask(): Promise<StayDecision> {
    const { client, objects, cluster, install } = this.#options;
    if (objects.daemonSetDeleted)
      return { stay: false, meshLeaves: true, reason: 'its DaemonSet is deleted' };
    if (install.disableSafeUpgrade)
      return { stay: false, meshLeaves: false, reason: 'AMBIENT_DISABLE_SAFE_UPGRADE is set' };
    const decision = await decideStay({
      client,
      namespace: cluster.namespace,
      nodeName: cluster.nodeName,
      ownConfig: install.ownConfig,
      timeoutMs: STAY_QUESTION_MS,
    });
    // A DaemonSet that was never there, as of an agent that is run by hand, cannot have been deleted.
    return { ...decision, meshLeaves: decision.meshLeaves && objects.daemonSetSeen };
  }
}
