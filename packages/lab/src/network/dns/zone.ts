// The records of a cluster's zone, as CoreDNS's plugin `kubernetes` makes them (Kubernetes DNS-Based Service Discovery
// 1.1.0). Pure.
import { isIP } from 'node:net';
import type { Endpoint, Service } from '@ambient/kube';

import { canonicalAddress, familyOf } from '../addresses.ts';
import type { ServiceEntry } from '../service-directory.ts';

/** An address, and the port of it that has the name asked for. */
export interface ZoneTarget {
  readonly address: string;
  /** Name relative to the zone, to which the address belongs: `web-0.db.shop.svc`. */
  readonly name: string;
  /** Undefined where the Service names no ports. */
  readonly port: number | undefined;
}

/** What a name stands for. */
export type Found =
  /** Nothing, and nothing below it. */
  | { readonly kind: 'missing' }
  /** A name without records of its own, above others that have some. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'apex' }
  | { readonly kind: 'version' }
  | { readonly kind: 'targets'; readonly targets: readonly ZoneTarget[] }
  | { readonly kind: 'alias'; readonly target: string };

const missing: Found = { kind: 'missing' };
const empty: Found = { kind: 'empty' };

export interface ZoneSource {
  /** By `namespace/name`. */
  readonly entry: (key: string) => ServiceEntry;
  readonly hasNamespace: (name: string) => boolean;
}

/** Names to addresses and back. One change costs what the Service has that it is of. */
export class Zone {
  readonly #source: ZoneSource;
  /** Names relative to the zone by address, and the addresses that a Service has put there. */
  readonly #reverse = new Map<string, Set<string>>();
  readonly #reversedBy = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>();

  constructor(source: ZoneSource) {
    this.#source = source;
  }

