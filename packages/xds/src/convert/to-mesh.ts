import { serviceKey } from '@ambient/mesh';
import type { MeshUpdate } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import type { envoy } from '@ambient/wire';

import { FieldError, RejectedResourceError } from '../errors.ts';
import { policyToMesh } from './policy-to-mesh.ts';
import { serviceToMesh } from './service-to-mesh.ts';
import { validated } from './validated.ts';
import { workloadToMesh } from './workload-to-mesh.ts';

type Resource = envoy.service.discovery.v3.IResource;

/** The update that a resource of type Address stands for. @throws RejectedResourceError */
export function addressResourceToMesh(resource: Resource): MeshUpdate {
  return named(resource, (bytes) => {
    const address = istio.workload.Address.decode(bytes);
    if (address.workload)
      return validated(
        { kind: 'workload', workload: workloadToMesh(address.workload as istio.workload.Workload) },
        'workload',
      );
    if (address.service)
      return validated(
        { kind: 'service', service: serviceToMesh(address.service as istio.workload.Service) },
        'service',
      );
    throw new FieldError('address.type', 'is neither a workload nor a service');
  });
}

/**
 * The update that a resource of type Authorization stands for. Its key is the resource's name, by which workloads refer to
 * the policy. @throws RejectedResourceError
 */
export function authorizationResourceToMesh(resource: Resource): MeshUpdate {
  return named(resource, (bytes) => {
    const key = resource.name ?? '';
    if (key === '') throw new FieldError('resource.name', 'must not be empty: it is the key of the policy');
    const policy = policyToMesh(istio.security.Authorization.decode(bytes));
    return validated({ kind: 'policy', key, policy }, 'authorization');
  });
}

/** Key by which the mesh store holds what the update adds, or removes. */
export function updateKey(update: MeshUpdate): string {
  switch (update.kind) {
    case 'workload':
      return update.workload.uid;
    case 'service':
      return serviceKey(update.service.namespace, update.service.hostname);
    case 'policy':
    case 'remove-address':
    case 'remove-policy':
      return update.key;
  }
}

function named(resource: Resource, convert: (bytes: Uint8Array) => MeshUpdate): MeshUpdate {
  try {
    // The type URL inside is not checked: the response has already said what it carries, and Istio's ztunnel ignores it too.
    if (!resource.resource) throw new FieldError('resource', 'is missing');
    return convert(resource.resource.value ?? new Uint8Array(0));
  } catch (error) {
    throw new RejectedResourceError(resource.name ?? '', error);
  }
}
