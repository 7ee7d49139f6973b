/** Why a caller is refused. The names are stable; they are in logs, metrics and audit lines. */
import { status } from '@grpc/grpc-js';

const statusOf = {
  'no-credentials': status.UNAUTHENTICATED,
  'token-malformed': status.UNAUTHENTICATED,
  'token-rejected': status.UNAUTHENTICATED,
  'token-audience': status.UNAUTHENTICATED,
  'not-a-service-account': status.UNAUTHENTICATED,
  'unknown-cluster': status.UNAUTHENTICATED,
  // The caller may be who it says: it shall come again, not give up.
  'token-review-unavailable': status.UNAVAILABLE,
  'certificate-unusable': status.UNAUTHENTICATED,
  'impersonation-malformed': status.UNAUTHENTICATED,
  'impersonation-by-certificate': status.UNAUTHENTICATED,
  'impersonation-untrusted': status.UNAUTHENTICATED,
  'impersonation-trust-domain': status.UNAUTHENTICATED,
  'impersonation-cluster': status.UNAUTHENTICATED,
  'impersonation-unbound-token': status.UNAUTHENTICATED,
  'impersonation-stale-pod': status.UNAUTHENTICATED,
  'impersonation-node': status.UNAUTHENTICATED,
  'node-malformed': status.INVALID_ARGUMENT,
  'node-namespace': status.PERMISSION_DENIED,
  'node-service-account': status.PERMISSION_DENIED,
  'node-name': status.PERMISSION_DENIED,
} as const;

export type AuthErrorCode = keyof typeof statusOf;

/** A caller is not who it must be, or may not do what it asks for. The message names the likely remedy, and no secret. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;
  /** Status of gRPC. */
  readonly status: number;
  constructor(code: AuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = statusOf[code];
  }
}
