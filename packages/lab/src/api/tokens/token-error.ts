/** Why a token was not issued, or not accepted; stable, for logs and tests. */
export type TokenErrorCode =
  | 'key-unusable'
  | 'token-malformed'
  | 'token-foreign-issuer'
  | 'token-signature'
  | 'token-expired'
  | 'token-not-yet-valid'
  | 'token-wrong-audience'
  | 'token-account-gone'
  | 'token-bound-object-gone';

/** A service-account token was refused. The message goes into `status.error` of the review. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenErrorCode;
  constructor(code: TokenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
