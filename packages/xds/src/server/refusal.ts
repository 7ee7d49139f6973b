import { status } from '@grpc/grpc-js';

/** Why a discovery stream is refused or closed by the server. */
export type RefusalCode =
  | 'XDS_NOT_READY'
  | 'XDS_OVERLOADED'
  | 'XDS_UNAUTHENTICATED'
  | 'XDS_AUTHENTICATION_FAILED'
  | 'XDS_NODE_INVALID'
  | 'XDS_NODE_FOREIGN'
  | 'XDS_REQUEST_MALFORMED'
  | 'XDS_TOO_MANY_NAMES'
  | 'XDS_TOO_MANY_TYPES'
  | 'XDS_CLIENT_SILENT'
  | 'XDS_CLIENT_STALLED'
  | 'XDS_CLIENT_BEHIND'
  | 'XDS_INTERNAL';

/**
 * gRPC status of each. RESOURCE_EXHAUSTED and UNAVAILABLE let Istio's ztunnel come back with growing delays; DEADLINE_EXCEEDED
 * would bring it back at once.
 */
const statusOf: Readonly<Record<RefusalCode, status>> = {
  XDS_NOT_READY: status.UNAVAILABLE,
  XDS_OVERLOADED: status.UNAVAILABLE,
  XDS_UNAUTHENTICATED: status.UNAUTHENTICATED,
  XDS_AUTHENTICATION_FAILED: status.UNAVAILABLE,
  XDS_NODE_INVALID: status.INVALID_ARGUMENT,
  XDS_NODE_FOREIGN: status.PERMISSION_DENIED,
  XDS_REQUEST_MALFORMED: status.INVALID_ARGUMENT,
  XDS_TOO_MANY_NAMES: status.RESOURCE_EXHAUSTED,
  XDS_TOO_MANY_TYPES: status.RESOURCE_EXHAUSTED,
  XDS_CLIENT_SILENT: status.RESOURCE_EXHAUSTED,
  XDS_CLIENT_STALLED: status.RESOURCE_EXHAUSTED,
  XDS_CLIENT_BEHIND: status.RESOURCE_EXHAUSTED,
  XDS_INTERNAL: status.INTERNAL,
};

/** A discovery stream that is refused or closed. The message goes to the client and to the log: it names the remedy. */
export class DiscoveryRefusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DiscoveryRefusal';
    this.code = code;
  }

  /** The status that ends the stream. */
  get status(): status {
    return statusOf[this.code];
  }
}
