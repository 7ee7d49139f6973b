// Which waypoint a service or workload goes through, and why not where it does not.
import type { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { Gateway, ObjectMeta } from '@ambient/kube';
import { parseGoBoolean } from '../validation/authorization-policy.ts';
import type { MeshSettings } from './mesh-settings.ts';
import type { WaypointName } from './policies/waypoint-policy.ts';
import {
  admitsNamespace,
  isWaypointReady,
  serves,
  trafficTypeOf,
  waypointAddress,
} from './waypoint-gateway.ts';

const USE_WAYPOINT_LABEL = 'istio.io/use-waypoint';
const USE_WAYPOINT_NAMESPACE_LABEL = 'istio.io/use-waypoint-namespace';
const CANARY_LABEL = 'istio.io/use-waypoint-canary';
const CANARY_NAMESPACE_LABEL = 'istio.io/use-waypoint-canary-namespace';
const CANARY_WEIGHT_ANNOTATION = 'istio.io/use-waypoint-canary-weight';
const INGRESS_USE_WAYPOINT_LABEL = 'istio.io/ingress-use-waypoint';

export type BindingReason =
  | 'WaypointAccepted'
  | 'WaypointIsNotReady'
  | 'AttachmentDenied'
  | 'UnsupportedTrafficType'
  | 'CrossNamespaceWaypointForbidden';

/** What came of a wish for a waypoint; condition `istio.io/WaypointBound` says it to the user. */
export type WaypointBinding =
  /** Nobody wished for one, or the object opted out. No condition. */
  | { readonly state: 'none' }
  | {
      readonly state: 'bound';
      readonly reason: 'WaypointAccepted';
      readonly message: string;
      readonly gateway: WaypointName;
      readonly address: istio.workload.IGatewayAddress;
      /** Primary and canary with weights that add up to 100; absent without a canary. */
      readonly weighted?: readonly istio.workload.IWeightedWaypoint[];
      /** The canary, where there is one. */
      readonly canary?: WaypointName;
      /** Traffic from gateways takes the waypoint too. */
      readonly ingress: boolean;
    }
  | {
      readonly state: 'refused';
      readonly reason: Exclude<BindingReason, 'WaypointAccepted'>;
      readonly message: string;
      readonly gateway: WaypointName;
      /** The wish stands on the namespace, not on the object. */
      readonly inherited: boolean;
    };

const unbound: WaypointBinding = { state: 'none' };

/** Waypoints do not stand behind waypoints. */
const managedAsWaypoint: ReadonlySet<string> = new Set([
  'istio.io-mesh-controller',
  'istio.io-eastwest-controller',
]);

type Labels = Readonly<Record<string, string>> | undefined;

interface Wish {
  readonly gateway: WaypointName;
  readonly inherited: boolean;
}

/** Of a pod, WorkloadEntry or inline endpoint: `metadata` has the labels that count for it, and its namespace. */
export function workloadWaypoint(
  metadata: Pick<ObjectMeta, 'namespace' | 'labels'>,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): WaypointBinding {
  const wish = wishOf(metadata, lookup);
  return wish === undefined ? unbound : bind(wish, metadata.namespace ?? '', 'workload', lookup, mesh);
}

/**
 * Of a Service or ServiceEntry, with its canary.
 *
 * @param namespaceOnly the service is seen in its own namespace only, so a waypoint elsewhere would show it to others
 */
export function serviceWaypoint(
  metadata: ObjectMeta,
  lookup: ClusterLookup,
  mesh: MeshSettings,
  namespaceOnly = false,
): WaypointBinding {
  if (managedAsWaypoint.has(metadata.labels?.['gateway.istio.io/managed'] ?? '')) return unbound;
  const wish = wishOf(metadata, lookup);
  if (wish === undefined) return unbound;
  const namespace = metadata.namespace ?? '';
  const primary = bind(wish, namespace, 'service', lookup, mesh, namespaceOnly);
  if (primary.state !== 'bound') return primary;
  const ingress = takesIngress(metadata, lookup);
  const message = `${primary.message}${ingress ? '; traffic from gateways takes it too' : `; traffic from gateways does not take it: label ${INGRESS_USE_WAYPOINT_LABEL}=true makes it`}`;
  const canary = canaryOf(metadata, wish.inherited, lookup);
  if (canary === undefined) return { ...primary, ingress, message };
  const second = bind(canary, namespace, 'service', lookup, mesh, namespaceOnly);
  const problem =
    second.state === 'refused'
      ? second.message
      : isSame(canary.gateway, wish.gateway)
        ? `${nameOf(canary.gateway)} is the primary waypoint itself`
        : weightProblem(canary.weight);
  if (second.state !== 'bound' || problem !== undefined) {
    return { ...primary, ingress, message: `${message}. Canary waypoint not attached: ${problem}` };
  }
  const weight = Number(canary.weight ?? 0);
  const weighted = [
    { destination: primary.address, weight: 100 - weight },
    { destination: second.address, weight },
  ];
  return {
    ...primary,
    ingress,
    weighted,
    canary: canary.gateway,
    message: `${message}. ${weight} of 100 connections take canary ${nameOf(canary.gateway)}`,
  };
}

/** The Gateway that a workload is an instance of: part of a waypoint, which goes through none. */
export function instanceOf(
  metadata: Pick<ObjectMeta, 'namespace' | 'labels'>,
  lookup: ClusterLookup,
): Gateway | undefined {
  const name = metadata.labels?.['gateway.networking.k8s.io/gateway-name'];
  if (name === undefined) return undefined;
  const gateway = lookup.get('Gateway', metadata.namespace ?? '', name);
  return isWaypointReady(gateway) ? gateway : undefined;
}

/** The wish of an object: its own label, `none` included, hides that of its namespace. */
function wishOf(metadata: Pick<ObjectMeta, 'namespace' | 'labels'>, lookup: ClusterLookup): Wish | undefined {
  const namespace = metadata.namespace ?? '';
  const own = named(metadata.labels, namespace, USE_WAYPOINT_LABEL, USE_WAYPOINT_NAMESPACE_LABEL);
  if (own !== undefined) return own === 'none' ? undefined : { gateway: own, inherited: false };
  const labels = lookup.get('Namespace', '', namespace)?.metadata.labels;
  const inherited = named(labels, namespace, USE_WAYPOINT_LABEL, USE_WAYPOINT_NAMESPACE_LABEL);
  return inherited === undefined || inherited === 'none'
    ? undefined
    : { gateway: inherited, inherited: true };
}

function named(
  labels: Labels,
  namespace: string,
  nameLabel: string,
  namespaceLabel: string,
): WaypointName | 'none' | undefined {
  const name = labels?.[nameLabel];
  if (name === undefined) return undefined;
  return name === 'none' ? 'none' : { name, namespace: labels?.[namespaceLabel] ?? namespace };
}

function bind(
  { gateway: name, inherited }: Wish,
  namespace: string,
  wanted: 'service' | 'workload',
  lookup: ClusterLookup,
  mesh: MeshSettings,
  namespaceOnly = false,
): Exclude<WaypointBinding, { state: 'none' }> {
  const text = nameOf(name);
  const refuse = (reason: Exclude<BindingReason, 'WaypointAccepted'>, message: string) =>
    ({ state: 'refused', reason, message, gateway: name, inherited }) as const;
  if (namespaceOnly && name.namespace !== namespace) {
    return refuse(
      'CrossNamespaceWaypointForbidden',
      `Waypoint ${text} is of another namespace, and serviceEntryVisibility keeps this service in its own: use a waypoint of namespace ${namespace}`,
    );
  }
  const gateway = lookup.get('Gateway', name.namespace, name.name);
  if (!isWaypointReady(gateway)) {
    const why = gateway === undefined ? 'does not exist' : 'has no address in its status yet';
    return refuse('WaypointIsNotReady', `Waypoint ${text} ${why}: until it has, traffic passes it by`);
  }
  if (!admitsNamespace(gateway, namespace, lookup)) {
    return refuse(
      'AttachmentDenied',
      `Waypoint ${text} does not admit namespace ${namespace}: allow it in allowedRoutes.namespaces of its listener`,
    );
  }
  const trafficType = trafficTypeOf(gateway, lookup);
  if (!serves(trafficType, wanted)) {
    return refuse(
      'UnsupportedTrafficType',
      `Waypoint ${text} takes traffic type ${JSON.stringify(trafficType)}, not ${JSON.stringify(wanted)}: set its label istio.io/waypoint-for to ${wanted} or all`,
    );
  }
  const address = waypointAddress(gateway, mesh.network);
  if (address === undefined) {
    return refuse(
      'WaypointIsNotReady',
      `Waypoint ${text} has no usable address in its status: an IPAddress or a Hostname is needed`,
    );
  }
  const message = `Successfully attached to waypoint ${text}`;
  return { state: 'bound', reason: 'WaypointAccepted', message, gateway: name, address, ingress: false };
}

function nameOf({ namespace, name }: WaypointName): string {
  return `${namespace}/${name}`;
}

function isSame(a: WaypointName, b: WaypointName): boolean {
  return a.namespace === b.namespace && a.name === b.name;
}

interface Canary extends Wish {
  readonly weight: string | undefined;
}

/** The object's own canary; that of the namespace only for who has its primary from there too. */
function canaryOf(
  metadata: ObjectMeta,
  primaryInherited: boolean,
  lookup: ClusterLookup,
): Canary | undefined {
  const namespace = metadata.namespace ?? '';
  const own = canaryNamed(metadata, namespace);
  if (own !== undefined || !primaryInherited) return own === 'none' ? undefined : own;
  const parent = lookup.get('Namespace', '', namespace);
  const inherited = parent === undefined ? undefined : canaryNamed(parent.metadata, namespace);
  return inherited === 'none' || inherited === undefined ? undefined : { ...inherited, inherited: true };
}

function canaryNamed(metadata: ObjectMeta, namespace: string): Canary | 'none' | undefined {
  const gateway = named(metadata.labels, namespace, CANARY_LABEL, CANARY_NAMESPACE_LABEL);
  if (gateway === undefined || gateway === 'none') return gateway;
  return { gateway, inherited: false, weight: metadata.annotations?.[CANARY_WEIGHT_ANNOTATION] };
}

function weightProblem(weight: string | undefined): string | undefined {
  if (weight === undefined || /^(100|[1-9]?\d)$/.test(weight)) return undefined;
  return `annotation ${CANARY_WEIGHT_ANNOTATION} is ${JSON.stringify(weight)}, not a whole number from 0 to 100`;
}

function takesIngress(metadata: ObjectMeta, lookup: ClusterLookup): boolean {
  const own = metadata.labels?.[INGRESS_USE_WAYPOINT_LABEL];
  const value =
    own ??
    lookup.get('Namespace', '', metadata.namespace ?? '')?.metadata.labels?.[INGRESS_USE_WAYPOINT_LABEL];
  return value !== undefined && parseGoBoolean(value) === true;
}
