/** HorizontalPodAutoscaler in its versions: stored as autoscaling/v2, which autoscaling/v1 shows a part of. */
import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';

const cpu = 'cpu';

function isCpu(metric: JsonObject): boolean {
  const resource = metric['resource'];
  return metric['type'] === 'Resource' && isJsonObject(resource) && resource['name'] === cpu;
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function autoscalerFromV1(object: ApiObject): ApiObject {
  const { targetCPUUtilizationPercentage, ...spec } = objectOf(object['spec']);
  const { currentCPUUtilizationPercentage: _, ...status } = objectOf(object['status']);
  const target = { type: 'Utilization', averageUtilization: targetCPUUtilizationPercentage ?? 80 };
  return {
    ...object,
    spec: {
      ...spec,
      metrics: spec['metrics'] ?? [{ type: 'Resource', resource: { name: cpu, target } }],
    },
    ...(object['status'] === undefined ? {} : { status }),
  };
}

export function autoscalerToV1(object: ApiObject): ApiObject {
  const { metrics, behavior: _, ...spec } = objectOf(object['spec']);
  const { currentMetrics, conditions: __, ...status } = objectOf(object['status']);
  const target = objectOf(objectOf(listOf(metrics).find(isCpu)?.['resource'])['target']);
  const current = objectOf(objectOf(listOf(currentMetrics).find(isCpu)?.['resource'])['current']);
  const percentage = (value: unknown, name: string): JsonObject =>
    typeof value === 'number' ? { [name]: value } : {};
  return {
    ...object,
    spec: { ...spec, ...percentage(target['averageUtilization'], 'targetCPUUtilizationPercentage') },
    status: {
      ...status,
      ...percentage(current['averageUtilization'], 'currentCPUUtilizationPercentage'),
    },
  };
}
