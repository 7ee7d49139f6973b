/** Columns of kinds that a mesh does not look at, but its users do. */
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject, JsonObject, OwnerReference } from '../object.ts';
import { age, ageColumn, nameColumn } from './column.ts';
import type { Cell, Column } from './column.ts';

function text(name: string, cell: (object: ApiObject, nowMs: number) => Cell, priority = 0): Column {
  return { name, type: 'string', priority, cell };
}

function shown(object: unknown, path: string, none = '<none>'): string {
  const value = valueAt(object, path.split('.'));
  if (value === undefined || value === null || value === '') return none;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function listAt(object: unknown, path: string): JsonObject[] {
  const value = valueAt(object, path.split('.'));
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function labelsAt(object: ApiObject, path: string): string {
  const labels = valueAt(object, path.split('.'));
  const pairs = isJsonObject(labels)
    ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`)
    : [];
  return pairs.length === 0 ? '<none>' : pairs.join(',');
}

/** `True` and `False`, as kubectl's users know them. */
function truth(object: ApiObject, path: string): string {
  return valueAt(object, path.split('.')) === true ? 'True' : 'False';
}

function templateColumns(template: string, selector?: string): Column[] {
  const containers = (object: ApiObject, field: string): string =>
    listAt(object, `${template}.spec.containers`)
      .map((container) => shown(container, field))
      .join(',');
  return [
    text('Containers', (object) => containers(object, 'name'), 1),
    text('Images', (object) => containers(object, 'image'), 1),
    ...(selector === undefined ? [] : [text('Selector', (object) => labelsAt(object, selector), 1)]),
  ];
}

function jobStatus(job: ApiObject): string {
  const met = (type: string): boolean =>
    listAt(job, 'status.conditions').some((each) => each['type'] === type && each['status'] === 'True');
  if (met('Complete')) return 'Complete';
  if (met('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (met('Suspended')) return 'Suspended';
  return met('FailureTarget') ? 'FailureTarget' : 'Running';
}

function jobCompletions(job: ApiObject): string {
  const done = shown(job, 'status.succeeded', '0');
  const parallelism = Number(shown(job, 'spec.parallelism', '1'));
  return `${done}/${shown(job, 'spec.completions', parallelism > 1 ? `1 of ${parallelism}` : '1')}`;
}

function jobDuration(job: ApiObject, nowMs: number): string {
  const start = valueAt(job, ['status', 'startTime']);
  if (start === undefined) return '';
  const end = valueAt(job, ['status', 'completionTime']);
  return age(start, typeof end === 'string' ? Date.parse(end) : nowMs);
}

function quota(object: ApiObject, limits: boolean): string {
  const hard = valueAt(object, ['status', 'hard']);
  const used = valueAt(object, ['status', 'used']);
  if (!isJsonObject(hard)) return '';
  return Object.keys(hard)
    .filter((name) => name.startsWith('limits.') === limits)
    .sort()
    .map((name) => `${name}: ${String(isJsonObject(used) ? used[name] : 0)}/${String(hard[name])}`)
    .join(', ');
}

function metricTargets(autoscaler: ApiObject): string {
  const targets = listAt(autoscaler, 'spec.metrics').map((metric) => {
    const name = shown(metric, 'resource.name', shown(metric, 'type'));
    const utilization = valueAt(metric, ['resource', 'target', 'averageUtilization']);
    const target =
      typeof utilization === 'number' ? `${utilization}%` : shown(metric, 'resource.target.averageValue');
    return `${name}: <unknown>/${target}`;
  });
  return targets.length === 0 ? '<none>' : targets.join(', ');
}

/** `daemonset.apps`, as kubectl names kinds. */
function ownerKind({ apiVersion, kind }: OwnerReference): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
}

const ingressColumns = [
  nameColumn,
  text('Class', (object) => shown(object, 'spec.ingressClassName')),
  text('Hosts', (object) => {
    const hosts = listAt(object, 'spec.rules').flatMap(({ host }) =>
      typeof host === 'string' ? [host] : [],
    );
    return hosts.length === 0 ? '*' : hosts.join(',');
  }),
  text('Address', (object) =>
    listAt(object, 'status.loadBalancer.ingress')
      .map((each) => shown(each, 'ip', shown(each, 'hostname', '')))
      .join(','),
  ),
  text('Ports', (object) => (listAt(object, 'spec.tls').length === 0 ? '80' : '80, 443')),
  ageColumn,
];

/** By `plural.group`. */
export const furtherColumns: Readonly<Record<string, readonly Column[]>> = {
  'jobs.batch': [
    nameColumn,
    text('Status', jobStatus),
    text('Completions', jobCompletions),
    text('Duration', jobDuration),
    ageColumn,
    ...templateColumns('spec.template', 'spec.selector.matchLabels'),
  ],
  'cronjobs.batch': [
    nameColumn,
    text('Schedule', (object) => shown(object, 'spec.schedule')),
    text('Timezone', (object) => shown(object, 'spec.timeZone')),
    text('Suspend', (object) => truth(object, 'spec.suspend')),
    { name: 'Active', type: 'integer', cell: (object) => listAt(object, 'status.active').length },
    text('Last Schedule', (object, nowMs) => {
      const last = valueAt(object, ['status', 'lastScheduleTime']);
      return last === undefined ? '<none>' : age(last, nowMs);
    }),
    ageColumn,
    ...templateColumns('spec.jobTemplate.spec.template', 'spec.jobTemplate.spec.selector.matchLabels'),
  ],
  'controllerrevisions.apps': [
    nameColumn,
    text('Controller', (revision) => {
      const owner = revision.metadata.ownerReferences?.find((each) => each.controller === true);
      return owner === undefined ? '<none>' : `${ownerKind(owner)}/${owner.name}`;
    }),
    text('Revision', (revision) => shown(revision, 'revision')),
    ageColumn,
  ],
  'poddisruptionbudgets.policy': [
    nameColumn,
    text('Min Available', (object) => shown(object, 'spec.minAvailable', 'N/A')),
    text('Max Unavailable', (object) => shown(object, 'spec.maxUnavailable', 'N/A')),
    text('Allowed Disruptions', (object) => shown(object, 'status.disruptionsAllowed', '0')),
    ageColumn,
  ],
  'priorityclasses.scheduling.k8s.io': [
    nameColumn,
    text('Value', (object) => shown(object, 'value', '0')),
    text('Global-Default', (object) => String(object['globalDefault'] === true)),
    ageColumn,
    text('PreemptionPolicy', (object) => shown(object, 'preemptionPolicy', 'PreemptLowerPriority')),
  ],
  'ingresses.networking.k8s.io': ingressColumns,
  'resourcequotas.': [
    nameColumn,
    text('Request', (object) => quota(object, false)),
    text('Limit', (object) => quota(object, true)),
    ageColumn,
  ],
  'horizontalpodautoscalers.autoscaling': [
    nameColumn,
    text(
      'Reference',
      (object) => `${shown(object, 'spec.scaleTargetRef.kind')}/${shown(object, 'spec.scaleTargetRef.name')}`,
    ),
    text('Targets', metricTargets),
    text('MinPods', (object) => shown(object, 'spec.minReplicas', '<unset>')),
    text('MaxPods', (object) => shown(object, 'spec.maxReplicas', '0')),
    text('Replicas', (object) => shown(object, 'status.currentReplicas', '0')),
    ageColumn,
  ],
  'networkpolicies.networking.k8s.io': [
    nameColumn,
    text('Pod-Selector', (object) => labelsAt(object, 'spec.podSelector.matchLabels')),
    ageColumn,
  ],
  'ingressclasses.networking.k8s.io': [
    nameColumn,
    text('Controller', (object) => shown(object, 'spec.controller')),
    text('Parameters', (object) => shown(object, 'spec.parameters.name')),
    ageColumn,
  ],
  'storageclasses.storage.k8s.io': [
    nameColumn,
    text('Provisioner', (object) => shown(object, 'provisioner')),
    text('ReclaimPolicy', (object) => shown(object, 'reclaimPolicy', 'Delete')),
    text('VolumeBindingMode', (object) => shown(object, 'volumeBindingMode', 'Immediate')),
    text('AllowVolumeExpansion', (object) => String(object['allowVolumeExpansion'] === true)),
    ageColumn,
  ],
};
