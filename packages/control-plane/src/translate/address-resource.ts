// Workloads and services as resources of the discovery protocol.
import { ipFromBytes } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import { serviceKey } from './names.ts';

/** One `istio.workload.Address`. */
export interface AddressResource {
  /** Uid of the workload, or `namespace/hostname` of the service. */
  readonly name: string;
  /** The encoded Address, as it stands in the Any. Equal content has equal bytes. */
  readonly bytes: Uint8Array;
  /** `network/ip`, or `network/ip/length` for a range: under these clients ask on demand. */
  readonly aliases: readonly string[];
  /** Node of a workload; '' if it has none. */
  readonly node: string;
  /** The services that a workload is an endpoint of. */
  readonly serviceKeys: readonly string[];
}

const { NetworkMode } = istio.workload;

export function workloadResource(workload: istio.workload.IWorkload): AddressResource {
  const network = workload.network ?? '';
  // A workload on the network of its host does not own the address.
  const owned = workload.networkMode === NetworkMode.HOST_NETWORK ? [] : (workload.addresses ?? []);
  return {
    name: workload.uid ?? '',
    bytes: istio.workload.Address.encode({ workload: withoutDefaults(workload) }).finish(),
    aliases: owned.map((address) => `${network}/${ipFromBytes(address) ?? ''}`),
    node: workload.node ?? '',
    serviceKeys: Object.keys(workload.services ?? {}),
  };
}

export function serviceResource(service: istio.workload.IService): AddressResource {
  return {
    name: serviceKey(service.namespace ?? '', service.hostname ?? ''),
    bytes: istio.workload.Address.encode({ service: withoutDefaults(service) }).finish(),
    aliases: (service.addresses ?? []).map(({ network, address, length }) => {
      const ip = `${network ?? ''}/${ipFromBytes(address ?? new Uint8Array()) ?? ''}`;
      return typeof length === 'number' ? `${ip}/${length}` : ip;
    }),
    node: '',
    serviceKeys: [],
  };
}

/** A field that has its default need not be on the wire, and Istio's is not. The encoder writes what it is given. */
function withoutDefaults<T extends object>(message: T): T {
  const kept: Partial<T> = {};
  for (const field in message) {
    const value = message[field];
    if (value !== '' && value !== 0 && value !== false) kept[field] = value;
  }
  return kept as T;
}
