// The clusters of golden/scenarios, as the API server of the recording had them, and what our translators make of one.
import { readFileSync } from 'node:fs';
import { istio } from '@ambient/wire';
import { parseAllDocuments } from 'yaml';
import { MemoryCluster } from '../cluster/memory-cluster.test-data.ts';
import type { KubeObject, Pod, PodSpec, Service, ServiceSpec } from '@ambient/kube';
import { serviceResource, workloadResource } from './address-resource.ts';
import { translateEndpointSlice } from './endpoint-slice.ts';
import { goldenForm } from './golden-form.test-data.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { readMeshSettings } from './mesh-settings.ts';
import { meshDefaults } from './mesh-settings.test-data.ts';
import { translateNetworkGateway } from './network-gateway.ts';
import { translatePod } from './pod.ts';
import { translateAuthorizationPolicy } from './policies/authorization-policy.ts';
import { translatePeerAuthentication } from './policies/peer-authentication.ts';
import { translateServiceEntry } from './service-entry.ts';
import { translateService } from './service.ts';
import { translateWorkloadEntry } from './workload-entry.ts';

/** Objects as someone wrote them. */
export type Manifest = KubeObject & Readonly<Record<string, unknown>>;

export function parseManifests(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);
}

export function readScenario(name: string): KubeObject[] {
  const file = new URL(`golden/scenarios/${name}.yaml`, import.meta.url);
  return asStored(parseManifests(readFileSync(file, 'utf8')));
}

export function readExpected(name: string): Record<string, unknown> {
  const file = new URL(`golden/expected/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

const standing = parseManifests(`
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443, targetPort: 16443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
ports: [{name: https, port: 16443, protocol: TCP}]
endpoints: [{addresses: [10.250.0.1]}]
`);

/** Manifests as an API server would return them, with the objects that every cluster of the recording had. */
export function asStored(manifests: readonly Manifest[]): KubeObject[] {
  const keyOf = ({ kind, metadata }: KubeObject): string =>
    `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
  const given = new Set(manifests.map(keyOf));
  const all = [...standing.filter((object) => !given.has(keyOf(object))), ...manifests];
  const uids = new Map<string, string>();
  const stored = all.map((object, i) => {
    const uid = `00000000-0000-0000-0000-${String(i).padStart(12, '0')}`;
    uids.set(keyOf(object), uid);
    // Ages count where a file gives them, in the order of the file.
    const second = object.metadata.creationTimestamp === undefined ? 0 : i;
    const creationTimestamp = new Date(second * 1000).toISOString().replace('.000', '');
    return withDefaults({ ...object, metadata: { ...object.metadata, uid, creationTimestamp } });
  });
  return stored.map((object) => {
    const text = JSON.stringify(object);
    if (!text.includes('"of-pod"')) return object;
    return JSON.parse(text, function (this: Record<string, unknown>, key, value: unknown) {
      if (key !== 'uid' || value !== 'of-pod') return value;
      return uids.get(`Pod/${String(this['namespace'])}/${String(this['name'])}`);
    }) as KubeObject;
  });
}

function withDefaults(object: Manifest): KubeObject {
  switch (object.kind) {
    case 'Namespace': {
      const labels = { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels };
      return { ...object, metadata: { ...object.metadata, labels } };
    }
    case 'Pod':
      return podDefaults(object as Pod);
    case 'Service':
      return serviceDefaults(object as Service);
    default:
      return object;
  }
}

function podDefaults(pod: Pod): Pod {
  const { podIP, podIPs = podIP === undefined ? [] : [{ ip: podIP }] } = pod.status ?? {};
  const spec: PodSpec = { serviceAccountName: 'default', containers: [{ name: 'c' }], ...pod.spec };
  return { ...pod, spec, status: { ...pod.status, podIPs } };
}

function serviceDefaults(service: Service): Service {
  const spec: ServiceSpec = service.spec ?? {};
  if (spec.type === 'ExternalName') return service;
  const headlessWithoutSelector = spec.clusterIP === 'None' && spec.selector === undefined;
  const ips = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return {
    ...service,
    spec: {
      ...spec,
      clusterIPs: ips,
      ipFamilies: spec.ipFamilies ?? (headlessWithoutSelector ? ['IPv4', 'IPv6'] : ['IPv4']),
      ports: (spec.ports ?? []).map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port })),
    },
  };
}

function goldenMesh(cluster: MemoryCluster): MeshSettings {
  return readMeshSettings(
    meshDefaults,
    cluster.get('ConfigMap', 'istio-system', 'istio'),
    cluster.get('Namespace', '', 'istio-system'),
  ).settings;
}

/** Everything that is sent for a cluster, encoded and decoded again, in the form of golden/expected. */
export function discoveryOf(objects: readonly KubeObject[]): Record<string, unknown> {
  const cluster = new MemoryCluster(objects);
  const mesh = goldenMesh(cluster);
  const result: Record<string, unknown> = {};
  const put = (name: string, message: object): void => {
    if (name in result && name.startsWith('Address')) throw new Error(`${name} is claimed twice`);
    result[name] = goldenForm(message);
  };
  const address = ({ name, bytes }: { name: string; bytes: Uint8Array }): void =>
    put(`Address ${name}`, istio.workload.Address.decode(bytes));
  const authorization = (name: string, policy: istio.security.IAuthorization): void => {
    const bytes = istio.security.Authorization.encode(policy).finish();
    put(`Authorization ${name}`, istio.security.Authorization.decode(bytes));
  };
  for (const pod of cluster.all('Pod')) {
    const { workload } = translatePod(pod, cluster, mesh);
    if (workload !== undefined) address(workloadResource(workload));
  }
  for (const entry of cluster.all('WorkloadEntry')) {
    const { workload } = translateWorkloadEntry(entry, cluster, mesh);
    if (workload !== undefined) address(workloadResource(workload));
  }
  for (const entry of cluster.all('ServiceEntry')) {
    const { services, workloads } = translateServiceEntry(entry, cluster, mesh);
    for (const service of services) address(serviceResource(service));
    for (const workload of workloads) address(workloadResource(workload));
  }
  for (const slice of cluster.all('EndpointSlice')) {
    for (const workload of translateEndpointSlice(slice, cluster, mesh).workloads) {
      address(workloadResource(workload));
    }
  }
  for (const gateway of cluster.all('Gateway'))
    for (const workload of translateNetworkGateway(gateway, mesh)) address(workloadResource(workload));
  for (const object of cluster.all('Service')) {
    const { service, workloads } = translateService(object, cluster, mesh);
    if (service !== undefined) address(serviceResource(service));
    for (const workload of workloads) address(workloadResource(workload));
  }
  for (const policy of cluster.all('AuthorizationPolicy')) {
    const { name, authorization: message } = translateAuthorizationPolicy(policy, mesh);
    if (message !== undefined) authorization(name, message);
  }
  for (const policy of cluster.all('PeerAuthentication')) {
    const { policies } = translatePeerAuthentication(policy, cluster, mesh);
    for (const [name, message] of policies) authorization(name, message);
  }
  return result;
}
