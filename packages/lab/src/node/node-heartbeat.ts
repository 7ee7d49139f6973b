import type { Clock, Logger } from '@ambient/runtime';
import { builtInPath, formatMicroTime, KubeStatusError, patchType } from '@ambient/kube';
import type { Condition, KubeClient } from '@ambient/kube';

import { nodeLeaseNamespace } from '../objects/well-known.ts';
import { messageOf } from './errors.ts';
import type { NodeFacts, NodeHealth } from './node-object.ts';
import { heartbeatMs, leaseSeconds, nodeLabels, nodeObject, nodeStatus } from './node-object.ts';

export interface NodeHeartbeatOptions {
  readonly client: KubeClient;
  readonly facts: NodeFacts;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked at each beat. */
  readonly health: () => Promise<NodeHealth>;
}

const whileUnreadyMs = 500;

/** Registers a node and keeps saying that it lives: by its Lease at each beat, by its status when that has changed. */
export class NodeHeartbeat {
  readonly #options: NodeHeartbeatOptions;
  #timer: Disposable | undefined;
  #beat: Promise<void> = Promise.resolve();
  #registered = false;
  #told: NodeHealth | undefined;
  #stopped = false;

  constructor(options: NodeHeartbeatOptions) {
    this.#options = options;
  }

  /** Resolves after the first beat, whether or not the API server was there. */
  async start(): Promise<void> {
    this.#next();
    await this.#beat;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
    await this.#beat;
  }

  #next(): void {
    if (this.#stopped) return;
    this.#timer?.[Symbol.dispose]();
    this.#beat = this.#tell().then(
      () => this.#after(this.#told?.ready === true ? heartbeatMs : whileUnreadyMs),
      (error: unknown) => {
        this.#options.log.warn('the node is not known to be alive', { error: messageOf(error) });
        this.#after(1000);
      },
    );
  }

  #after(ms: number): void {
    if (!this.#stopped) this.#timer = this.#options.clock.setTimer(ms, () => this.#next());
  }

  async #tell(): Promise<void> {
    const { client, facts, clock, health } = this.#options;
    const path = builtInPath('Node', undefined, facts.name);
    if (!this.#registered) {
      const made = await unlessStatus(409, () =>
        client.request({ method: 'POST', path: builtInPath('Node'), body: nodeObject(facts) }),
      );
      if (!made) {
        const body = { metadata: { labels: nodeLabels(facts) }, spec: nodeObject(facts)['spec'] };
        await client.request({ method: 'PATCH', path, contentType: patchType.strategicMerge, body });
      }
      this.#registered = true;
    }
    const now = await health();
    if (this.#told?.ready !== now.ready || this.#told.message !== now.message || (await this.#gainsaid())) {
      const nowMs = clock.nowMs();
      const body = { status: nodeStatus(facts, now, nowMs, nowMs) };
      await client.request({
        method: 'PATCH',
        path: `${path}/status`,
        contentType: patchType.strategicMerge,
        body,
      });
      this.#told = now;
    }
    await this.#renewLease();
  }

  /** Whether the node was given up while it could not be heard: nobody but the node itself takes that back. */
  async #gainsaid(): Promise<boolean> {
    const { client, facts } = this.#options;
    const { status } = await client.request<{
      readonly status?: { readonly conditions?: readonly Condition[] };
    }>({ path: builtInPath('Node', undefined, facts.name) });
    return status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'Unknown') ?? false;
  }

  async #renewLease(): Promise<void> {
    const { client, facts, clock } = this.#options;
    const renewTime = formatMicroTime(clock.nowMs());
    const spec = { holderIdentity: facts.name, leaseDurationSeconds: leaseSeconds, renewTime };
    const path = builtInPath('Lease', nodeLeaseNamespace, facts.name);
    const renewed = await unlessStatus(404, () =>
      client.request({ method: 'PATCH', path, contentType: patchType.merge, body: { spec } }),
    );
    if (renewed) return;
    const metadata = { name: facts.name, namespace: nodeLeaseNamespace };
    await client.request({
      method: 'POST',
      path: builtInPath('Lease', nodeLeaseNamespace),
      body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
    });
  }
}

/** Whether a request succeeded; false for one status, any other failure is thrown. */
async function unlessStatus(status: number, request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (error) {
    if (error instanceof KubeStatusError && error.status === status) return false;
    throw error;
  }
}
