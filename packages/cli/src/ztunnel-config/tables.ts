import { formatTable } from '../output/table.ts';
import type {
  DumpedCertificate,
  DumpedConnection,
  DumpedPem,
  DumpedPolicy,
  DumpedService,
  DumpedState,
  DumpedWorkload,
  ZtunnelDump,
} from './dump.ts';

/* The tables of `istioctl ztunnel-config`, column for column. */

export interface WorkloadFilter {
  readonly address?: string | undefined;
  readonly node?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface ConnectionFilter {
  readonly namespace?: string | undefined;
  /** `inbound` or `outbound`. */
  readonly direction?: string | undefined;
  /** Addresses as they are, in place of names. */
  readonly raw?: boolean;
}

export function filterWorkloads(
  dump: ZtunnelDump,
  { address, node, namespace }: WorkloadFilter,
): readonly DumpedWorkload[] {
  return dump.workloads.filter(
    (each) =>
      isAsked(namespace, each.namespace) &&
      isAsked(node, each.node) &&
      (address === undefined || (each.workloadIps ?? []).some((ip) => isAsked(address, ip))),
  );
}

export function workloadTable(dump: ZtunnelDump, filter: WorkloadFilter = {}): string {
  const workloads = sorted(filterWorkloads(dump, filter), (each) => [
    `${each.namespace ?? ''}.${each.name ?? ''}`,
    each.node ?? '',
  ]);
  return formatTable([
    ['NAMESPACE', 'POD NAME', 'ADDRESS', 'NODE', 'WAYPOINT', 'PROTOCOL'],
    ...workloads.map((each) => [
      each.namespace ?? '',
      each.name ?? '',
      (each.workloadIps ?? []).join(',') || (each.hostname ?? ''),
      each.node ?? '',
      waypointName(each, dump.services),
      each.protocol ?? '',
    ]),
  ]);
}

export function filterServices(dump: ZtunnelDump, namespace: string | undefined): readonly DumpedService[] {
  return sorted(
    dump.services.filter((each) => isAsked(namespace, each.namespace)),
    (each) => [each.namespace ?? '', each.name ?? '', each.hostname ?? ''],
  );
}

export function serviceTable(dump: ZtunnelDump, namespace?: string): string {
  const byUid = new Map(dump.workloads.map((workload) => [workload.uid, workload]));
  return formatTable([
    ['NAMESPACE', 'SERVICE NAME', 'SERVICE VIP', 'WAYPOINT', 'ENDPOINTS'],
    ...filterServices(dump, namespace).map((each) => {
      const endpoints = Object.values(each.endpoints ?? {});
      const healthy = endpoints.filter(({ workloadUid }) => byUid.get(workloadUid)?.status === 'Healthy');
      return [
        each.namespace ?? '',
        each.name ?? '',
        (each.vips ?? []).map((vip) => vip.slice(vip.indexOf('/') + 1)).join(','),
        waypointName(each, dump.services),
        `${healthy.length}/${endpoints.length}`,
      ];
    }),
  ]);
}

export function filterPolicies(dump: ZtunnelDump, namespace: string | undefined): readonly DumpedPolicy[] {
  return sorted(
    dump.policies.filter((each) => isAsked(namespace, each.namespace)),
    (each) => [each.namespace ?? '', each.name ?? ''],
  );
}

export function policyTable(dump: ZtunnelDump, namespace?: string): string {
  return formatTable([
    ['NAMESPACE', 'POLICY NAME', 'ACTION', 'SCOPE'],
    ...filterPolicies(dump, namespace).map((each) => [
      each.namespace ?? '',
      each.name ?? '',
      each.action ?? '',
      each.scope ?? '',
    ]),
  ]);
}

export function certificateTable(dump: ZtunnelDump, nowMs: number): string {
  return formatTable(
    [
      ['CERTIFICATE NAME', 'TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER', 'NOT AFTER', 'NOT BEFORE'],
      ...dump.certificates.flatMap((each) => certificateRows(each, nowMs)),
    ],
    5,
  );
}

function certificateRows(entry: DumpedCertificate, nowMs: number): string[][] {
  const { identity = '', certChain = [], rootCerts = [] } = entry;
  const text = typeof entry.state === 'string' ? entry.state : JSON.stringify(entry.state ?? '');
  const state = text.includes('Unavailable') ? 'Unavailable' : text;
  if (certChain.length === 0) return [[identity, 'NA', state, 'false', 'NA', 'NA', 'NA']];
  const row = (type: string, certificate: DumpedPem): string[] => [
    identity,
    type,
    state,
    String(isValid(certificate, nowMs)),
    serial(certificate.serialNumber),
    certificate.expirationTime || 'NA',
    certificate.validFrom || 'NA',
  ];
  // Without roots of its own the dump is an old one, whose chains ended with the root.
  const typeAt = (index: number): string =>
    index === 0 ? 'Leaf' : index === certChain.length - 1 && rootCerts.length === 0 ? 'Root' : 'Intermediate';
  return [
    ...certChain.map((each, index) => row(typeAt(index), each)),
    ...rootCerts.map((each) => row('Root', each)),
  ];
}

function isValid({ validFrom = '', expirationTime = '' }: DumpedPem, nowMs: number): boolean {
  return Date.parse(validFrom) < nowMs && nowMs < Date.parse(expirationTime);
}

function serial(decimal: string | undefined): string {
  return decimal !== undefined && /^\d+$/.test(decimal) ? BigInt(decimal).toString(16) : 'NA';
}

/** States of workloads whose connections are asked for. */
export function filterStates(dump: ZtunnelDump, namespace: string | undefined): readonly DumpedState[] {
  return sorted(
    Object.values(dump.workloadState).filter(
      ({ info }) => namespace === undefined || info?.namespace === namespace,
    ),
    ({ info }) => [info?.namespace ?? '', info?.name ?? ''],
  );
}

export function connectionTable(dump: ZtunnelDump, filter: ConnectionFilter = {}): string {
  const nameOf = filter.raw === true ? (address: string) => address : namesOf(dump);
  const rows = filterStates(dump, filter.namespace).flatMap(({ info, connections }) => {
    const name = `${info?.name ?? ''}.${info?.namespace ?? ''}`;
    const inbound = (each: DumpedConnection): string[] => [
      name,
      'Inbound',
      nameOf(each.actualDst ?? ''),
      nameOf(each.src ?? ''),
      each.originalDst ?? '',
      each.protocol ?? '',
    ];
    const outbound = (each: DumpedConnection): string[] => [
      name,
      'Outbound',
      nameOf(each.src ?? ''),
      nameOf(each.actualDst ?? ''),
      nameOf(each.originalDst ?? ''),
      each.protocol ?? '',
    ];
    return [
      ...(filter.direction === 'outbound' ? [] : (connections?.inbound ?? []).map(inbound)),
      ...(filter.direction === 'inbound' ? [] : (connections?.outbound ?? []).map(outbound)),
    ];
  });
  return formatTable([['WORKLOAD', 'DIRECTION', 'LOCAL', 'REMOTE', 'REMOTE TARGET', 'PROTOCOL'], ...rows]);
}

/** An address with a port by the names of the dump: a service's before a workload's. */
function namesOf(dump: Pick<ZtunnelDump, 'services' | 'workloads'>): (address: string) => string {
  const names = new Map<string, string>();
  for (const { workloadIps = [], name = '', namespace = '' } of dump.workloads)
    for (const ip of workloadIps) names.set(ip, `${name}.${namespace}`);
  for (const { vips = [], hostname = '' } of dump.services)
    for (const vip of vips) names.set(vip.slice(vip.indexOf('/') + 1), hostname);
  return (address) => {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address);
    const name = match === null ? undefined : names.get(match[1] ?? match[2]!);
    return name === undefined ? address : `${name}:${match![3]}`;
  };
}

function waypointName(
  { waypoint }: DumpedWorkload | DumpedService,
  services: readonly DumpedService[],
): string {
  if (waypoint === undefined) return 'None';
  const found = services.find(
    ({ namespace, hostname, vips }) =>
      `${namespace}/${hostname}` === waypoint.destination ||
      vips?.includes(waypoint.destination ?? '') === true,
  );
  return found?.name ?? 'NA';
}

function isAsked(wanted: string | undefined, value: string | undefined): boolean {
  return wanted === undefined || wanted.toLowerCase() === (value ?? '').toLowerCase();
}

function sorted<T>(list: readonly T[], key: (entry: T) => readonly string[]): readonly T[] {
  const keyed = list.map((entry) => ({ entry, key: key(entry) }));
  keyed.sort((a, b) => {
    const at = a.key.findIndex((part, index) => part !== b.key[index]);
    return at < 0 ? 0 : a.key[at]! < b.key[at]! ? -1 : 1;
  });
  return keyed.map(({ entry }) => entry);
}
