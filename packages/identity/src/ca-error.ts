/** Why the CA gave no certificate; stable, for logs. */
export type CaErrorCode =
  | 'ca-address'
  | 'ca-token-unreadable'
  | 'ca-root-unreadable'
  | 'ca-connect-timeout'
  | 'ca-unreachable'
  | 'ca-server-untrusted'
  | 'ca-timeout'
  | 'ca-unauthenticated'
  | 'ca-permission-denied'
  | 'ca-not-a-ca'
  | 'ca-refused'
  | 'ca-reply-unreadable'
  | 'ca-cancelled';

/** A call to the CA failed. The message names the likely remedy. */
export class CaError extends Error {
  override readonly name = 'CaError';
  readonly code: CaErrorCode;
  constructor(code: CaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
