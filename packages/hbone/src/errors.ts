import { Http2Error } from '@ambient/http';
import { SystemError } from '@ambient/linux';
import { TlsError } from '@ambient/tls';

/**
 * Why a tunnel or its connection failed. Stable names.
 *
 * `responseFlag` is what telemetry reports (`response_flags` of Istio's TCP metrics).
 */
export type HboneFailure =
  | 'dial-failed'
  | 'dial-timeout'
  | 'tls-failed'
  | 'handshake-timeout'
  | 'peer-identity'
  | 'certificate-revoked'
  | 'http2-failed'
  | 'refused'
  | 'reset'
  | 'connection-lost'
  | 'ping-timeout'
  | 'shut-down'
  | 'defect';

export type ResponseFlag =
  | '-'
  | 'DENY'
  | 'CONNECT'
  | 'TLS_FAILURE'
  | 'H2_HANDSHAKE_FAILURE'
  | 'NETWORK_POLICY'
  | 'IDENTITY_ERROR'
  | 'CERT_REVOKED';

const flags: Readonly<Record<HboneFailure, ResponseFlag>> = {
  'dial-failed': 'CONNECT',
  'dial-timeout': 'NETWORK_POLICY',
  'tls-failed': 'TLS_FAILURE',
  'handshake-timeout': 'TLS_FAILURE',
  'peer-identity': 'IDENTITY_ERROR',
  'certificate-revoked': 'CERT_REVOKED',
  'http2-failed': 'H2_HANDSHAKE_FAILURE',
  refused: 'CONNECT',
  reset: 'CONNECT',
  'connection-lost': 'CONNECT',
  'ping-timeout': 'CONNECT',
  'shut-down': 'CONNECT',
  defect: 'CONNECT',
};

export interface HboneErrorOptions extends ErrorOptions {
  /** HTTP status of the peer's answer, for `refused`. */
  readonly status?: number;
  /** HTTP/2 error code, for `reset`. */
  readonly http2Code?: number;
  /** The exact reason, where it is not that of the cause. */
  readonly reason?: string;
}

/** A tunnel or the connection below it failed. */
export class HboneError extends Error {
  readonly code: HboneFailure;
  /** The exact reason, stable: that of TLS, HTTP/2, the identity check or the system call, else `code`. */
  readonly reason: string;
  readonly responseFlag: ResponseFlag;
  readonly status: number | undefined;
  readonly http2Code: number | undefined;

  constructor(code: HboneFailure, message: string, options: HboneErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HboneError';
    this.code = code;
    this.reason = options.reason ?? reasonOfCause(options.cause) ?? code;
    this.responseFlag = options.status === 401 ? 'DENY' : flags[code];
    this.status = options.status;
    this.http2Code = options.http2Code;
  }
}

function reasonOfCause(cause: unknown): string | undefined {
  if (cause instanceof Http2Error) return cause.reason;
  if (cause instanceof TlsError || cause instanceof SystemError) return cause.code;
  return undefined;
}

const statusRemedies: Readonly<Record<number, string>> = {
  400: 'the server finds the destination malformed or not its own; its workload data may be stale',
  401: "the server's authorization policy denies this identity",
  503: 'the server does not know the destination, or the application does not accept connections',
};

/** The peer answered CONNECT with something else than 200. */
export function refusedError(status: number): HboneError {
  const remedy = statusRemedies[status];
  return new HboneError(
    'refused',
    `the peer answered ${status}${remedy === undefined ? '' : `: ${remedy}`}`,
    { status, reason: remedy === undefined ? 'refused' : `refused-${status}` },
  );
}
