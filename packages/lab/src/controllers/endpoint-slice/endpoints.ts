/** The endpoints of a Service, pod by pod. Pure. */
import type { Endpoint, EndpointSlicePort, ServicePort } from '@ambient/kube';

import type { Node, Pod, Service } from '../objects.ts';
import { isFinished, isReady, isTerminating } from '../pods/pod-state.ts';

export type Family = 'IPv4' | 'IPv6';

export interface PodEndpoint {
  readonly endpoint: Endpoint;
  /** Its ports: a named target port may be another number in each pod. */
  readonly ports: readonly EndpointSlicePort[];
}

const zoneLabel = 'topology.kubernetes.io/zone';

/** The families in which a Service has slices; those of its addresses. */
export function familiesOf(service: Service): readonly Family[] {
  if (service.spec?.type === 'ExternalName') return [];
  const families = (service.spec?.ipFamilies ?? []).filter(
    (each): each is Family => each === 'IPv4' || each === 'IPv6',
  );
  return families.length > 0 ? families : ['IPv4'];
}

/** Undefined for a pod that has no address of the family, or none any more. */
export function endpointOf(
  service: Service,
  family: Family,
  pod: Pod,
  nodeOf: (name: string) => Node | undefined,
): PodEndpoint | undefined {
  if (isFinished(pod)) return undefined;
  const address = addressOf(pod, family);
  if (address === undefined) return undefined;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const { hostname, subdomain, nodeName } = pod.spec ?? {};
  const { name, namespace, uid } = pod.metadata;
  const zone = nodeName === undefined ? undefined : nodeOf(nodeName)?.metadata.labels?.[zoneLabel];
  const named = hostname !== undefined && subdomain === service.metadata.name;
  return {
    endpoint: {
      addresses: [address],
      conditions: {
        ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
        serving,
        terminating,
      },
      ...(named ? { hostname } : {}),
      ...(nodeName === undefined ? {} : { nodeName }),
      targetRef: { kind: 'Pod', name, ...(namespace === undefined ? {} : { namespace }), uid },
      ...(zone === undefined ? {} : { zone }),
    },
    ports: (service.spec?.ports ?? []).flatMap((port) => {
      const number = targetPort(port, pod);
      return number === undefined ? [] : [slicePort(port, number)];
    }),
  };
}

function addressOf({ status }: Pod, family: Family): string | undefined {
  const all = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP];
  return all.find(
    (ip): ip is string => ip !== undefined && ip !== '' && ip.includes(':') === (family === 'IPv6'),
  );
}

/** Undefined for a name that no container of the pod gives to a port of this protocol. */
function targetPort({ targetPort = 0, port, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  if (typeof targetPort === 'number') return targetPort === 0 ? port : targetPort;
  const sidecars = (pod.spec?.initContainers ?? []).filter((each) => each['restartPolicy'] === 'Always');
  for (const { ports = [] } of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const each of ports)
      if (each.name === targetPort && (each.protocol ?? 'TCP') === protocol) return each.containerPort;
  return undefined;
}

function slicePort(
  { name = '', protocol = 'TCP', appProtocol }: ServicePort,
  port: number,
): EndpointSlicePort {
  return { name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) };
}
