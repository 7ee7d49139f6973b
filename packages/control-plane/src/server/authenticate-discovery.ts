import { formatSpiffe } from '@ambient/identity';
import { DiscoveryRefusal } from '@ambient/xds/server';
import type { Authenticate } from '@ambient/xds/server';

import { AuthError } from '../auth/auth-error.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { credentialsIn } from '../auth/grpc-credentials.ts';
import { livePodNode } from '../auth/node-authorization.ts';
import type { PodLookup } from '../auth/node-authorization.ts';

/**
 * Who a discovery client is: what its token or certificate says, and the node that its own pod runs on.
 *
 * Workload discovery is not scoped to a node, by its nature: a pod may call any service of the mesh, so its node needs every
 * address and, since any workload may be scheduled there, every policy. What a node may not do is to pose as another: the
 * namespace, account and node that a client names have to be those that it proved (`checkNode`). Nothing secret travels by
 * discovery.
 */
export function discoveryAuthentication(
  authenticator: Pick<Authenticator, 'authenticate'>,
  pods: PodLookup,
): Authenticate {
  return async (metadata, { certificate }) => {
    try {
      const caller = await authenticator.authenticate(credentialsIn(metadata, certificate?.raw));
      const { namespace, serviceAccount } = caller.identity;
      const node = livePodNode(caller, pods) ?? caller.nodeName;
      return {
        principal: formatSpiffe(caller.identity),
        namespace,
        serviceAccount,
        ...(node === undefined ? {} : { node }),
      };
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      const code =
        error.code === 'token-review-unavailable' ? 'XDS_AUTHENTICATION_FAILED' : 'XDS_UNAUTHENTICATED';
      throw new DiscoveryRefusal(code, error.message, { cause: error });
    }
  };
}
