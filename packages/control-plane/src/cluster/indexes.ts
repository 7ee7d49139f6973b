// The indexes by which translators find objects, declared per kind as pure functions. The engine keeps them;
// a derived resource depends on the keys that it has asked for.
import type { KindName, KubeObject, ObjectOf, Service, ServiceEntry } from '@ambient/kube';
import { selectorKey } from './selector-keys.ts';

export interface IndexDeclaration<T extends KubeObject> {
  /** Under which keys the object stands. May be empty; must depend on the object alone. */
  readonly keys: (object: T) => readonly string[];
  /**
   * What readers of this index read of an object besides its name and namespace, as text. When an object
   * changes but neither its keys nor this text do, dependents of its keys need no new computation: a slice of
   * 100 endpoints in which one becomes ready would otherwise recompute 100 pods. Absent: they may read all of it.
   */
  readonly reads?: (object: T) => string;
}

/** The label of an EndpointSlice that names its service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** The label of the system namespace, and of Gateways, that names a network. */
export const NETWORK_LABEL = 'topology.istio.io/network';

/** The label of a pod that names the Gateway that it carries out. */
const GATEWAY_NAME_LABEL = 'gateway.networking.k8s.io/gateway-name';

const byNamespace = (object: KubeObject): readonly string[] => [object.metadata.namespace ?? ''];

function selectorKeys(
  object: Service | ServiceEntry,
  selector: Readonly<Record<string, string>> | undefined,
) {
  const key = selectorKey(object.metadata.namespace ?? '', selector);
  return key === undefined ? [] : [key];
}

/** A custom resource may hold any JSON where its schema is absent. */
function hostsOf(entry: ServiceEntry): readonly string[] {
  const hosts: unknown = entry.spec?.hosts;
  if (!Array.isArray(hosts)) return [];
  return [...new Set(hosts.filter((host): host is string => typeof host === 'string'))];
}

const json = (...values: readonly unknown[]): string => JSON.stringify(values);

/** Not its status, which this control plane writes itself. */
const readsOfServiceEntry = (entry: ServiceEntry): string =>
  json(entry.spec, entry.metadata.labels, entry.metadata.annotations, entry.metadata.creationTimestamp);

export const indexes = {
  Namespace: {},
  Node: {},
  Pod: {
    'by-namespace': { keys: byNamespace },
    'by-node': { keys: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]) },
    /** Pods of a Gateway. Key `namespace/gateway`. */
    'by-gateway': {
      keys: (pod) => {
        const gateway = pod.metadata.labels?.[GATEWAY_NAME_LABEL];
        return gateway === undefined ? [] : [`${pod.metadata.namespace ?? ''}/${gateway}`];
      },
      reads: (pod) => pod.spec?.serviceAccountName ?? '',
    },
  },
  Service: {
    'by-namespace': { keys: byNamespace },
    /** Services with a selector, under the one key of `selectorKey`; asked for with `labelKeys` of the workload. */
    'by-selector': {
      keys: (service) => selectorKeys(service, service.spec?.selector),
      reads: (service) =>
        json(
          service.spec?.type,
          service.spec?.selector,
          service.spec?.ports,
          service.metadata.labels,
          service.metadata.annotations,
          service.metadata.creationTimestamp,
        ),
    },
  },
  EndpointSlice: {
    'by-namespace': { keys: byNamespace },
    /** Key `namespace/service`. */
    'by-service': {
      keys: (slice) => {
        const service = slice.metadata.labels?.[SERVICE_NAME_LABEL];
        return service === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${service}`];
      },
    },
    /** Key `kind/namespace/name/uid` of the object that an endpoint stands for, e.g. `Pod/default/a/1-2-3`. */
    'by-target': {
      keys: (slice) => {
        const keys = new Set<string>();
        for (const { targetRef } of slice.endpoints ?? []) {
          if (targetRef?.kind === undefined || targetRef.name === undefined) continue;
          const namespace = targetRef.namespace ?? '';
          keys.add(`${targetRef.kind}/${namespace}/${targetRef.name}/${targetRef.uid ?? ''}`);
        }
        return [...keys];
      },
      reads: (slice) => slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? '',
    },
  },
  ServiceEntry: {
    'by-namespace': { keys: byNamespace },
    /** Key: one of its hosts, over all namespaces. */
    'by-host': { keys: hostsOf, reads: readsOfServiceEntry },
    /** As the index of Service: entries with a workload selector. */
    'by-selector': {
      keys: (entry) => selectorKeys(entry, entry.spec?.workloadSelector?.labels),
      reads: readsOfServiceEntry,
    },
  },
  WorkloadEntry: {
    'by-namespace': { keys: byNamespace },
    /** Those that name a network. */
    'of-a-network-by-namespace': {
      keys: (entry) => ((entry.spec?.network ?? '') === '' ? [] : byNamespace(entry)),
      reads: ({ spec, metadata }) => json(spec, metadata.labels),
    },
  },
  Gateway: {
    'by-namespace': { keys: byNamespace },
    /** Those that are labelled with a network. Key: the network. */
    'by-network': {
      keys: ({ metadata }) => {
        const network = metadata.labels?.[NETWORK_LABEL] ?? '';
        return network === '' ? [] : [network];
      },
      reads: ({ spec, status, metadata }) =>
        json(
          spec?.gatewayClassName,
          spec?.listeners,
          status?.addresses,
          metadata.annotations?.['gateway.istio.io/service-account'],
        ),
    },
  },
  GatewayClass: {},
  HTTPRoute: {},
  GRPCRoute: {},
  TLSRoute: {},
  TCPRoute: {},
  ReferenceGrant: {
    'by-namespace': { keys: byNamespace },
  },
  AuthorizationPolicy: {
    'by-namespace': { keys: byNamespace },
    /** Policies with a selector: those that workloads name. A change of rules alone does not concern workloads. */
    'selecting-by-namespace': {
      keys: (policy) => ((policy.spec?.selector ?? undefined) === undefined ? [] : byNamespace(policy)),
      reads: ({ spec, metadata }) =>
        json(
          spec?.selector,
          spec?.action,
          spec?.targetRef,
          spec?.targetRefs,
          metadata.annotations?.['istio.io/dry-run'],
        ),
    },
  },
  PeerAuthentication: {
    'by-namespace': { keys: byNamespace },
  },
  ConfigMap: {},
} as const satisfies { readonly [K in KindName]: Readonly<Record<string, IndexDeclaration<ObjectOf<K>>>> };

export type IndexOf<K extends KindName> = keyof (typeof indexes)[K] & string;
