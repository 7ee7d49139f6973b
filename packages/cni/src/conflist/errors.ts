/** Why the plugin is not part of the node's network. Stable. */
export type ConflistErrorCode = 'ERR_CONFLIST_ABSENT' | 'ERR_CONFLIST_INVALID' | 'ERR_CONFLIST_ORDER';

/** A CNI configuration cannot be used; the text names the file and the field. */
export class ConflistError extends Error {
  override readonly name = 'ConflistError';
  readonly code: ConflistErrorCode;

  constructor(code: ConflistErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
