import type { KnownService, MeshStore, Workload } from '@ambient/mesh';
import type { MeshRecords } from './answer.ts';
import type { DnsQuery } from './message.ts';
import { CLASS_IN, OPCODE_QUERY, recordTypes } from './message.ts';
import { candidateNames } from './candidate-names.ts';

/** What a question is answered by. */
export type DnsPlan =
  /** The mesh knows the name. Without an address of the family asked for, the answer says that there is none. */
  | { readonly kind: 'mesh'; readonly service: KnownService; readonly records: MeshRecords }
  | {
      readonly kind: 'forward';
      readonly why: 'not a question for an address' | 'not in the mesh' | 'no address in the mesh';
    };

/** What of the proxy's settings decides about names. */
export interface NameScope {
  readonly store: MeshStore;
  /** Such as `cluster.local`. */
  readonly clusterDomain: string;
  readonly preferredNamespace: string | undefined;
  /** Domains that clients append to names; undefined: those of Kubernetes for the client's namespace. */
  readonly searchDomains: readonly string[] | undefined;
  /** False: the mesh has no AAAA record to give. */
  readonly ipv6Enabled: boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

const forward = (why: Extract<DnsPlan, { kind: 'forward' }>['why']): DnsPlan => ({ kind: 'forward', why });
const nowhere = forward('not in the mesh');
const noAddress = forward('no address in the mesh');
const otherQuestion = forward('not a question for an address');

/** Decides who answers a question of `client`, and what, after facts §7. */
export function planAnswer(
  scope: NameScope,
  client: Workload,
  query: Pick<DnsQuery, 'type' | 'name' | 'class' | 'opcode'>,
): DnsPlan {
  const { type, name } = query;
  const forAddress = type === recordTypes.A || type === recordTypes.AAAA;
  if (!forAddress || query.class !== CLASS_IN || query.opcode !== OPCODE_QUERY) return otherQuestion;
  if (name === undefined || name === '') return nowhere;
  const { store, preferredNamespace } = scope;
  for (const candidate of candidateNames(name, client.namespace, scope)) {
    const service = store.serviceByDnsName(candidate.name, client.namespace, preferredNamespace);
    if (service === undefined) continue;
    const { hostname } = service.service;
    if (service.service.addresses.length === 0 && !hostname.endsWith(`.svc.${scope.clusterDomain}`))
      return noAddress;
    const records = {
      // Under a wildcard the client's own name has the records: a CNAME to a name that nobody asked for would only mislead.
      canonicalName: hostname.startsWith('*.') ? undefined : candidate.stripped,
      addresses: addressesOf(scope, client, service, type),
    };
    return { kind: 'mesh', service, records };
  }
  return nowhere;
}

function addressesOf(scope: NameScope, client: Workload, known: KnownService, type: number): string[] {
  const { service } = known;
  const ipv6 = type === recordTypes.AAAA;
  if (ipv6 && !scope.ipv6Enabled) return [];
  if (service.ipFamilies === (ipv6 ? 'IPV4_ONLY' : 'IPV6_ONLY')) return [];
  const addresses: string[] = [];
  if (service.addresses.length > 0) {
    for (const { network, ip } of service.addresses)
      if (network === client.network && ip.includes(':') === ipv6) addresses.push(ip);
  } else {
    const allowUnhealthy = service.loadBalancing?.healthPolicy === 'ALLOW_ALL';
    for (const endpoint of known.workloads) {
      if (endpoint.status === 'UNHEALTHY' && !allowUnhealthy) continue;
      const ip = endpoint.addresses.find((each) => each.includes(':') === ipv6);
      if (ip !== undefined) addresses.push(ip);
    }
  }
  return shuffle(addresses, scope.random);
}

/** In place: clients take the first, and shall not all take the same. */
function shuffle(addresses: string[], random: () => number): string[] {
  for (let i = addresses.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    const moved = addresses[i]!;
    addresses[i] = addresses[other]!;
    addresses[other] = moved;
  }
  return addresses;
}
