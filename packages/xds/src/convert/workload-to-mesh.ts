import type { Workload } from '@ambient/mesh';
import type { istio } from '@ambient/wire';

import { FieldError } from '../errors.ts';
import {
  applicationTunnelProtocols,
  enumName,
  enumNameOr,
  ipField,
  networkModes,
  optionalGateway,
  portField,
  portsField,
  tunnelProtocols,
  workloadStatuses,
  workloadTypes,
} from './fields.ts';

/**
 * A workload off the wire as plain data. An absent trust domain becomes `cluster.local`, service account `default`, cluster
 * `Kubernetes`, capacity 1; an unknown workload type becomes a deployment, as in Istio's ztunnel.
 *
 * @throws FieldError for a value that cannot be used: unknown enum values, addresses that are not 4 or 16 bytes, ports above
 * 65535, a gateway without destination, a service key without `/`, a workload without uid
 */
export function workloadToMesh(wire: istio.workload.Workload, path = 'workload'): Workload {
  if (wire.uid === '')
    throw new FieldError(`${path}.uid`, 'must not be empty: it is the key of the workload');
  const services: Record<string, ReturnType<typeof portsField>> = {};
  for (const [key, list] of Object.entries(wire.services)) {
    if (!key.includes('/'))
      throw new FieldError(`${path}.services`, `key ${JSON.stringify(key)} is not namespace/hostname`);
    // An entry of a map may come without its value, which is an empty one then; the decoder leaves null.
    const { ports } = (list as istio.workload.IPortList | null) ?? {};
    services[key] = portsField(ports ?? [], `${path}.services[${key}].ports`);
  }
  return {
    uid: wire.uid,
    name: wire.name,
    namespace: wire.namespace,
    addresses: wire.addresses.map((bytes, i) => ipField(bytes, `${path}.addresses[${i}]`)),
    hostname: wire.hostname,
    network: wire.network,
    tunnelProtocol: enumName(tunnelProtocols, wire.tunnelProtocol, `${path}.tunnelProtocol`),
    trustDomain: wire.trustDomain || 'cluster.local',
    serviceAccount: wire.serviceAccount || 'default',
    waypoint: optionalGateway(wire.waypoint, `${path}.waypoint`),
    networkGateway: optionalGateway(wire.networkGateway, `${path}.networkGateway`),
    node: wire.node,
    canonicalName: wire.canonicalName,
    canonicalRevision: wire.canonicalRevision,
    workloadType: enumNameOr(workloadTypes, wire.workloadType, 'DEPLOYMENT'),
    workloadName: wire.workloadName,
    nativeTunnel: wire.nativeTunnel,
    applicationTunnel: wire.applicationTunnel
      ? {
          protocol: enumName(
            applicationTunnelProtocols,
            wire.applicationTunnel.protocol ?? 0,
            `${path}.applicationTunnel.protocol`,
          ),
          port: portField(wire.applicationTunnel.port, `${path}.applicationTunnel.port`),
        }
      : undefined,
    services,
    authorizationPolicies: wire.authorizationPolicies,
    status: enumName(workloadStatuses, wire.status, `${path}.status`),
    clusterId: wire.clusterId || 'Kubernetes',
    locality: {
      region: wire.locality?.region ?? '',
      zone: wire.locality?.zone ?? '',
      subzone: wire.locality?.subzone ?? '',
    },
    networkMode: enumName(networkModes, wire.networkMode, `${path}.networkMode`),
    capacity: wire.capacity ? (wire.capacity.value ?? 0) : 1,
  };
}
