// Which object stands for a host name. In a namespace a Kubernetes Service comes before ServiceEntries, and of
// those the oldest; between namespaces one of all is canonical, for clients that see several.
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { ServiceEntry } from '@ambient/kube';
import { matchesLabelSelector } from '@ambient/kube/label-selector';
import { isInMesh } from './mesh-service.ts';
import type { MeshSettings, Visibility } from './mesh-settings.ts';
import { serviceOfHostname } from './names.ts';
import { readServiceEntry } from './read-service-entry.ts';

/** What the mesh's administrator lets be seen of a ServiceEntry. */
export function visibilityOf(entry: ServiceEntry, lookup: ClusterLookup, mesh: MeshSettings): Visibility {
  const rules = mesh.serviceEntryVisibility;
  if (rules === undefined) return 'PUBLIC';
  const labels = lookup.get('Namespace', '', entry.metadata.namespace ?? '')?.metadata.labels;
  const policy = rules.policies.find(({ namespaceSelectors }) =>
    namespaceSelectors.every((selector) => matchesLabelSelector(selector, labels)),
  );
  return policy?.visibility ?? rules.defaultVisibility;
}

/** The hosts that an entry stands for in its namespace, in its order; none for one that is refused or hidden. */
export function ownedHosts(entry: ServiceEntry, lookup: ClusterLookup, mesh: MeshSettings): string[] {
  const { hosts } = readServiceEntry(entry);
  if (hosts.length === 0 || visibilityOf(entry, lookup, mesh) === 'NONE') return [];
  return hosts.filter((host) => ownsHost(entry, host, lookup, mesh));
}

function ownsHost(entry: ServiceEntry, host: string, lookup: ClusterLookup, mesh: MeshSettings): boolean {
  const namespace = entry.metadata.namespace ?? '';
  const service = serviceOfHostname(host, mesh.domain);
  if (service?.namespace === namespace && isInMesh(lookup.get('Service', namespace, service.name)))
    return false;
  return lookup
    .list('ServiceEntry', 'by-host', host)
    .every(
      (rival) => rival.metadata.namespace !== namespace || !isBefore(rival, entry) || !stands(rival, host),
    );
}

/** Whether an entry is the one that clients of all namespaces take for a host that several have. */
export function isCanonical(
  entry: ServiceEntry,
  host: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): boolean {
  const service = serviceOfHostname(host, mesh.domain);
  if (service !== undefined && isInMesh(lookup.get('Service', service.namespace, service.name))) return false;
  if (visibilityOf(entry, lookup, mesh) !== 'PUBLIC') return false;
  return lookup
    .list('ServiceEntry', 'by-host', host)
    .every(
      (rival) =>
        !isBefore(rival, entry) || !stands(rival, host) || visibilityOf(rival, lookup, mesh) !== 'PUBLIC',
    );
}

function stands(entry: ServiceEntry, host: string): boolean {
  return readServiceEntry(entry).hosts.includes(host);
}

/** Older first; names decide between those of one second, so that every replica agrees. */
function isBefore(a: ServiceEntry, b: ServiceEntry): boolean {
  // RFC 3339 in UTC to the second: text compares as time does.
  const ageA = a.metadata.creationTimestamp ?? '';
  const ageB = b.metadata.creationTimestamp ?? '';
  if (ageA !== ageB) return ageA < ageB;
  const nameA = `${a.metadata.namespace ?? ''}/${a.metadata.name}`;
  return nameA < `${b.metadata.namespace ?? ''}/${b.metadata.name}`;
}
