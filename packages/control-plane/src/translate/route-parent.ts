// The parents of a route that are services of the mesh: which they are, and whether the route can have an effect there. Of its
// Gateways nothing is said here.
import type { ObjectMeta, ParentReference, Route } from '@ambient/kube';
import { isRecord } from '@ambient/kube';
import type { ClusterLookup } from '../cluster/lookup.ts';
import { isInMesh } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { readServiceEntry } from './read-service-entry.ts';
import { ownedHosts, visibilityOf } from './service-ownership.ts';

/** A reference to a service, read from JSON that no schema may have checked. */
export interface MeshParent {
  readonly kind: 'Service' | 'ServiceEntry';
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
  /** As the route has it, which is how its status names the parent. */
  readonly written: ParentReference;
}

/** Reasons of `Accepted` (Gateway API, RouteConditionReason). */
export type AttachmentReason = 'Accepted' | 'NoMatchingParent' | 'UnsupportedValue';

export interface Attachment {
  readonly reason: AttachmentReason;
  readonly message: string;
  /** The service, where it is part of the mesh; its waypoint is where the route has its effect. */
  readonly service:
    | {
        readonly metadata: ObjectMeta;
        /** It is seen in its own namespace only. */
        readonly namespaceOnly: boolean;
      }
    | undefined;
}

interface Port {
  readonly name?: string;
  readonly number: number;
  readonly protocol?: string;
}

/** A reference that is one to a service; undefined for one to anything else, which is read as a Gateway if it names no kind. */
export function readMeshParent(reference: unknown, routeNamespace: string): MeshParent | undefined {
  if (!isRecord(reference)) return undefined;
  const { group, kind, namespace = routeNamespace, name, sectionName, port } = reference;
  const isService = kind === 'Service' && (group === '' || group === 'core');
  const isEntry = kind === 'ServiceEntry' && group === 'networking.istio.io';
  if (!isService && !isEntry) return undefined;
  if (typeof name !== 'string' || name === '' || typeof namespace !== 'string') return undefined;
  if (sectionName !== undefined && typeof sectionName !== 'string') return undefined;
  if (port !== undefined && typeof port !== 'number') return undefined;
  return {
    kind,
    namespace,
    name,
    sectionName,
    port,
    written: {
      group,
      kind,
      ...(reference['namespace'] === undefined ? {} : { namespace }),
      name,
      ...(sectionName === undefined ? {} : { sectionName }),
      ...(port === undefined ? {} : { port }),
    },
  };
}

/** Two references with one key mean the same. */
export function parentKey({ kind, namespace, name, sectionName, port }: MeshParent): string {
  return [kind, namespace, name, sectionName ?? '', port ?? ''].join('/');
}

/** The services that a route names as its parents, each once, in its order. */
export function meshParents(route: Route): MeshParent[] {
  const spec: unknown = route.spec;
  const references = isRecord(spec) ? spec['parentRefs'] : undefined;
  if (!Array.isArray(references)) return [];
  const parents = new Map<string, MeshParent>();
  for (const reference of references as unknown[]) {
    const parent = readMeshParent(reference, route.metadata.namespace ?? '');
    if (parent === undefined) continue;
    const key = parentKey(parent);
    if (!parents.has(key)) parents.set(key, parent);
  }
  return [...parents.values()];
}

/**
 * Whether a route can have an effect at a parent: that is there, is part of the mesh, has the port, and is of the route's own
 * namespace. A waypoint stands in front of its services for all clients alike, so it has no place for a route that a
 * namespace of clients sets for itself (facts of Istio: consumer routes are ignored there).
 */
export function attach(
  parent: MeshParent,
  routeNamespace: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): Attachment {
  const name = `${parent.kind} ${parent.namespace}/${parent.name}`;
  const found = find(parent, name, lookup, mesh);
  if (typeof found === 'string') return { reason: 'NoMatchingParent', message: found, service: undefined };
  const { service, ports } = found;
  if (!ports.some((port) => isMeant(parent, port)))
    return { reason: 'NoMatchingParent', message: `${name} has no TCP port ${portText(parent)}`, service };
  if (parent.namespace !== routeNamespace)
    return {
      reason: 'UnsupportedValue',
      message: `${name} is of another namespace, and a waypoint does not apply routes of its clients' namespaces: create the route in namespace ${parent.namespace}`,
      service,
    };
  return { reason: 'Accepted', message: `attached to ${name}`, service };
}

interface FoundService {
  readonly service: NonNullable<Attachment['service']>;
  readonly ports: readonly Port[];
}

/** @returns why not, where there is none that the mesh has */
function find(
  parent: MeshParent,
  name: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): FoundService | string {
  if (parent.kind === 'Service') {
    const service = lookup.get('Service', parent.namespace, parent.name);
    if (service === undefined) return `${name} does not exist`;
    if (!isInMesh(service))
      return `${name} is of type ExternalName, a mere alias that the mesh does not have`;
    const ports = (service.spec?.ports ?? []).map(({ port, ...further }) => ({ number: port, ...further }));
    return { service: { metadata: service.metadata, namespaceOnly: false }, ports };
  }
  const entry = lookup.get('ServiceEntry', parent.namespace, parent.name);
  if (entry === undefined) return `${name} does not exist`;
  const visibility = visibilityOf(entry, lookup, mesh);
  if (visibility === 'NONE') return `${name} is no part of the mesh, by serviceEntryVisibility of the mesh`;
  if (ownedHosts(entry, lookup, mesh).length === 0)
    return `${name} stands for no host: it is refused, or other services of its namespace have its hosts`;
  const { ports } = readServiceEntry(entry);
  return { service: { metadata: entry.metadata, namespaceOnly: visibility === 'NAMESPACE' }, ports };
}

/** Section and port have to be those of one port where both are named (Gateway API, ParentReference). */
function isMeant({ sectionName, port }: MeshParent, { name = '', number, protocol = 'TCP' }: Port): boolean {
  if (sectionName === undefined && port === undefined) return true;
  if (protocol === 'UDP' || protocol === 'SCTP') return false;
  return (sectionName === undefined || sectionName === name) && (port === undefined || port === number);
}

function portText({ sectionName, port }: MeshParent): string {
  const name = sectionName === undefined ? '' : `named ${JSON.stringify(sectionName)}`;
  const number = port === undefined ? '' : `${port}`;
  return [number, name].filter((text) => text !== '').join(' ');
}
