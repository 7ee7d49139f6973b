import type { Metadata } from '@grpc/grpc-js';

import type { Credentials } from './authenticate.ts';

/** The part of a server's call that this needs; every kind of call has it. */
export interface CallWithCredentials {
  readonly metadata: Metadata;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } };
}

/**
 * What a call of gRPC brings along. The library names a client certificate only if TLS has verified its chain against
 * the roots of the server's credentials.
 */
export function readCredentials(call: CallWithCredentials): Credentials {
  return credentialsIn(call.metadata, call.getAuthContext().sslPeerCertificate?.raw);
}

/** The same, where the parts of a call are at hand. @param certificate DER, verified by TLS */
export function credentialsIn(metadata: Metadata, certificate: Buffer | undefined): Credentials {
  return {
    authorization: metadata.get('authorization').map(String),
    clusterIds: metadata.get('clusterid').map(String),
    ...(certificate === undefined ? {} : { certificate }),
  };
}
