/**
 * Codes of a CNI error result. Below 100 they are the specification's (CNI 1.1, "Error"), from 100 on ours.
 */
export const cniCodes = {
  incompatibleVersion: 1,
  invalidEnvironment: 4,
  ioFailure: 5,
  undecodable: 6,
  invalidConfig: 7,
  kubeconfigUnusable: 100,
  apiUnreachable: 101,
  tokenRefused: 102,
  podUnknown: 103,
  agentMissing: 110,
  agentSilent: 111,
  agentRefused: 112,
} as const;

export type CniCode = (typeof cniCodes)[keyof typeof cniCodes];

/** Why a CNI command failed. `message` is for the pod's events, `details` names the remedy. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: CniCode;
  readonly details: string;

  constructor(code: CniCode, message: string, details: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
