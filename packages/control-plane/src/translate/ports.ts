// Ports: which protocol a service port speaks, and to which port of a workload it leads.
import { istio } from '@ambient/wire';
import type { Container, EndpointSlicePort, Pod, ServicePort } from '@ambient/kube';
import type { MeshPort, MeshService } from './mesh-service.ts';

const { AppProtocol } = istio.workload;

/** The standard values that Kubernetes defines for appProtocol alone. */
const standardAppProtocols: Readonly<Record<string, istio.workload.AppProtocol>> = {
  'kubernetes.io/h2c': AppProtocol.HTTP2,
  'kubernetes.io/ws': AppProtocol.HTTP11,
  'kubernetes.io/wss': AppProtocol.TLS,
};

const UNTOLD = AppProtocol.UNKNOWN;

/** Names of protocols; those that the mesh knows but a node proxy does not tell apart are UNKNOWN. */
const protocols: Readonly<Record<string, istio.workload.AppProtocol>> = {
  http: AppProtocol.HTTP11,
  http2: AppProtocol.HTTP2,
  grpc: AppProtocol.GRPC,
  https: AppProtocol.TLS,
  tls: AppProtocol.TLS,
  tcp: AppProtocol.TCP,
  'grpc-web': UNTOLD,
  mongo: UNTOLD,
  redis: UNTOLD,
  mysql: UNTOLD,
  udp: UNTOLD,
  hbone: UNTOLD,
};

/** SMTP, DNS, MySQL, MongoDB: the server speaks first, so looking at the first bytes would wait forever. */
const serverFirst: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/** appProtocol, else the name up to its first dash, else by well-known number. */
export function servicePortProtocol(port: ServicePort): istio.workload.AppProtocol {
  if (port.protocol === 'UDP') return UNTOLD;
  const standard = port.appProtocol === undefined ? undefined : standardAppProtocols[port.appProtocol];
  if (standard !== undefined) return standard;
  const name = (port.appProtocol ?? port.name ?? '').toLowerCase();
  if (name.startsWith('grpc-web')) return UNTOLD;
  const dash = name.indexOf('-');
  const known = protocolNamed(dash < 0 ? name : name.slice(0, dash));
  return known ?? (serverFirst.has(port.port) ? AppProtocol.TCP : UNTOLD);
}

/** Of a ServiceEntry, which names its protocol outright. */
export function serviceEntryPortProtocol(protocol: string | undefined): istio.workload.AppProtocol {
  return protocolNamed((protocol ?? '').toLowerCase()) ?? UNTOLD;
}

function protocolNamed(name: string): istio.workload.AppProtocol | undefined {
  return Object.hasOwn(protocols, name) ? protocols[name] : undefined;
}

/**
 * The ports of a service on a pod. A named target is looked up among its containers and left out where it is
 * missing; of a ServiceEntry, a container port with the name of the entry's port wins over its number.
 */
export function podPorts(service: MeshService, pod: Pod): istio.workload.IPort[] {
  return mapPorts(service, (port) => {
    if (port.targetName !== undefined) return containerPort(pod, port.targetName);
    if (service.kind === 'ServiceEntry') return containerPort(pod, port.name) ?? port.target;
    return port.target;
  });
}

/**
 * The ports of a service on a WorkloadEntry or inline endpoint, whose map is keyed by the named target, or else by
 * the name of the service's port.
 */
export function endpointPorts(
  service: MeshService,
  ports: Readonly<Record<string, number>> | undefined,
): istio.workload.IPort[] {
  const own = (name: string): number | undefined =>
    ports !== undefined && Object.hasOwn(ports, name) ? ports[name] : undefined;
  return mapPorts(service, (port) =>
    port.targetName === undefined ? (own(port.name) ?? port.target) : own(port.targetName),
  );
}

function mapPorts(
  service: MeshService,
  target: (port: MeshPort) => number | undefined,
): istio.workload.IPort[] {
  const ports: istio.workload.IPort[] = [];
  for (const port of service.ports) {
    const targetPort = target(port);
    if (targetPort !== undefined) ports.push({ servicePort: port.number, targetPort });
  }
  return ports;
}

/** The ports of an EndpointSlice: by name, TCP only. */
export function slicePorts(
  service: MeshService,
  ports: readonly EndpointSlicePort[] | null | undefined,
): istio.workload.IPort[] {
  const result: istio.workload.IPort[] = [];
  for (const { name = '', port, protocol = 'TCP' } of ports ?? []) {
    if (port === undefined || port === null || protocol !== 'TCP') continue;
    const of = service.ports.find((candidate) => candidate.name === name);
    if (of !== undefined) result.push({ servicePort: of.number, targetPort: port });
  }
  return result;
}

/** The TCP port of that name, in containers or in the init containers that keep running. */
function containerPort(pod: Pod, name: string): number | undefined {
  if (name === '') return undefined;
  for (const container of pod.spec?.containers ?? []) {
    const port = namedPort(container, name);
    if (port !== undefined) return port;
  }
  for (const container of pod.spec?.initContainers ?? []) {
    if (container.restartPolicy !== 'Always') continue;
    const port = namedPort(container, name);
    if (port !== undefined) return port;
  }
  return undefined;
}

function namedPort(container: Container, name: string): number | undefined {
  for (const port of container.ports ?? []) {
    if (port.name === name && (port.protocol ?? 'TCP') === 'TCP') return port.containerPort;
  }
  return undefined;
}
