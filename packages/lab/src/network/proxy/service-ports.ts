// What a Service asks of a node's proxy, without the node: which addresses and ports lead to which endpoints. Pure.
import { isIP } from 'node:net';
import type { EndpointSlice, ServicePort } from '@ambient/kube';

import { canonicalAddress, familyOf } from '../addresses.ts';
import type { Family } from '../addresses.ts';
import type { ServiceEntry } from '../service-directory.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** One endpoint of one port. */
export interface Target {
  readonly address: string;
  readonly port: number;
  readonly nodeName: string | undefined;
}

/** One port of a Service, in one family. */
export interface ProxiedPort {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly port: number;
  /** Undefined for what has none in this family. */
  readonly clusterIp: string | undefined;
  /** External addresses: those that a user names, and those of a load balancer. */
  readonly externalIps: readonly string[];
  readonly nodePort: number | undefined;
  /** A client stays with its endpoint as long as it comes back within this, seconds. */
  readonly affinitySeconds: number | undefined;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  /** Those that are to be used: ready ones, or where there are none, those that still serve while they end. */
  readonly targets: readonly Target[];
}

/** Of Kubernetes: three hours. */
const defaultAffinitySeconds = 10_800;

/** All ports of a Service in both families; none for headless Services and external names. */
export function proxiedPorts({ service, slices }: ServiceEntry): ProxiedPort[] {
  const spec = service?.spec;
  if (spec === undefined || spec.type === 'ExternalName') return [];
  const clusterIps = (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((ip) => isIP(ip) !== 0);
  if (clusterIps.length === 0) return [];
  const external = [
    ...(spec.externalIPs ?? []),
    ...(service?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? ''),
  ].filter((ip) => isIP(ip) !== 0);
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP'
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
      : undefined;
  return clusterIps.flatMap((clusterIp) => {
    const family = familyOf(clusterIp);
    return (spec.ports ?? []).flatMap((port): ProxiedPort[] => {
      const protocol = protocolOf(port.protocol);
      if (protocol === undefined || !isPort(port.port)) return [];
      return [
        {
          family,
          protocol,
          port: port.port,
          clusterIp: canonicalAddress(clusterIp),
          externalIps: external.filter((ip) => familyOf(ip) === family).map(canonicalAddress),
          nodePort: spec.type !== 'ClusterIP' && isPort(port.nodePort) ? port.nodePort : undefined,
          affinitySeconds,
          internalLocal: spec.internalTrafficPolicy === 'Local',
          externalLocal: spec.externalTrafficPolicy === 'Local',
          targets: targetsOf(slices, family, port),
        },
      ];
    });
  });
}

const addressTypes: Readonly<Record<Family, string>> = { v4: 'IPv4', v6: 'IPv6' };

function targetsOf(slices: readonly EndpointSlice[], family: Family, port: ServicePort): Target[] {
  const ready = new Map<string, Target>();
  const ending = new Map<string, Target>();
  for (const slice of slices) {
    if (slice.addressType !== addressTypes[family]) continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? '') !== (port.name ?? '') || !isPort(slicePort.port)) continue;
      if (protocolOf(slicePort.protocol) !== protocolOf(port.protocol)) continue;
      for (const { addresses, conditions, nodeName } of slice.endpoints ?? []) {
        const address = addresses?.[0];
        if (address === undefined || isIP(address) !== (family === 'v4' ? 4 : 6)) continue;
        const target = { address: canonicalAddress(address), port: slicePort.port, nodeName };
        const key = `${target.address} ${target.port}`;
        // Absent and null both mean ready (discovery/v1, EndpointConditions).
        if (conditions?.ready ?? true) ready.set(key, target);
        else if (conditions?.serving === true && conditions.terminating === true) ending.set(key, target);
      }
    }
  }
  return [...(ready.size > 0 ? ready : ending).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, target]) => target);
}

function protocolOf(name: string | undefined): Protocol | undefined {
  const protocol = (name ?? 'TCP').toLowerCase();
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp' ? protocol : undefined;
}

function isPort(port: number | undefined): port is number {
  return Number.isInteger(port) && port! > 0 && port! < 65_536;
}
