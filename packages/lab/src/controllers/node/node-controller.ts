import { formatTime, patchType } from '@ambient/kube';

import { canonical } from '../cache/canonical.ts';
import type { ControllerContext } from '../controller.ts';
import type { Node } from '../objects.ts';
import { onWorkloadChange } from '../pods/pod-family.ts';
import { conditionOf, isReady } from '../pods/pod-state.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { silentConditions, taintsOf } from './node-health.ts';

/**
 * Watches the heartbeats of nodes: the Lease of each in `kube-node-lease`. One that was renewed once and then not for the grace
 * period makes its node unreachable, and its pods not ready. A node that never had a Lease is what it says it is.
 */
export class NodeController extends QueuedController {
  readonly #graceMs: number;
  /** When each Lease was seen to change, by this machine's clock. */
  readonly #heardMs = new Map<string, number>();

  /** @param graceMs how long a node may be silent */
  constructor(context: ControllerContext, graceMs: number) {
    super(context, { name: 'node-controller' });
    const { cache, clock } = context;
    this.#graceMs = graceMs;
    for (const { metadata } of cache.tables.Lease.values()) this.#heardMs.set(metadata.name, clock.nowMs());
    this.hear(
      cache.tables.Lease.listen((lease, previous) => {
        const { name } = (lease ?? previous!).metadata;
        if (lease === undefined) this.#heardMs.delete(name);
        else if (lease.spec?.renewTime !== previous?.spec?.renewTime) this.#heardMs.set(name, clock.nowMs());
        // Only the first one has to be told of: from then on there is a time to look again.
        if (lease === undefined || previous === undefined) this.look(name);
      }),
    );
    this.hear(onWorkloadChange(cache, 'Node', (key) => this.look(key)));
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    let node = cache.tables.Node.get(key);
    if (node === undefined) return undefined;
    const heardMs = this.#heardMs.get(key);
    const leftMs = heardMs === undefined ? undefined : heardMs + this.#graceMs - clock.nowMs();
    if (leftMs !== undefined && leftMs <= 0) {
      const conditions = silentConditions(node, clock.nowMs());
      if (conditions.length > 0) {
        const options = { subresource: 'status', contentType: patchType.strategicMerge };
        node = await writer.patch('Node', node, { status: { conditions } }, options);
        this.tell(node, 'NodeNotReady', `Node ${key} status is now: NodeNotReady`);
      }
    }
    const taints = taintsOf(node, clock.nowMs());
    if (canonical(taints) !== canonical(node.spec?.taints ?? [])) {
      const { resourceVersion } = node.metadata;
      await writer.patch('Node', node, { metadata: { resourceVersion }, spec: { taints } });
    }
    if (conditionOf(node.status?.conditions, 'Ready')?.status === 'Unknown')
      await this.#podsAreNotReady(node);
    return leftMs !== undefined && leftMs > 0 ? leftMs : undefined;
  }

  /** Nobody answers for them, so that Services no longer lead there. */
  async #podsAreNotReady({ metadata }: Node): Promise<void> {
    const { cache, writer, clock } = this.context;
    for (const pod of [...cache.tables.Pod.by('node', metadata.name)]) {
      if (!isReady(pod)) continue;
      const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.nowMs()) };
      const options = { subresource: 'status', contentType: patchType.strategicMerge };
      await writer.patch('Pod', pod, { status: { conditions: [condition] } }, options);
    }
  }
}