  /** To be called when a Service or what stands behind it has changed. @param key `namespace/name` */
  update(key: string): void {
    for (const [address, names] of this.#reversedBy.get(key) ?? []) {
      const all = this.#reverse.get(address);
      for (const name of names) all?.delete(name);
      if (all?.size === 0) this.#reverse.delete(address);
    }
    const own = reverseNames(this.#source.entry(key));
    if (own.size === 0) this.#reversedBy.delete(key);
    else this.#reversedBy.set(key, own);
    for (const [address, names] of own) {
      let all = this.#reverse.get(address);
      if (all === undefined) this.#reverse.set(address, (all = new Set<string>()));
      for (const name of names) all.add(name);
    }
  }

  /** Names of an address, relative to the zone. */
  namesOf(address: string): readonly string[] {
    return [...(this.#reverse.get(canonicalAddress(address)) ?? [])];
  }

  /** @param labels of a name, without those of the zone, in lower case */
  find(labels: readonly string[]): Found {
    const [kind, namespace, name] = labels.toReversed();
    if (kind === undefined) return { kind: 'apex' };
    if (kind === 'dns-version' && labels.length === 1) return { kind: 'version' };
    if (kind !== 'svc' && kind !== 'pod') return missing;
    if (namespace === undefined) return empty;
    if (name === undefined) return this.#source.hasNamespace(namespace) ? empty : missing;
    const below = labels.slice(0, -3);
    return kind === 'svc' ? this.#service(namespace, name, below) : this.#pod(namespace, name, below);
  }

  #service(namespace: string, name: string, below: readonly string[]): Found {
    const entry = this.#source.entry(`${namespace}/${name}`);
    const spec = entry.service?.spec;
    if (entry.service === undefined || spec === undefined || below.length > 2) return missing;
    const [first, second] = below;
    if (spec.type === 'ExternalName')
      return first === undefined && spec.externalName !== undefined && isIP(spec.externalName) === 0
        ? { kind: 'alias', target: spec.externalName }
        : missing;
    const wanted = second === undefined ? undefined : portName(first!, second);
    if (second !== undefined && wanted === undefined) return missing;
    const host = first !== undefined && second === undefined ? first : undefined;
    const targets =
      isHeadless(entry.service) || host !== undefined
        ? endpointTargets(entry, host, wanted)
        : clusterTargets(entry.service, wanted);
    return targets.length === 0 ? missing : { kind: 'targets', targets };
  }

  /** `10-244-1-5.NAMESPACE.pod`, without asking whether there is such a pod (CoreDNS: `pods insecure`). */
  #pod(namespace: string, name: string, below: readonly string[]): Found {
    if (!this.#source.hasNamespace(namespace) || below.length > 0) return missing;
    const dotted = name.replaceAll('-', '.');
    const address = isIP(dotted) === 4 ? dotted : name.replaceAll('-', ':');
    if (isIP(address) === 0) return missing;
    return { kind: 'targets', targets: [{ address, name: `${name}.${namespace}.pod`, port: undefined }] };
  }
}

interface PortName {
  readonly port: string;
  readonly protocol: string;
}

/** `_http`, `_tcp` */
function portName(port: string, protocol: string): PortName | undefined {
  if (!port.startsWith('_') || !protocol.startsWith('_')) return undefined;
  return { port: port.slice(1), protocol: protocol.slice(1) };
}

function isNamed(
  wanted: PortName | undefined,
  name: string | undefined,
  protocol: string | undefined,
): boolean {
  return (
    wanted === undefined ||
    (wanted.port === (name ?? '').toLowerCase() && wanted.protocol === (protocol ?? 'TCP').toLowerCase())
  );
}

function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === 'None';
}

function nameOf({ metadata }: Service): string {
  return `${metadata.name}.${metadata.namespace ?? 'default'}.svc`;
}

function clusterIpsOf({ spec }: Service): string[] {
  return (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((address) => isIP(address) !== 0);
}

function clusterTargets(service: Service, wanted: PortName | undefined): ZoneTarget[] {
  const name = nameOf(service);
  return (service.spec?.ports ?? [])
    .filter((port) => isNamed(wanted, port.name, port.protocol))
    .flatMap(({ port }) => clusterIpsOf(service).map((address) => ({ address, name, port })));
}

function endpointTargets(
  { service, slices }: ServiceEntry,
  host: string | undefined,
  wanted: PortName | undefined,
): ZoneTarget[] {
  const parent = nameOf(service!);
  return slices.flatMap((slice) => {
    const ports = (slice.ports ?? []).filter((port) => isNamed(wanted, port.name, port.protocol));
    if (wanted !== undefined && ports.length === 0) return [];
    const numbers = ports.length === 0 ? [undefined] : ports.map(({ port }) => port);
    return (slice.endpoints ?? []).flatMap((endpoint) => {
      const address = addressOf(endpoint);
      if (address === undefined) return [];
      const own = hostOf(endpoint, address);
      if (host !== undefined && host !== own) return [];
      return numbers.map((port) => ({ address, name: `${own}.${parent}`, port }));
    });
  });
}

/** Of an endpoint that takes connections. */
function addressOf({ addresses, conditions }: Endpoint): string | undefined {
  const address = addresses?.[0];
  if (address === undefined || isIP(address) === 0 || conditions?.ready === false) return undefined;
  return canonicalAddress(address);
}

/** Its host name in the zone: its own, or its address with dashes. */
function hostOf({ hostname }: Endpoint, address: string): string {
  if (hostname !== undefined && hostname !== '') return hostname.toLowerCase();
  return address.replaceAll(familyOf(address) === 'v4' ? '.' : ':', '-');
}

function reverseNames(entry: ServiceEntry): Map<string, Set<string>> {
  const { service } = entry;
  const names = new Map<string, Set<string>>();
  if (service === undefined || service.spec?.type === 'ExternalName') return names;
  const add = (address: string, name: string): void => {
    const key = canonicalAddress(address);
    names.set(key, (names.get(key) ?? new Set<string>()).add(name));
  };
  for (const address of clusterIpsOf(service)) add(address, nameOf(service));
  for (const { address, name } of endpointTargets(entry, undefined, undefined)) add(address, name);
  return names;
}
