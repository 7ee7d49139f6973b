// Gateways through which other networks are reached (facts l7 §1 and §8).
import { ipToBytes } from '@ambient/mesh';
import type { istio } from '@ambient/wire';
import { NETWORK_LABEL } from '../cluster/indexes.ts';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { Gateway } from '@ambient/kube';
import type { MeshSettings } from './mesh-settings.ts';
import { networkGatewayUid } from './names.ts';
import { trustDomainOf } from './workload-fields.ts';

/** The class of Gateways that stand for one that runs elsewhere: what this cluster knows of other networks. */
const REMOTE_CLASS = 'istio-remote';
/** The class of Gateways that other networks come in by. */
const EAST_WEST_CLASS = 'istio-east-west';
const SERVICE_ACCOUNT_ANNOTATION = 'gateway.istio.io/service-account';

/** One address of a gateway. */
export interface NetworkGateway {
  readonly network: string;
  /** IP address or host name. */
  readonly address: string;
  /** Where it takes HBONE. */
  readonly port: number;
  /** Of the Gateway. */
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
}

/**
 * What a Gateway says of another network: its label names the network, and its status has the addresses. Class `istio-remote`
 * is made for that. Where several networks make one mesh, an `istio-east-west` Gateway of another network counts as well; that
 * of our own is the way in for others, and nobody here takes it.
 */
export function networkGatewaysOf(gateway: Gateway, mesh: MeshSettings): NetworkGateway[] {
  const { name, namespace = '', labels, annotations } = gateway.metadata;
  const network = labels?.[NETWORK_LABEL] ?? '';
  const className = gateway.spec?.gatewayClassName;
  const counts =
    className === REMOTE_CLASS ||
    (className === EAST_WEST_CLASS && mesh.multiNetwork && network !== mesh.network);
  if (network === '' || !counts) return [];
  const port = gateway.spec?.listeners?.find(({ protocol }) => protocol === 'HBONE')?.port;
  if (port === undefined) return [];
  const own = annotations?.[SERVICE_ACCOUNT_ANNOTATION] ?? '';
  const usual = className === REMOTE_CLASS ? `${name}-${REMOTE_CLASS}` : name;
  const serviceAccount = own === '' ? usual : own;
  return (gateway.status?.addresses ?? []).flatMap(({ type = 'IPAddress', value = '' }) =>
    isUsable(type, value) ? [{ network, address: value, port, namespace, name, serviceAccount }] : [],
  );
}

function isUsable(type: string, value: string): boolean {
  if (type === 'IPAddress') return ipToBytes(value) !== undefined;
  return type === 'Hostname' && value !== '';
}

/** Of several gateways of a network one is taken, the same by every replica: the first by its name. */
export function gatewayTo(
  network: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): NetworkGateway | undefined {
  if (network === '') return undefined;
  let first: NetworkGateway | undefined;
  for (const gateway of lookup.list('Gateway', 'by-network', network)) {
    const [candidate] = networkGatewaysOf(gateway, mesh);
    if (candidate !== undefined && (first === undefined || nameOf(candidate) < nameOf(first)))
      first = candidate;
  }
  return first;
}

function nameOf({ namespace, name }: NetworkGateway): string {
  return `${namespace}/${name}`;
}

/** How proxies name a gateway; they find it as a workload, or as a Service where it is a host name. */
export function networkGatewayAddress(gateway: NetworkGateway): istio.workload.IGatewayAddress {
  const { network, address: text, port, namespace } = gateway;
  const address = ipToBytes(text);
  return {
    hboneMtlsPort: port,
    ...(address === undefined
      ? { hostname: { namespace, hostname: text } }
      : { address: { network, address } }),
  };
}

/** Where a workload of a network is reached from other networks; nothing for the network without a name, and without a gateway. */
export function reachedThrough(
  network: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): Pick<istio.workload.IWorkload, 'networkGateway'> {
  const gateway = gatewayTo(network, lookup, mesh);
  return gateway === undefined ? {} : { networkGateway: networkGatewayAddress(gateway) };
}

/** The gateway itself, as proxies need it to find its address and to check who answers there. */
export function translateNetworkGateway(gateway: Gateway, mesh: MeshSettings): istio.workload.IWorkload[] {
  return networkGatewaysOf(gateway, mesh).map(({ network, address, port, namespace, serviceAccount }) => {
    const uid = networkGatewayUid(network, address, port);
    const bytes = ipToBytes(address);
    return {
      uid,
      name: uid,
      namespace,
      serviceAccount,
      network,
      trustDomain: trustDomainOf(mesh),
      ...(bytes === undefined ? { hostname: address } : { addresses: [bytes] }),
    };
  });
}
