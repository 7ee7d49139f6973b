export type OperatorErrorCode = 'plugged-in' | 'no-ca' | 'not-taken-up' | 'rotating';

/** What an operator's command could not bring about. The message names the remedy. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: OperatorErrorCode;
  constructor(code: OperatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
