// Small objects for tests of translators.
import { MemoryCluster } from '../cluster/memory-cluster.test-data.ts';
import type {
  EndpointSlice,
  Gateway,
  GatewaySpec,
  KubeObject,
  Namespace,
  ObjectMeta,
  Pod,
  ReferenceGrant,
  Route,
  Service,
  ServiceEntry,
  ServiceEntrySpec,
  ServiceSpec,
  WorkloadEntry,
  WorkloadEntrySpec,
} from '@ambient/kube';
import type { MeshSettings } from './mesh-settings.ts';
import { readMeshSettings } from './mesh-settings.ts';
import { meshDefaults } from './mesh-settings.test-data.ts';

export const mesh: MeshSettings = readMeshSettings(meshDefaults, undefined, undefined).settings;

type Extra = Partial<ObjectMeta>;

function head<K extends string>(apiVersion: string, kind: K, name: string, namespace: string, extra: Extra) {
  return { apiVersion, kind, metadata: { name, namespace, uid: `${kind}-${namespace}-${name}`, ...extra } };
}

export function clusterOf(...objects: readonly KubeObject[]): MemoryCluster {
  return new MemoryCluster(objects);
}

export function namespaceNamed(name: string, extra: Extra = {}): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid: name, ...extra } };
}

/** Running, ready, at 10.0.0.1 on node n1, in namespace ns. */
export function podNamed(name: string, extra: Extra = {}, change: Pick<Pod, 'spec' | 'status'> = {}): Pod {
  return {
    ...head('v1', 'Pod', name, 'ns', extra),
    spec: { nodeName: 'n1', serviceAccountName: 'sa', ...change.spec },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      ...change.status,
    },
  };
}

export function serviceNamed(name: string, spec: ServiceSpec = {}, extra: Extra = {}): Service {
  return {
    ...head('v1', 'Service', name, 'ns', extra),
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  };
}

export function serviceEntry(
  name: string,
  namespace: string,
  spec: ServiceEntrySpec,
  extra: Extra = {},
): ServiceEntry {
  return { ...head('networking.istio.io/v1', 'ServiceEntry', name, namespace, extra), spec };
}

export function workloadEntry(name: string, spec: WorkloadEntrySpec, extra: Extra = {}): WorkloadEntry {
  return { ...head('networking.istio.io/v1', 'WorkloadEntry', name, 'ns', extra), spec };
}

export function sliceNamed(
  name: string,
  fields: Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>,
  extra: Extra = {},
): EndpointSlice {
  const labels = { 'kubernetes.io/service-name': 'web' };
  return {
    ...head('discovery.k8s.io/v1', 'EndpointSlice', name, 'ns', { labels, ...extra }),
    addressType: 'IPv4',
    ...fields,
  };
}

/** A waypoint of namespace ns at 10.96.0.9, for services of its namespace. */
export function waypointNamed(
  name: string,
  extra: Extra = {},
  change: {
    readonly spec?: GatewaySpec;
    readonly addresses?: readonly { type?: string; value?: string }[];
  } = {},
): Gateway {
  return {
    ...head('gateway.networking.k8s.io/v1', 'Gateway', name, 'ns', extra),
    spec: {
      gatewayClassName: 'istio-waypoint',
      listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
      ...change.spec,
    },
    status: { addresses: change.addresses ?? [{ type: 'IPAddress', value: '10.96.0.9' }] },
  };
}

/** Of namespace ns unless `extra` says another. */
export function routeNamed(
  kind: 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute',
  name: string,
  spec: unknown,
  extra: Extra = {},
): Route {
  const generation = { generation: 1, resourceVersion: '7' };
  const object = head('gateway.networking.k8s.io/v1', kind, name, 'ns', { ...generation, ...extra });
  return { ...object, spec: spec as NonNullable<Route['spec']> };
}

export function referenceGrant(name: string, namespace: string, spec: unknown): ReferenceGrant {
  const object = head('gateway.networking.k8s.io/v1', 'ReferenceGrant', name, namespace, {});
  return { ...object, spec: spec as NonNullable<ReferenceGrant['spec']> };
}
