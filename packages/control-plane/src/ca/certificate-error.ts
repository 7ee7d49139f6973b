/** Why the CA refuses a request of a caller that it knows. The names are stable; they are in logs and metrics. */
import { status } from '@grpc/grpc-js';

const statusOf = {
  'malformed-request': status.INVALID_ARGUMENT,
  'malformed-csr': status.INVALID_ARGUMENT,
  'csr-key': status.INVALID_ARGUMENT,
  'ttl-too-long': status.INVALID_ARGUMENT,
  'rate-limited': status.RESOURCE_EXHAUSTED,
  'address-limited': status.RESOURCE_EXHAUSTED,
  'ca-expired': status.UNAVAILABLE,
} as const;

export type CertificateErrorCode = keyof typeof statusOf;

/** A request for a certificate is refused. The message names the likely remedy, and nothing of the request's content. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;
  /** Status of gRPC. */
  readonly status: number;
  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = statusOf[code];
  }
}
