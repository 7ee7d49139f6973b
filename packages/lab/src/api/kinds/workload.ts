/** Kinds that make pods from a template. */
import type { StatusCause } from '../errors.ts';
import { equalJson, isJsonObject, valueAt } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';
import { fillInPodSpec, podSpecCauses } from './pod-spec.ts';

function objectAt(root: unknown, ...path: string[]): JsonObject | undefined {
  const value = valueAt(root, path);
  return isJsonObject(value) ? value : undefined;
}

function replicaCauses(object: ApiObject): StatusCause[] {
  const replicas = valueAt(object, ['spec', 'replicas']);
  if (typeof replicas !== 'number' || replicas >= 0) return [];
  const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
  return [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message }];
}

/** @param defaults further ones of the kind */
function workload(
  templatePath: readonly string[],
  defaults: (object: ApiObject) => void = () => undefined,
  further: (object: ApiObject, live: ApiObject | undefined) => readonly StatusCause[] = () => [],
): KindStrategy {
  return {
    generation: true,
    applyDefaults(object) {
      defaults(object);
      const template = objectAt(object, ...templatePath, 'spec');
      if (template !== undefined) fillInPodSpec(template);
    },
    prepareCreate(object) {
      object['status'] = {};
    },
    validate(object, live) {
      const template = objectAt(object, ...templatePath, 'spec');
      const path = [...templatePath, 'spec'].join('.');
      return [
        ...replicaCauses(object),
        ...(template === undefined ? [] : podSpecCauses(template, path)),
        ...further(object, live),
      ];
    },
  };
}

const template = ['spec', 'template'];

/** The pods of a template have to be those that the selector finds. */
function selectorCauses(object: ApiObject, live: ApiObject | undefined): StatusCause[] {
  const selector = objectAt(object, 'spec', 'selector');
  const immutable: StatusCause[] =
    live === undefined || equalJson(selector, objectAt(live, 'spec', 'selector'))
      ? []
      : [
          {
            reason: 'FieldValueInvalid',
            field: 'spec.selector',
            message: `Invalid value: ${JSON.stringify(selector)}: field is immutable`,
          },
        ];
  return [...labelCauses(object, selector), ...immutable];
}

function labelCauses(object: ApiObject, selector: JsonObject | undefined): StatusCause[] {
  const wanted = objectAt(selector, 'matchLabels') ?? {};
  const labels = objectAt(object, ...template, 'metadata', 'labels') ?? {};
  if (selector !== undefined && Object.entries(wanted).every(([key, value]) => labels[key] === value))
    return [];
  return [
    {
      reason: 'FieldValueInvalid',
      field: 'spec.template.metadata.labels',
      message: `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``,
    },
  ];
}

function rollingUpdate(field: string, defaults: JsonObject): (object: ApiObject) => void {
  return (object) => {
    const strategy = objectAt(object, 'spec', field);
    if (strategy === undefined) return;
    strategy['type'] ??= 'RollingUpdate';
    if (strategy['type'] !== 'RollingUpdate') return;
    if (strategy['rollingUpdate'] === null || strategy['rollingUpdate'] === undefined)
      strategy['rollingUpdate'] = {};
    const parameters = objectAt(strategy, 'rollingUpdate');
    for (const [name, value] of Object.entries(defaults))
      if (parameters !== undefined) parameters[name] ??= value;
  };
}

const setUpdates = rollingUpdate('updateStrategy', { partition: 0 });

function statefulSetDefaults(set: ApiObject): void {
  setUpdates(set);
  const spec = objectAt(set, 'spec');
  if (spec === undefined) return;
  const kept = objectAt(spec, 'persistentVolumeClaimRetentionPolicy') ?? {};
  spec['persistentVolumeClaimRetentionPolicy'] = { whenDeleted: 'Retain', whenScaled: 'Retain', ...kept };
}

function jobDefaults(job: ApiObject): void {
  const spec = objectAt(job, 'spec');
  if (spec === undefined) return;
  spec['parallelism'] ??= 1;
  spec['backoffLimit'] ??= 6;
  spec['completionMode'] ??= 'NonIndexed';
  spec['suspend'] ??= false;
  if (spec['completions'] === undefined && spec['parallelism'] === 1) spec['completions'] = 1;
  spec['manualSelector'] ??= false;
  spec['podReplacementPolicy'] ??= spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed';
}

/** A Job selects its own pods by its uid, and labels them so. */
function selectOwnPods(job: ApiObject): void {
  const spec = objectAt(job, 'spec');
  if (spec === undefined || spec['manualSelector'] === true) return;
  const { uid = '', name } = job.metadata;
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const pods = objectAt(spec, 'template');
  if (pods === undefined) return;
  const metadata = objectAt(pods, 'metadata') ?? {};
  metadata['labels'] = { ...objectAt(metadata, 'labels'), ...labels };
  pods['metadata'] = metadata;
  job.metadata.labels ??= metadata['labels'] as Record<string, string>;
  spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
}

/** By `plural.group`. */
export const workloadStrategies: readonly (readonly [string, KindStrategy])[] = [
  [
    'deployments.apps',
    workload(template, rollingUpdate('strategy', { maxUnavailable: '25%', maxSurge: '25%' }), selectorCauses),
  ],
  [
    'daemonsets.apps',
    workload(template, rollingUpdate('updateStrategy', { maxUnavailable: 1, maxSurge: 0 }), selectorCauses),
  ],
  ['replicasets.apps', workload(template, undefined, selectorCauses)],
  ['statefulsets.apps', workload(template, statefulSetDefaults, selectorCauses)],
  ['replicationcontrollers.', workload(template)],
  [
    'jobs.batch',
    {
      ...workload(template, jobDefaults),
      prepareCreate(job) {
        selectOwnPods(job);
        job['status'] = {};
      },
    },
  ],
  ['cronjobs.batch', workload(['spec', 'jobTemplate', 'spec', 'template'])],
];
