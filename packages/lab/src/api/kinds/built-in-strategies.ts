import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';
import { namespaceStrategy } from './namespace.ts';
import type { NodePorts } from './node-ports.ts';
import { podStrategy } from './pod.ts';
import { configMapStrategy, secretStrategy } from './secret.ts';
import type { ServiceAddresses } from './service-addresses.ts';
import { serviceStrategy } from './service.ts';
import { workloadStrategies } from './workload.ts';

export interface StrategyParts {
  readonly addresses: ServiceAddresses;
  readonly nodePorts: NodePorts;
  /** Whether somebody looks after the pods of a node. */
  readonly hasAgent: (nodeName: string) => boolean;
  readonly customResourceDefinitions: KindStrategy;
  readonly nowMs: () => number;
}

const counted: KindStrategy = { generation: true };

/** Kinds whose changes of desired state are counted, and that need nothing else. */
const countedResources = [
  'ingressclasses.networking.k8s.io',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
];

const disruptionBudgets: KindStrategy = {
  generation: true,
  prepareCreate(budget) {
    budget['status'] = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
};

/** A policy concerns incoming traffic, and outgoing traffic if it says anything of it. */
function policyTypes(policy: ApiObject): void {
  const spec = policy['spec'];
  if (isJsonObject(spec))
    spec['policyTypes'] ??= spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
}

/** An autoscaler that does not say by what goes by the processor. */
function autoscalerMetrics(autoscaler: ApiObject): void {
  const spec = autoscaler['spec'];
  if (!isJsonObject(spec) || (Array.isArray(spec['metrics']) && spec['metrics'].length > 0)) return;
  const target = { type: 'Utilization', averageUtilization: 80 };
  spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target } }];
}

function sliceDefaults(slice: ApiObject): void {
  const listOf = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
  for (const port of listOf(slice['ports'])) {
    port['name'] ??= '';
    port['protocol'] ??= 'TCP';
  }
  for (const endpoint of listOf(slice['endpoints'])) endpoint['conditions'] ??= {};
}

/** What the built-in kinds do beside what all kinds do, by `plural.group`. */
export function builtInStrategies(parts: StrategyParts): ReadonlyMap<string, KindStrategy> {
  return new Map<string, KindStrategy>([
    ...countedResources.map((resource) => [resource, counted] as const),
    ...workloadStrategies,
    [
      'ingresses.networking.k8s.io',
      { generation: true, prepareCreate: (ingress) => void (ingress['status'] = { loadBalancer: {} }) },
    ],
    ['poddisruptionbudgets.policy', disruptionBudgets],
    [
      'horizontalpodautoscalers.autoscaling',
      {
        applyDefaults: autoscalerMetrics,
        prepareCreate: (autoscaler) => void (autoscaler['status'] = { desiredReplicas: 0 }),
      },
    ],
    ...['serviceaccounts.', 'resourcequotas.', 'persistentvolumes.', 'persistentvolumeclaims.'].map(
      (resource) => [resource, { answersDeleted: true }] as const,
    ),
    ['networkpolicies.networking.k8s.io', { generation: true, applyDefaults: policyTypes }],
    ['endpointslices.discovery.k8s.io', { generation: true, applyDefaults: sliceDefaults }],
    ['namespaces.', namespaceStrategy],
    ['nodes.', { keepsStatusOnCreate: true }],
    ['pods.', podStrategy(parts.hasAgent, parts.nowMs)],
    ['services.', serviceStrategy(parts.addresses, parts.nodePorts)],
    ['secrets.', secretStrategy],
    ['configmaps.', configMapStrategy],
    ['customresourcedefinitions.apiextensions.k8s.io', parts.customResourceDefinitions],
  ]);
}
