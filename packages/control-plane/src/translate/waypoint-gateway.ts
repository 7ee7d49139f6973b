// A Gateway as a waypoint: whom it serves, who may use it, and how it is reached.
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { Gateway, GatewayListener } from '@ambient/kube';
import { matchesLabelSelector } from '@ambient/kube/label-selector';
import { networkAddress } from './network-address.ts';

const WAYPOINT_FOR_LABEL = 'istio.io/waypoint-for';
const INBOUND_BINDING_ANNOTATION = 'ambient.istio.io/waypoint-inbound-binding';

/** Waypoints take HBONE on this port, whatever the port of their pods. */
const WAYPOINT_PORT = 15008;

/** The protocol of listeners that expect the PROXY protocol. */
const PROXY_LISTENER = 'istio.io/PROXY';

const { Protocol } = istio.workload.ApplicationTunnel;

/** A Gateway has become a waypoint when its status has an address, of whatever type. */
export function isWaypointReady(gateway: Gateway | undefined): gateway is Gateway {
  return (gateway?.status?.addresses?.length ?? 0) > 0;
}

/** Label of the Gateway, else of its class, else services only. An unknown value serves nobody. */
export function trafficTypeOf(gateway: Gateway, lookup: ClusterLookup): string {
  return (
    gateway.metadata.labels?.[WAYPOINT_FOR_LABEL] ??
    classOf(gateway, lookup)?.metadata.labels?.[WAYPOINT_FOR_LABEL] ??
    'service'
  );
}

export function serves(trafficType: string, wanted: 'service' | 'workload'): boolean {
  return trafficType === wanted || trafficType === 'all';
}

/**
 * How proxies name the waypoint: by host name, which outlives an address, else by address. Undefined when its
 * status has neither.
 */
export function waypointAddress(
  gateway: Gateway,
  network: string,
): istio.workload.IGatewayAddress | undefined {
  const addresses = gateway.status?.addresses ?? [];
  const hostname = addresses.find(({ type, value }) => type === 'Hostname' && value);
  if (hostname?.value !== undefined) {
    return {
      hostname: { namespace: gateway.metadata.namespace ?? '', hostname: hostname.value },
      hboneMtlsPort: WAYPOINT_PORT,
    };
  }
  for (const { type = 'IPAddress', value = '' } of addresses) {
    if (type !== 'IPAddress') continue;
    const address = networkAddress(network, value);
    if (address !== undefined) return { address, hboneMtlsPort: WAYPOINT_PORT };
  }
  return undefined;
}

/** Whether things in a namespace may use a waypoint: allowedRoutes of its listener, by default its own namespace only. */
export function admitsNamespace(gateway: Gateway, namespace: string, lookup: ClusterLookup): boolean {
  const from = listenerOf(gateway, inboundBinding(gateway, lookup))?.allowedRoutes?.namespaces;
  switch (from?.from ?? 'Same') {
    case 'All':
      return true;
    case 'Same':
      return namespace === gateway.metadata.namespace;
    case 'Selector': {
      // Without a selector nobody is selected; an empty one selects all.
      if (from?.selector === undefined || from.selector === null) return false;
      const labels = lookup.get('Namespace', '', namespace)?.metadata.labels;
      return matchesLabelSelector(from.selector, labels);
    }
    default:
      return false;
  }
}

/** The listener by which a waypoint is bound: that of its inbound binding, by port or by protocol, else HBONE on 15008. */
function listenerOf(
  gateway: Gateway,
  binding: istio.workload.IApplicationTunnel | undefined,
): GatewayListener | undefined {
  const listeners = gateway.spec?.listeners ?? [];
  const bound = listeners.find(({ port, protocol }) => {
    if (binding?.port) return port === binding.port;
    return binding?.protocol === Protocol.PROXY && protocol === PROXY_LISTENER;
  });
  return bound ?? listeners.find(({ port, protocol }) => port === WAYPOINT_PORT && protocol === 'HBONE');
}

/**
 * How a waypoint takes connections if not by HBONE: annotation `PROXY` or `NONE`, with `/port`, of the Gateway, else
 * of its class. Undefined without one, and for one that cannot be read.
 */
export function inboundBinding(
  gateway: Gateway,
  lookup: ClusterLookup,
): istio.workload.IApplicationTunnel | undefined {
  const text =
    gateway.metadata.annotations?.[INBOUND_BINDING_ANNOTATION] ??
    classOf(gateway, lookup)?.metadata.annotations?.[INBOUND_BINDING_ANNOTATION];
  const match = /^(PROXY|NONE)(?:\/(\d{1,5}))?$/.exec(text ?? '');
  if (match === null) return undefined;
  const port = Number(match[2] ?? 0);
  if (port > 65535) return undefined;
  return { protocol: match[1] === 'PROXY' ? Protocol.PROXY : Protocol.NONE, port };
}

function classOf(gateway: Gateway, lookup: ClusterLookup) {
  const name = gateway.spec?.gatewayClassName;
  return name === undefined ? undefined : lookup.get('GatewayClass', '', name);
}
