/** What is wrong with a CA's certificates and keys; stable, for logs and metrics. */
export type CaMaterialProblem =
  | 'incomplete'
  | 'malformed'
  | 'key-mismatch'
  | 'weak-key'
  | 'not-a-ca'
  | 'chain-broken'
  | 'not-valid-now'
  | 'usage'
  | 'record-malformed'
  | 'contended';

/** The CA's certificates, keys or records cannot be used. The message names place and remedy, and never holds a key. */
export class CaMaterialError extends Error {
  override readonly name = 'CaMaterialError';
  readonly code: CaMaterialProblem;
  constructor(code: CaMaterialProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
