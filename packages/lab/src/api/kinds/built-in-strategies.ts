import type { KindStrategy } from '../operations/strategy.ts';
import { namespaceStrategy } from './namespace.ts';
import { podStrategy } from './pod.ts';
import { configMapStrategy, secretStrategy } from './secret.ts';
import type { ServiceAddresses } from './service-addresses.ts';
import { serviceStrategy } from './service.ts';
import { workloadStrategies } from './workload.ts';

export interface StrategyParts {
  readonly addresses: ServiceAddresses;
  /** Whether somebody looks after the pods of a node. */
  readonly hasAgent: (nodeName: string) => boolean;
  readonly customResourceDefinitions: KindStrategy;
}

const counted: KindStrategy = { generation: true };

/** Kinds whose changes of desired state are counted, and that need nothing else. */
const countedResources = [
  'endpointslices.discovery.k8s.io',
  'networkpolicies.networking.k8s.io',
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
      { prepareCreate: (autoscaler) => void (autoscaler['status'] = { desiredReplicas: 0 }) },
    ],
    ['namespaces.', namespaceStrategy],
    ['nodes.', { keepsStatusOnCreate: true }],
    ['pods.', podStrategy(parts.hasAgent)],
    ['services.', serviceStrategy(parts.addresses)],
    ['secrets.', secretStrategy],
    ['configmaps.', configMapStrategy],
    ['customresourcedefinitions.apiextensions.k8s.io', parts.customResourceDefinitions],
  ]);
}
