export type LabNetworkErrorCode =
  'LAB_NETWORK_TOOL' | 'LAB_NETWORK_STEP' | 'LAB_NETWORK_FORBIDDEN' | 'LAB_NETWORK_ADDRESS';

/** Why the lab's network could not be made or changed; the text names the remedy. */
export class LabNetworkError extends Error {
  override readonly name = 'LabNetworkError';
  readonly code: LabNetworkErrorCode;

  constructor(code: LabNetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
