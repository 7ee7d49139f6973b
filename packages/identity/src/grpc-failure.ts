import { isUntimelyCertificate } from '@ambient/runtime';
import type { ServiceError } from '@grpc/grpc-js';

import { CaError } from './ca-error.ts';

/** gRPC status codes, by number so that the library need not be loaded to read them. */
const status = {
  cancelled: 1,
  deadlineExceeded: 4,
  permissionDenied: 7,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

// How Node words failures of a server's certificate.
const untrusted =
  /self-signed|unable to (get|verify)|certificate (has expired|is not yet valid)|altnames|issuer cert|signature failure|ERR_TLS_CERT|DEPTH_ZERO|UNABLE_TO_|CERT_/i;

/** The one place where a gRPC status becomes an error of ours. */
export function grpcFailure(error: ServiceError, target: string): CaError {
  const options = { cause: error };
  const details = error.details;
  switch (error.code as number) {
    case status.unauthenticated:
      return new CaError(
        'ca-unauthenticated',
        `The CA at ${target} does not accept our token (${details}). Check that the token has audience istio-ca and belongs to this pod, that CLUSTER_ID is known to the control plane, and that CA_TRUSTED_NODE_ACCOUNTS there holds our service account.`,
        options,
      );
    case status.permissionDenied:
      return new CaError(
        'ca-permission-denied',
        `The CA at ${target} does not let us have this certificate (${details}). Check that the workload runs on this node and that CA_TRUSTED_NODE_ACCOUNTS holds our service account.`,
        options,
      );
    case status.unavailable:
      return untrusted.test(details)
        ? new CaError(
            'ca-server-untrusted',
            `The server at ${target} is not who it must be (${details}). ${trustRemedy(details)}`,
            options,
          )
        : new CaError(
            'ca-unreachable',
            `The CA at ${target} cannot be reached (${details}). Check CA_ADDRESS, the control plane's pods, and NetworkPolicies on its port.`,
            options,
          );
    case status.deadlineExceeded:
      return new CaError(
        'ca-timeout',
        `The CA at ${target} took too long (${details}). Check the load of the control plane.`,
        options,
      );
    case status.unimplemented:
      return new CaError(
        'ca-not-a-ca',
        `The server at ${target} has no certificate service (${details}). Check that CA_ADDRESS is an Istio CA.`,
        options,
      );
    case status.cancelled:
      return new CaError('ca-cancelled', `The call to the CA at ${target} was given up.`, options);
    default:
      return new CaError(
        'ca-refused',
        `The CA at ${target} refused with gRPC status ${error.code} (${details}). Look into the log of the control plane.`,
        options,
      );
  }
}

function trustRemedy(details: string): string {
  return isUntimelyCertificate(details)
    ? "Compare the clocks of this node and of the control plane's."
    : 'Check that CA_ROOT_CA holds the root of the control plane, and that its certificate names the host of CA_ADDRESS or ALT_CA_HOSTNAME.';
}
