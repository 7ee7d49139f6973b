/** Why a message to ztunnel had no effect, or is not known to have had one. Stable. */
export type ZdsErrorCode =
  'ERR_ZDS_NO_ZTUNNEL' | 'ERR_ZDS_REFUSED' | 'ERR_ZDS_TIMEOUT' | 'ERR_ZDS_CLOSED' | 'ERR_ZDS_PROTOCOL';

const remedies: Readonly<Record<ZdsErrorCode, string>> = {
  ERR_ZDS_NO_ZTUNNEL:
    'no ztunnel of this node is connected: see whether its pod runs, and mounts the directory of the same socket',
  ERR_ZDS_REFUSED: "look into ztunnel's log for this pod: it could not make its listeners there",
  ERR_ZDS_TIMEOUT: 'ztunnel is overloaded or hangs: look into its log and its CPU limit',
  ERR_ZDS_CLOSED:
    'ztunnel has ended or has given up the connection: look into its log; it connects again by itself',
  ERR_ZDS_PROTOCOL: 'the other side is no ztunnel that speaks this protocol: compare the versions of both',
};

/** A message to ztunnel failed. */
export class ZdsError extends Error {
  override readonly name = 'ZdsError';
  readonly code: ZdsErrorCode;

  constructor(code: ZdsErrorCode, what: string, options?: ErrorOptions) {
    super(`${what} (${remedies[code]})`, options);
    this.code = code;
  }
}
