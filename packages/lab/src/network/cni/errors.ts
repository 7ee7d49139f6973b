/** Codes of a CNI error result: those of the specification (CNI 1.1, "Error"). */
export const cniCodes = {
  incompatibleVersion: 1,
  invalidEnvironment: 4,
  ioFailure: 5,
  undecodable: 6,
  invalidConfig: 7,
  /** STATUS: the plugin cannot serve ADD. */
  notAvailable: 50,
  addressesExhausted: 100,
  toolFailed: 101,
  linkMissing: 102,
} as const;

/** Why a CNI command failed; `details` names the remedy. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;
  readonly details: string;

  constructor(code: number, message: string, details: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
