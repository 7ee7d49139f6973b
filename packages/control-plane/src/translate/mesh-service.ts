// A service as endpoints see it: what a Kubernetes Service and a ServiceEntry have in common.
import type { ObjectMeta, Service, ServiceEntry, ServicePort } from '@ambient/kube';
import { readServiceEntry } from './read-service-entry.ts';

export interface MeshPort {
  /** '' where a Service has one unnamed port. */
  readonly name: string;
  readonly number: number;
  /** 0 where the target is a name. */
  readonly target: number;
  /** The named target port of a Service; every endpoint answers to it by itself. */
  readonly targetName: string | undefined;
}

export interface MeshService {
  readonly kind: 'Service' | 'ServiceEntry';
  readonly metadata: ObjectMeta;
  readonly ports: readonly MeshPort[];
}

const services = new WeakMap<Service, MeshService>();
const serviceEntries = new WeakMap<ServiceEntry, MeshService>();

/** Whether a Service is part of the mesh: an ExternalName is but an alias in DNS. */
export function isInMesh(service: Service | undefined): service is Service {
  return service !== undefined && service.spec?.type !== 'ExternalName';
}

export function meshService(service: Service): MeshService {
  let view = services.get(service);
  if (view === undefined) {
    view = { kind: 'Service', metadata: service.metadata, ports: servicePorts(service.spec?.ports ?? []) };
    services.set(service, view);
  }
  return view;
}

/** What a ServiceEntry, as {@link readServiceEntry} gives it, is to its endpoints. */
export function meshServiceEntry(entry: ServiceEntry): MeshService {
  let view = serviceEntries.get(entry);
  if (view === undefined) {
    const { ports } = readServiceEntry(entry);
    view = {
      kind: 'ServiceEntry',
      metadata: entry.metadata,
      ports: ports.map(({ name, number, target }) => ({ name, number, target, targetName: undefined })),
    };
    serviceEntries.set(entry, view);
  }
  return view;
}

/**
 * Names belong to numbers: where one number stands twice, for UDP and TCP, both lead to the target of the last.
 * Node proxies see the number alone.
 */
function servicePorts(ports: readonly ServicePort[]): MeshPort[] {
  const byNumber = new Map(ports.map((port) => [port.port, port]));
  return ports.map((port) => {
    const { name = '', targetPort } = byNumber.get(port.port) ?? port;
    const target = numericTarget(port);
    return {
      name,
      number: port.port,
      target,
      targetName: typeof targetPort === 'string' && targetPort !== '' ? targetPort : undefined,
    };
  });
}

/** The target port of a Service's port; 0 if it is a name. */
export function numericTarget({ port, targetPort }: ServicePort): number {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port;
  return typeof targetPort === 'number' ? targetPort : 0;
}
