/** Which EndpointSlices a Service needs, made out of those that it has. Pure. */
import type { Endpoint, EndpointSlicePort } from '@ambient/kube';

import { canonical } from '../cache/canonical.ts';
import { serviceNameLabel } from '../cache/cluster-cache.ts';
import type { NewObject } from '../cache/cluster-writer.ts';
import type { EndpointSlice, Service } from '../objects.ts';
import { controlledBy } from '../pods/pod-template.ts';
import type { Family, PodEndpoint } from './endpoints.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const sliceManager = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';

/** Endpoints a slice holds at most, as in Kubernetes. */
const sliceCapacity = 100;

export interface SlicePlan {
  readonly create: readonly NewObject[];
  /** Whole objects, to be written over those of their names. */
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

interface Draft {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/**
 * Endpoints stay in the slice that they are in, so that a change of one pod changes one slice; new ones fill what is there before
 * another slice is made. A Service without endpoints keeps one empty slice of each family.
 *
 * @param existing slices of this Service and family that the controller made
 */
export function planSlices(
  service: Service,
  family: Family,
  endpoints: readonly PodEndpoint[],
  existing: readonly EndpointSlice[],
): SlicePlan {
  const groups = new Map<string, { ports: readonly EndpointSlicePort[]; endpoints: Map<string, Endpoint> }>();
  for (const { endpoint, ports } of endpoints) {
    const key = canonical(ports);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { ports, endpoints: new Map() }));
    group.endpoints.set(keyOf(endpoint), endpoint);
  }
  if (groups.size === 0) groups.set('', { ports: [], endpoints: new Map() });
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groups.has('') ? '' : canonical(slice.ports ?? []);
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  const create: NewObject[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const [key, slicesOfGroup] of slices) if (!groups.has(key)) remove.push(...slicesOfGroup);
  for (const [key, group] of groups) {
    const drafts = kept(slices.get(key) ?? [], group.endpoints);
    const left = fill(drafts, [...group.endpoints.values()]);
    const full = drafts.filter((draft) => draft.endpoints.length > 0);
    const staying = full.length > 0 ? full : drafts.slice(0, 1);
    for (const draft of drafts) {
      const next = written(service, draft.slice, draft.endpoints, group.ports);
      if (!staying.includes(draft)) remove.push(draft.slice);
      else if (draft.changed || differs(draft.slice, next)) update.push(next);
    }
    const needed = Math.max(staying.length === 0 ? 1 : 0, Math.ceil(left.length / sliceCapacity));
    for (let made = 0; made < needed; made++) {
      const from = made * sliceCapacity;
      create.push(newSlice(service, family, left.slice(from, from + sliceCapacity), group.ports));
    }
  }
  return { create, update, remove };
}

/** What is left of each slice; the endpoints that found their place are taken out of `wanted`. */
function kept(slices: readonly EndpointSlice[], wanted: Map<string, Endpoint>): Draft[] {
  return slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    let changed = false;
    for (const before of slice.endpoints ?? []) {
      const key = keyOf(before);
      const now = wanted.get(key);
      changed ||= now === undefined || canonical(now) !== canonical(before);
      if (now !== undefined) endpoints.push(now);
      wanted.delete(key);
    }
    return { slice, endpoints, changed };
  });
}

/** Puts new endpoints where there is room, into slices that change anyway first; those that found none. */
function fill(drafts: readonly Draft[], wanted: readonly Endpoint[]): readonly Endpoint[] {
  let next = 0;
  for (const draft of drafts.toSorted((a, b) => Number(b.changed) - Number(a.changed)))
    while (draft.endpoints.length < sliceCapacity && next < wanted.length) {
      draft.endpoints.push(wanted[next++]!);
      draft.changed = true;
    }
  return wanted.slice(next);
}

function keyOf({ targetRef, addresses = [] }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join(',')}`;
}

function labelsOf(service: Service): Record<string, string> {
  const { [headlessLabel]: _, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: sliceManager,
    ...(service.spec?.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
  };
}

function newSlice(
  service: Service,
  family: Family,
  endpoints: readonly Endpoint[],
  ports: readonly EndpointSlicePort[],
): NewObject {
  const { name, namespace } = service.metadata;
  return {
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelsOf(service),
      ownerReferences: [controlledBy(service)],
    },
    addressType: family,
    endpoints,
    ports,
  };
}

function written(
  service: Service,
  slice: EndpointSlice,
  endpoints: readonly Endpoint[],
  ports: readonly EndpointSlicePort[],
): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels: labelsOf(service) }, endpoints, ports };
}

function differs(before: EndpointSlice, now: EndpointSlice): boolean {
  return canonical([before.metadata.labels, before.ports]) !== canonical([now.metadata.labels, now.ports]);
}
