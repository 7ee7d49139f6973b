/** Why the plugin is not part of the node's network. Stable. */
export type ConflistErrorCode = 'ERR_CONFLIST_ABSENT' | 'ERR_CONFLIST_INVALID' | 'ERR_CONFLIST_ORDER';

/** A file of the node cannot be replaced; what was there is there still, whole. */
export class ReplaceFileError extends Error {
  override readonly name = 'ReplaceFileError';
  readonly code = 'ERR_REPLACE_FILE';

  constructor(path: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `cannot write ${path}: ${reason}; see the free space of the node's disk, and whether its directory is mounted writable`,
      { cause },
    );
  }
}

/** A CNI configuration cannot be used; the text names the file and the field. */
export class ConflistError extends Error {
  override readonly name = 'ConflistError';
  readonly code: ConflistErrorCode;

  constructor(code: ConflistErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
