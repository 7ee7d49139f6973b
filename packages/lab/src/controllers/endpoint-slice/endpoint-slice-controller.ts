import { hasLabels } from '@ambient/kube';

import type { ControllerContext } from '../controller.ts';
import { labelKey } from '../cache/cluster-cache.ts';
import { canonical } from '../cache/canonical.ts';
import type { EndpointSlice, Pod, Service } from '../objects.ts';
import { onWorkloadChange } from '../pods/pod-family.ts';
import { isFinished, isReady, isTerminating } from '../pods/pod-state.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { endpointOf, familiesOf } from './endpoints.ts';
import type { Family } from './endpoints.ts';
import { managedByLabel, planSlices, sliceManager } from './slice-plan.ts';

/** Keeps the EndpointSlices of every Service that has a selector; those of others are left alone. */
export class EndpointSliceController extends QueuedController {
  constructor(context: ControllerContext) {
    super(context, {
      name: 'endpoint-slice-controller',
      // Pods of one rollout become ready together; a tenth of a second is what their readiness may take to be known.
      gatherMs: 15,
    });
    const { cache } = context;
    this.hear(onWorkloadChange(cache, 'Service', (key) => this.look(key)));
    this.hear(
      cache.tables.Pod.listen((pod, previous) => {
        if (pod !== undefined && previous !== undefined && seenBySlices(pod) === seenBySlices(previous))
          return;
        this.#lookAtServicesOf(pod, previous);
      }),
    );
    this.hear(
      cache.tables.EndpointSlice.listen((slice, previous) => {
        const { metadata } = slice ?? previous!;
        if (metadata.labels?.[managedByLabel] !== sliceManager) return;
        const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'Service');
        if (owner !== undefined) this.look(`${metadata.namespace ?? ''}/${owner.name}`);
      }),
    );
    this.hear(
      cache.tables.Node.listen((node, previous) => {
        if (canonical(node?.metadata.labels) === canonical(previous?.metadata.labels)) return;
        for (const pod of cache.tables.Pod.by('node', (node ?? previous!).metadata.name))
          this.#lookAtServicesOf(pod, undefined);
      }),
    );
  }

  #lookAtServicesOf(pod: Pod | undefined, previous: Pod | undefined): void {
    const { namespace = '' } = (pod ?? previous!).metadata;
    for (const service of this.context.cache.tables.Service.by('namespace', namespace)) {
      const { selector } = service.spec ?? {};
      if (!selects(selector)) continue;
      if ([pod, previous].some((each) => each !== undefined && hasLabels(each.metadata.labels, selector)))
        this.look(`${namespace}/${service.metadata.name}`);
    }
  }

  protected override async reconcile(key: string): Promise<undefined> {
    const { cache } = this.context;
    const service = cache.tables.Service.get(key);
    // The garbage collector takes the slices of a Service that is gone.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
    const own = [...cache.tables.EndpointSlice.by('service', key)].filter(
      ({ metadata }) => metadata.labels?.[managedByLabel] === sliceManager,
    );
    const selector = service.spec?.selector;
    if (!selects(selector)) return;
    const families = familiesOf(service);
    for (const slice of own)
      if (!families.includes(slice.addressType as Family))
        await this.context.writer.delete('EndpointSlice', slice);
    const pods = this.#podsOf(service, selector);
    for (const family of families) await this.#bring(service, family, pods, own);
  }

  #podsOf({ metadata }: Service, selector: Readonly<Record<string, string>>): Pod[] {
    const [first] = Object.entries(selector);
    if (first === undefined) return [];
    const found = this.context.cache.tables.Pod.by('label', labelKey(metadata.namespace, ...first));
    return [...found].filter((pod) => hasLabels(pod.metadata.labels, selector));
  }

  async #bring(
    service: Service,
    family: Family,
    pods: readonly Pod[],
    own: readonly EndpointSlice[],
  ): Promise<void> {
    const { cache, writer } = this.context;
    const nodeOf = (name: string): ReturnType<typeof cache.tables.Node.get> => cache.tables.Node.get(name);
    const endpoints = pods.flatMap((pod) => endpointOf(service, family, pod, nodeOf) ?? []);
    const existing = own.filter(
      ({ addressType, metadata }) => addressType === family && metadata.deletionTimestamp === undefined,
    );
    const { create, update, remove } = planSlices(service, family, endpoints, existing);
    for (const slice of create) await writer.create('EndpointSlice', slice);
    for (const slice of update) await writer.replace('EndpointSlice', slice);
    for (const slice of remove) await writer.delete('EndpointSlice', slice);
  }
}

function selects(
  selector: Readonly<Record<string, string>> | undefined,
): selector is Readonly<Record<string, string>> {
  return selector !== undefined && Object.keys(selector).length > 0;
}

/** What of a pod matters to slices: most changes of its status do not. */
function seenBySlices(pod: Pod): string {
  const { labels } = pod.metadata;
  const { podIPs, podIP } = pod.status ?? {};
  return canonical([
    labels,
    pod.spec?.nodeName,
    podIPs,
    podIP,
    isReady(pod),
    isTerminating(pod),
    isFinished(pod),
  ]);
}
