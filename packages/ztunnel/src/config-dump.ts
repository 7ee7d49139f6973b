import { readFileSync } from 'node:fs';
import type { CertificateStateDump } from '@ambient/identity';
import type { LocalWorkloadName, MeshStore, PortMapping, ServiceEndpoints } from '@ambient/mesh';
import { dumpPolicy, dumpService, dumpWorkload, parseLocalConfig } from '@ambient/xds';
import type { Json } from '@ambient/xds';
import { describeSettings } from './settings.ts';
import type { NodePodStatus } from './capture/node-pods.ts';
import type { LocalXdsSource, ZtunnelSettings } from './settings.ts';
import { version } from './version.ts';
import type { ConnectionReport } from './worker/messages.ts';

/** What `/config_dump` is made of. */
export interface ConfigDumpParts {
  readonly settings: ZtunnelSettings;
  readonly store: MeshStore;
  readonly certificates: readonly CertificateStateDump[];
  readonly connections: readonly ConnectionReport[];
  /** The node's pods in shared mode, undefined in dedicated mode. */
  readonly pods: readonly NodePodStatus[] | undefined;
  /** Sources of the mesh and their state; ours, Istio's ztunnel has no such key. */
  readonly discovery: object;
}

/** The object of `/config_dump`, with the keys of Istio's ztunnel, so that `istioctl ztunnel-config` reads it. */
export function configDump(parts: ConfigDumpParts): object {
  const { settings, store, certificates, connections, pods, discovery } = parts;
  return {
    workloads: sorted([...store.allWorkloads()], ({ uid }) => uid).map(dumpWorkload),
    services: sorted([...store.allServices()], ({ key }) => key).map((entry) =>
      dumpService(entry.service, entry.workloads),
    ),
    policies: sorted([...store.allPolicies()], ({ key }) => key).map(({ policy }) => dumpPolicy(policy)),
    stagedServices: Object.fromEntries(
      Array.from(store.stagedServices(), (entry) => [entry.key, dumpStaged(entry)]),
    ),
    staticConfig: dumpStatic(settings.xds.local),
    version: { version, nodeVersion: process.version },
    config: describeSettings(settings),
    certificates: sorted([...certificates], ({ identity }) => identity),
    workloadState:
      pods === undefined
        ? dumpDedicatedState(settings, store, connections)
        : dumpNodeState(pods, connections),
    discovery,
  };
}

/** The one workload of dedicated mode, without a `state`: it is neither waited for nor started. */
function dumpDedicatedState(
  settings: ZtunnelSettings,
  store: MeshStore,
  connections: readonly ConnectionReport[],
): Json {
  const only = settings.dedicatedWorkload;
  if (only === undefined) return {};
  const uid = store.localWorkload(only, settings.place.nodeName)?.uid ?? `${only.namespace}/${only.name}`;
  return { [uid]: { connections: dumpConnections(connections), info: dumpInfo(only) } };
}

/** The pods of the node by their Kubernetes UID, each with its own connections. */
function dumpNodeState(pods: readonly NodePodStatus[], connections: readonly ConnectionReport[]): Json {
  const byCapture = Map.groupBy(connections, ({ pod }) => pod);
  return Object.fromEntries(
    pods.map(({ uid, name, state, captureId }) => [
      uid,
      {
        state,
        connections: dumpConnections((captureId === undefined ? [] : byCapture.get(captureId)) ?? []),
        info: dumpInfo(name),
      },
    ]),
  );
}

function dumpInfo({ name, namespace, serviceAccount }: LocalWorkloadName): Json {
  return { name, namespace, serviceAccount };
}

function dumpConnections(connections: readonly ConnectionReport[]): Json {
  const of = (direction: ConnectionReport['direction']): Json[] =>
    connections.filter((connection) => connection.direction === direction).map(dumpConnection);
  return { inbound: of('inbound'), outbound: of('outbound') };
}

/** Names of protocols in dumps of Istio's ztunnel. */
const protocolNames: Readonly<Record<ConnectionReport['protocol'], string>> = {
  HBONE: 'HBONE',
  'double-HBONE': 'DOUBLEHBONE',
  plaintext: 'TCP',
};

/**
 * The first four keys are those of Istio's ztunnel, as istioctl tells them apart: an outbound connection has the address that
 * was dialled and that of the next hop, an inbound one the service that the client named and the application's address.
 */
function dumpConnection(connection: ConnectionReport): Json {
  const { originalDestination, actualDestination, destination } = connection;
  const inbound = connection.direction === 'inbound';
  return {
    src: connection.source,
    originalDst: originalDestination ?? (inbound ? null : destination),
    actualDst: inbound ? destination : (actualDestination ?? destination),
    protocol: protocolNames[connection.protocol],
    ...defined('sourceIdentity', connection.sourceIdentity),
    ...defined('destinationIdentity', connection.destinationIdentity),
    ...defined('sourceWorkload', connection.sourceWorkload),
    ...defined('destinationWorkload', connection.destinationWorkload),
    bytesSent: connection.bytesSent,
    bytesReceived: connection.bytesReceived,
    openedAt: new Date(connection.openedAtMs).toISOString(),
  };
}

function dumpStaged(entry: ServiceEndpoints): Json {
  return Object.fromEntries(
    entry.workloads.map((workload) => [
      workload.uid,
      { workloadUid: workload.uid, port: dumpPorts(workload.services[entry.key] ?? []) },
    ]),
  );
}

function dumpPorts(ports: readonly PortMapping[]): Json {
  return Object.fromEntries(ports.map(({ servicePort, targetPort }) => [String(servicePort), targetPort]));
}

/** The local document as it is now, which may be newer than what is in force. */
function dumpStatic(source: LocalXdsSource | undefined): object {
  const dump = { workloads: [] as Json[], services: [] as Json[], policies: [] as Json[] };
  if (source === undefined) return dump;
  try {
    const yaml = source.kind === 'file' ? readFileSync(source.path, 'utf8') : source.yaml;
    for (const update of parseLocalConfig(yaml).updates.values()) {
      if (update.kind === 'workload') dump.workloads.push(dumpWorkload(update.workload));
      else if (update.kind === 'service') dump.services.push(dumpService(update.service, []));
      else if (update.kind === 'policy') dump.policies.push(dumpPolicy(update.policy));
    }
    return dump;
  } catch (error) {
    return { ...dump, error: error instanceof Error ? error.message : String(error) };
  }
}

function defined(key: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [key]: value };
}

function sorted<T>(list: T[], key: (entry: T) => string): T[] {
  return list.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
