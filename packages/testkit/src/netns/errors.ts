/** Why a lab of network namespaces could not do what a test asked; `code` is stable, the text names the remedy. */
export type NetnsErrorCode =
  | 'ERR_NETNS_FORBIDDEN'
  | 'ERR_NETNS_TOOL_MISSING'
  | 'ERR_NETNS_COMMAND'
  | 'ERR_NETNS_DEADLINE'
  | 'ERR_NETNS_EXITED'
  | 'ERR_NETNS_USER'
  | 'ERR_NETNS_CLOSED';

export class NetnsError extends Error {
  override readonly name = 'NetnsError';
  readonly code: NetnsErrorCode;

  constructor(code: NetnsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
