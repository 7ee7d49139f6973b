/** Columns of the built-in kinds, as kubectl's users know them. */
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { age, ageColumn, nameColumn } from './column.ts';
import type { Cell, Column } from './column.ts';
import { podReady, podRestarts, podStatus } from './pod-columns.ts';

function text(name: string, cell: (object: ApiObject, nowMs: number) => Cell, priority = 0): Column {
  return { name, type: 'string', priority, cell };
}

function count(name: string, cell: (object: ApiObject) => number): Column {
  return { name, type: 'integer', cell };
}

/** The value at a path such as `spec.nodeName`, or what stands for none. */
function shown(object: unknown, path: string, none = '<none>'): string {
  const value = valueAt(object, path.split('.'));
  if (value === undefined || value === null || value === '') return none;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function numberAt(object: unknown, path: string): number {
  const value = valueAt(object, path.split('.'));
  return typeof value === 'number' ? value : 0;
}

function listAt(object: unknown, path: string): JsonObject[] {
  const value = valueAt(object, path.split('.'));
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textsAt(object: unknown, path: string): string {
  const value = valueAt(object, path.split('.'));
  return Array.isArray(value) && value.length > 0 ? value.join(',') : '<none>';
}

function sizeAt(object: ApiObject, path: string): number {
  const value = valueAt(object, path.split('.'));
  return isJsonObject(value) ? Object.keys(value).length : Array.isArray(value) ? value.length : 0;
}

function selectorText(object: ApiObject, path: string): string {
  const value = valueAt(object, path.split('.'));
  const labels = isJsonObject(value)
    ? Object.entries(value).map(([key, each]) => `${key}=${String(each)}`)
    : [];
  return labels.length === 0 ? '<none>' : labels.join(',');
}

function containers(object: ApiObject, field: 'name' | 'image'): string {
  return listAt(object, 'spec.template.spec.containers')
    .map((container) => shown(container, field))
    .join(',');
}

const podColumns = [
  nameColumn,
  text('Ready', podReady),
  text('Status', podStatus),
  text('Restarts', podRestarts),
  ageColumn,
  text('IP', (pod) => shown(pod, 'status.podIP'), 1),
  text('Node', (pod) => shown(pod, 'spec.nodeName'), 1),
  text('Nominated Node', (pod) => shown(pod, 'status.nominatedNodeName'), 1),
  text(
    'Readiness Gates',
    (pod) =>
      sizeAt(pod, 'spec.readinessGates') === 0 ? '<none>' : String(sizeAt(pod, 'spec.readinessGates')),
    1,
  ),
];

function servicePorts(service: ApiObject): string {
  const ports = listAt(service, 'spec.ports').map((port) => {
    const node = port['nodePort'] === undefined ? '' : `:${numberAt(port, 'nodePort')}`;
    return `${numberAt(port, 'port')}${node}/${shown(port, 'protocol', 'TCP')}`;
  });
  return ports.length === 0 ? '<none>' : ports.join(',');
}

function externalAddresses(service: ApiObject): string {
  const type = shown(service, 'spec.type');
  if (type === 'ExternalName') return shown(service, 'spec.externalName');
  const given = listAt(service, 'status.loadBalancer.ingress').map((each) =>
    shown(each, 'ip', shown(each, 'hostname')),
  );
  if (type === 'LoadBalancer') return given.length > 0 ? given.join(',') : '<pending>';
  return textsAt(service, 'spec.externalIPs');
}

function nodeAddress(node: ApiObject, type: string): string {
  const found = listAt(node, 'status.addresses').find((each) => each['type'] === type);
  return found === undefined ? '<none>' : shown(found, 'address');
}

function nodeStatus(node: ApiObject): string {
  const ready = listAt(node, 'status.conditions').find((each) => each['type'] === 'Ready');
  const state = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return valueAt(node, ['spec', 'unschedulable']) === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles(node: ApiObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(node.metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return roles.length === 0 ? '<none>' : roles.map((role) => role.slice(prefix.length)).join(',');
}

function eventColumns(subject: string, message: string): readonly Column[] {
  return [
    text('Last Seen', (event, nowMs) =>
      age(
        valueAt(event, ['series', 'lastObservedTime']) ??
          event['lastTimestamp'] ??
          event['eventTime'] ??
          event.metadata.creationTimestamp,
        nowMs,
      ),
    ),
    text('Type', (event) => shown(event, 'type')),
    text('Reason', (event) => shown(event, 'reason')),
    text(
      'Object',
      (event) => `${shown(event, `${subject}.kind`).toLowerCase()}/${shown(event, `${subject}.name`)}`,
    ),
    text('Message', (event) => shown(event, message, '')),
    { ...nameColumn, priority: 1 },
  ];
}

const templateColumns = [
  text('Containers', (object) => containers(object, 'name'), 1),
  text('Images', (object) => containers(object, 'image'), 1),
  text('Selector', (object) => selectorText(object, 'spec.selector.matchLabels'), 1),
];

const webhooks = [nameColumn, count('Webhooks', (object) => sizeAt(object, 'webhooks')), ageColumn];
const role = [nameColumn, text('Created At', (object) => object.metadata.creationTimestamp ?? '')];
const binding = [
  nameColumn,
  text('Role', (object) => `${shown(object, 'roleRef.kind')}/${shown(object, 'roleRef.name')}`),
  ageColumn,
];

/** By `plural.group`. */
export const builtInColumns: Readonly<Record<string, readonly Column[]>> = {
  'pods.': podColumns,
  'namespaces.': [nameColumn, text('Status', (object) => shown(object, 'status.phase')), ageColumn],
  'nodes.': [
    nameColumn,
    text('Status', nodeStatus),
    text('Roles', nodeRoles),
    ageColumn,
    text('Version', (node) => shown(node, 'status.nodeInfo.kubeletVersion', '')),
    text('Internal-IP', (node) => nodeAddress(node, 'InternalIP'), 1),
    text('External-IP', (node) => nodeAddress(node, 'ExternalIP'), 1),
    text('OS-Image', (node) => shown(node, 'status.nodeInfo.osImage', '<unknown>'), 1),
    text('Kernel-Version', (node) => shown(node, 'status.nodeInfo.kernelVersion', '<unknown>'), 1),
    text(
      'Container-Runtime',
      (node) => shown(node, 'status.nodeInfo.containerRuntimeVersion', '<unknown>'),
      1,
    ),
  ],
  'services.': [
    nameColumn,
    text('Type', (service) => shown(service, 'spec.type')),
    text('Cluster-IP', (service) => shown(service, 'spec.clusterIP')),
    text('External-IP', externalAddresses),
    text('Port(s)', servicePorts),
    ageColumn,
    text('Selector', (service) => selectorText(service, 'spec.selector'), 1),
  ],
  'endpoints.': [
    nameColumn,
    text('Endpoints', (object) => {
      const all = listAt(object, 'subsets').flatMap((subset) =>
        listAt(subset, 'addresses').flatMap((address) =>
          listAt(subset, 'ports').map((port) => `${shown(address, 'ip')}:${numberAt(port, 'port')}`),
        ),
      );
      const more = all.length > 3 ? ` + ${all.length - 3} more...` : '';
      return all.length === 0 ? '<none>' : `${all.slice(0, 3).join(',')}${more}`;
    }),
    ageColumn,
  ],
  'endpointslices.discovery.k8s.io': [
    nameColumn,
    text('AddressType', (slice) => shown(slice, 'addressType')),
    text('Ports', (slice) => {
      const ports = listAt(slice, 'ports').map((port) => shown(port, 'port', '*'));
      return ports.length === 0 ? '<unset>' : ports.join(',');
    }),
    text('Endpoints', (slice) => {
      const all = listAt(slice, 'endpoints').flatMap(
        (endpoint) => (endpoint['addresses'] as string[] | undefined) ?? [],
      );
      const more = all.length > 3 ? ` + ${all.length - 3} more...` : '';
      return all.length === 0 ? '<unset>' : `${all.slice(0, 3).join(',')}${more}`;
    }),
    ageColumn,
  ],
  'secrets.': [
    nameColumn,
    text('Type', (object) => shown(object, 'type')),
    count('Data', (object) => sizeAt(object, 'data')),
    ageColumn,
  ],
  'configmaps.': [
    nameColumn,
    count('Data', (object) => sizeAt(object, 'data') + sizeAt(object, 'binaryData')),
    ageColumn,
  ],
  'serviceaccounts.': [nameColumn, count('Secrets', (object) => sizeAt(object, 'secrets')), ageColumn],
  'events.': eventColumns('involvedObject', 'message'),
  'events.events.k8s.io': eventColumns('regarding', 'note'),
  'deployments.apps': [
    nameColumn,
    text(
      'Ready',
      (object) => `${numberAt(object, 'status.readyReplicas')}/${numberAt(object, 'spec.replicas')}`,
    ),
    count('Up-to-date', (object) => numberAt(object, 'status.updatedReplicas')),
    count('Available', (object) => numberAt(object, 'status.availableReplicas')),
    ageColumn,
    ...templateColumns,
  ],
  'replicasets.apps': [
    nameColumn,
    count('Desired', (object) => numberAt(object, 'spec.replicas')),
    count('Current', (object) => numberAt(object, 'status.replicas')),
    count('Ready', (object) => numberAt(object, 'status.readyReplicas')),
    ageColumn,
    ...templateColumns,
  ],
  'statefulsets.apps': [
    nameColumn,
    text(
      'Ready',
      (object) => `${numberAt(object, 'status.readyReplicas')}/${numberAt(object, 'spec.replicas')}`,
    ),
    ageColumn,
    ...templateColumns.slice(0, 2),
  ],
  'daemonsets.apps': [
    nameColumn,
    count('Desired', (object) => numberAt(object, 'status.desiredNumberScheduled')),
    count('Current', (object) => numberAt(object, 'status.currentNumberScheduled')),
    count('Ready', (object) => numberAt(object, 'status.numberReady')),
    count('Up-to-date', (object) => numberAt(object, 'status.updatedNumberScheduled')),
    count('Available', (object) => numberAt(object, 'status.numberAvailable')),
    text('Node Selector', (object) => selectorText(object, 'spec.template.spec.nodeSelector')),
    ageColumn,
    ...templateColumns,
  ],
  'leases.coordination.k8s.io': [
    nameColumn,
    text('Holder', (lease) => shown(lease, 'spec.holderIdentity', '')),
    ageColumn,
  ],
  'customresourcedefinitions.apiextensions.k8s.io': role,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'roles.rbac.authorization.k8s.io': role,
  'clusterroles.rbac.authorization.k8s.io': role,
  'rolebindings.rbac.authorization.k8s.io': binding,
  'clusterrolebindings.rbac.authorization.k8s.io': binding,
};
