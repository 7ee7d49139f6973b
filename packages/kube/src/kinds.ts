import type { KindName } from './objects.ts';

/** Where a kind stands in the API. */
export interface KindResource {
  /** '' for the core API. */
  readonly group: string;
  /** Versions that are understood, best first. They differ in nothing that is read here. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
  /** Comes from a CustomResourceDefinition that may be missing. */
  readonly custom: boolean;
}

const core = (plural: string, namespaced: boolean): KindResource => ({
  group: '',
  versions: ['v1'],
  plural,
  namespaced,
  custom: false,
});

const custom = (
  group: string,
  plural: string,
  versions: readonly string[],
  namespaced = true,
): KindResource => ({
  group,
  versions,
  plural,
  namespaced,
  custom: true,
});

const networking = ['v1', 'v1beta1', 'v1alpha3'];
const security = ['v1', 'v1beta1'];
const gateway = ['v1', 'v1beta1'];

export const kindResources: Readonly<Record<KindName, KindResource>> = {
  Namespace: core('namespaces', false),
  Node: core('nodes', false),
  Pod: core('pods', true),
  Service: core('services', true),
  ConfigMap: core('configmaps', true),
  EndpointSlice: {
    group: 'discovery.k8s.io',
    versions: ['v1'],
    plural: 'endpointslices',
    namespaced: true,
    custom: false,
  },
  ServiceEntry: custom('networking.istio.io', 'serviceentries', networking),
  WorkloadEntry: custom('networking.istio.io', 'workloadentries', networking),
  Gateway: custom('gateway.networking.k8s.io', 'gateways', gateway),
  GatewayClass: custom('gateway.networking.k8s.io', 'gatewayclasses', gateway, false),
  HTTPRoute: custom('gateway.networking.k8s.io', 'httproutes', gateway),
  GRPCRoute: custom('gateway.networking.k8s.io', 'grpcroutes', ['v1', 'v1alpha2']),
  TLSRoute: custom('gateway.networking.k8s.io', 'tlsroutes', ['v1', 'v1alpha3', 'v1alpha2']),
  TCPRoute: custom('gateway.networking.k8s.io', 'tcproutes', ['v1', 'v1alpha2']),
  ReferenceGrant: custom('gateway.networking.k8s.io', 'referencegrants', gateway),
  AuthorizationPolicy: custom('security.istio.io', 'authorizationpolicies', security),
  PeerAuthentication: custom('security.istio.io', 'peerauthentications', security),
};

export const kindNames = Object.keys(kindResources) as readonly KindName[];

/** `v1` or `discovery.k8s.io/v1`. */
export function apiVersionOf(resource: KindResource, version: string): string {
  return resource.group === '' ? version : `${resource.group}/${version}`;
}

/** Path of a collection, or of one object in it; `namespace` is ignored for kinds of the cluster. */
export function resourcePath(
  resource: Pick<KindResource, 'group' | 'plural' | 'namespaced'>,
  version: string,
  namespace?: string,
  name?: string,
): string {
  const root = resource.group === '' ? `/api/${version}` : `/apis/${resource.group}/${version}`;
  const scope =
    resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const one = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${resource.plural}${one}`;
}
