import { formatTime } from '@ambient/kube/time';

import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';
import { fillInPodSpec, podSpecCauses, qualityOfService } from './pod-spec.ts';

const defaultGraceSeconds = 30;

/**
 * Pods. One without a node agent has nobody who could end its processes, so it vanishes at once when it is deleted.
 *
 * @param hasAgent whether somebody looks after the pods of a node, and deletes them for good
 */
export function podStrategy(hasAgent: (nodeName: string) => boolean, nowMs: () => number): KindStrategy {
  return {
    generation: true,
    answersDeleted: true,
    applyDefaults(pod) {
      const spec = member(pod, 'spec');
      spec['enableServiceLinks'] ??= true;
      fillInPodSpec(spec);
    },
    prepareCreate(pod) {
      const spec = member(pod, 'spec');
      const account = text(spec['serviceAccountName']) ?? text(spec['serviceAccount']) ?? 'default';
      spec['serviceAccountName'] = account;
      spec['serviceAccount'] = account;
      spec['priority'] ??= 0;
      spec['preemptionPolicy'] ??= 'PreemptLowerPriority';
      spec['tolerations'] = [...tolerationsOf(spec), ...tolerationsOfFailure(spec)];
      pod['status'] = { phase: 'Pending', qosClass: qualityOfService(spec) };
    },
    validate: (pod) => (isJsonObject(pod['spec']) ? podSpecCauses(pod['spec'], 'spec') : []),
    prepareUpdate(pod, live) {
      const spec = member(pod, 'spec');
      const before = isJsonObject(live['spec']) ? live['spec'] : {};
      for (const field of [
        'serviceAccountName',
        'serviceAccount',
        'nodeName',
        'enableServiceLinks',
        'priority',
        'preemptionPolicy',
      ])
        if (spec[field] === undefined && before[field] !== undefined) spec[field] = before[field];
      if (text(before['nodeName']) === undefined && text(spec['nodeName']) !== undefined)
        noteScheduled(member(pod, 'status'), nowMs());
    },
    prepareStatus(pod) {
      const status = member(pod, 'status');
      const address = text(status['podIP']);
      const all = Array.isArray(status['podIPs']) ? (status['podIPs'] as JsonObject[]) : [];
      if (address !== undefined && all.length === 0) status['podIPs'] = [{ ip: address }];
      else if (address === undefined && typeof all[0]?.['ip'] === 'string') status['podIP'] = all[0]['ip'];
    },
    gracePeriodSeconds(pod) {
      const spec = isJsonObject(pod['spec']) ? pod['spec'] : {};
      const node = text(spec['nodeName']);
      if (node === undefined || !hasAgent(node)) return 0;
      const seconds = spec['terminationGracePeriodSeconds'];
      return typeof seconds === 'number' ? seconds : defaultGraceSeconds;
    },
  };
}

/** A pod that gets its node is scheduled from that moment. */
function noteScheduled(status: JsonObject, nowMs: number): void {
  const conditions = Array.isArray(status['conditions']) ? status['conditions'].filter(isJsonObject) : [];
  status['conditions'] = [
    ...conditions.filter(({ type }) => type !== 'PodScheduled'),
    { type: 'PodScheduled', status: 'True', lastTransitionTime: formatTime(nowMs) },
  ];
}

function tolerationsOf(spec: JsonObject): JsonObject[] {
  return Array.isArray(spec['tolerations']) ? spec['tolerations'].filter(isJsonObject) : [];
}

/** Pods stay on a node that fails for five minutes, unless they say otherwise. */
function tolerationsOfFailure(spec: JsonObject): JsonObject[] {
  const tolerated = new Set(tolerationsOf(spec).map(({ key }) => key ?? ''));
  return ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    .filter((key) => !tolerated.has(key) && !tolerated.has(''))
    .map((key) => ({ effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: 300 }));
}

function member(object: ApiObject, name: string): JsonObject {
  const value = object[name];
  if (isJsonObject(value)) return value;
  const made: JsonObject = {};
  object[name] = made;
  return made;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
