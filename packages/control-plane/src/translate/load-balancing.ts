// Which endpoints of a service are preferred, by place and by health.
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { ObjectMeta, Service, ServiceEntry } from '@ambient/kube';

const TRAFFIC_DISTRIBUTION_ANNOTATION = 'networking.istio.io/traffic-distribution';

const { Scope, Mode, HealthPolicy } = istio.workload.LoadBalancing;

/** Most telling first; the order is part of the meaning. */
const preferences: Readonly<Record<string, readonly istio.workload.LoadBalancing.Scope[]>> = {
  preferclose: [Scope.NETWORK, Scope.REGION, Scope.ZONE],
  prefersamezone: [Scope.NETWORK, Scope.REGION, Scope.ZONE],
  prefersamenode: [Scope.NETWORK, Scope.REGION, Scope.ZONE, Scope.SUBZONE, Scope.NODE],
};

export function serviceLoadBalancing(
  service: Service,
  lookup: ClusterLookup,
): istio.workload.ILoadBalancing | undefined {
  const healthPolicy =
    service.spec?.publishNotReadyAddresses === true ? HealthPolicy.ALLOW_ALL : HealthPolicy.ONLY_HEALTHY;
  if (service.spec?.internalTrafficPolicy === 'Local') {
    return { routingPreference: [Scope.NODE], mode: Mode.STRICT, healthPolicy };
  }
  const routingPreference =
    preferenceOf(service.spec?.trafficDistribution) ?? annotatedPreference(service.metadata, lookup);
  if (routingPreference !== undefined) {
    return { routingPreference: [...routingPreference], mode: Mode.FAILOVER, healthPolicy };
  }
  return healthPolicy === HealthPolicy.ALLOW_ALL ? { healthPolicy } : undefined;
}

export function serviceEntryLoadBalancing(
  entry: ServiceEntry,
  lookup: ClusterLookup,
): istio.workload.ILoadBalancing | undefined {
  // Nobody resolves the host: traffic goes where the client has sent it, healthy or not.
  if ((entry.spec?.resolution ?? 'NONE') === 'NONE') {
    return { mode: Mode.PASSTHROUGH, healthPolicy: HealthPolicy.ALLOW_ALL };
  }
  const routingPreference = annotatedPreference(entry.metadata, lookup);
  if (routingPreference === undefined) return undefined;
  return { routingPreference: [...routingPreference], mode: Mode.FAILOVER };
}

/** The object's annotation hides that of its namespace, even with a value that means nothing. */
function annotatedPreference(metadata: ObjectMeta, lookup: ClusterLookup) {
  const own = metadata.annotations?.[TRAFFIC_DISTRIBUTION_ANNOTATION];
  if (own !== undefined) return preferenceOf(own);
  const namespace = lookup.get('Namespace', '', metadata.namespace ?? '');
  return preferenceOf(namespace?.metadata.annotations?.[TRAFFIC_DISTRIBUTION_ANNOTATION]);
}

function preferenceOf(value: string | undefined) {
  return value === undefined ? undefined : preferences[value.toLowerCase()];
}
