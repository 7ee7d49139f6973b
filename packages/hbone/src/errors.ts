import type { Http2Reason } from '@ambient/http';
import { HTTP2_REASONS, Http2Error, errorCodeName } from '@ambient/http';
import type { PeerRefusal } from '@ambient/identity/peer';
import type { SystemErrorCode } from '@ambient/linux';
import { SystemError } from '@ambient/linux';
import type { TlsFailure } from '@ambient/tls';
import { TlsError, tlsFailures } from '@ambient/tls';

/** What telemetry reports: `response_flags` of Istio's TCP metrics. */
export type ResponseFlag =
  | '-'
  | 'DENY'
  | 'CONNECT'
  | 'TLS_FAILURE'
  | 'H2_HANDSHAKE_FAILURE'
  | 'NETWORK_POLICY'
  | 'IDENTITY_ERROR'
  | 'CERT_REVOKED';

interface FailureRow {
  readonly meaning: string;
  readonly remedy: string;
  readonly flag: ResponseFlag;
}

/** Why a tunnel or the connection below it failed, and what an operator most likely has to do. Stable names. */
export const hboneFailures = {
  'dial-failed': {
    meaning: 'no TCP connection to the other proxy could be made',
    remedy: 'check that the pod of the destination runs and that the route to it works',
    flag: 'CONNECT',
  },
  'dial-timeout': {
    meaning: 'the other proxy did not accept a TCP connection in time',
    remedy: 'maybe a NetworkPolicy is blocking HBONE port 15008',
    flag: 'NETWORK_POLICY',
  },
  'tls-failed': {
    meaning: 'the TLS handshake with the other proxy failed',
    remedy: 'see the log of the other proxy for its view',
    flag: 'TLS_FAILURE',
  },
  'handshake-timeout': {
    meaning: 'the other side did not finish the handshakes of TLS and HTTP/2 in time',
    remedy: 'the peer is overloaded, is no HBONE endpoint, or was cut off without a word',
    flag: 'TLS_FAILURE',
  },
  'handshakes-crowded': {
    meaning:
      "the pod has as many unfinished handshakes as it may, and this one's peer has kept silent the longest",
    remedy: 'somebody opens connections to port 15008 and does not go on: src.addr says who',
    flag: 'TLS_FAILURE',
  },
  'peer-identity': {
    meaning: 'the other side is not who it must be',
    remedy: 'compare the identity in its certificate with the one that the control plane tells',
    flag: 'IDENTITY_ERROR',
  },
  'certificate-revoked': {
    meaning: "the other side's certificate, or that of an issuer, is on the revocation list",
    remedy: 'give the workload a new certificate, or correct the list in CRL_PATH',
    flag: 'CERT_REVOKED',
  },
  'http2-failed': {
    meaning: 'TLS stood, and the other side then ended before HTTP/2 did',
    remedy: 'the peer refuses us after the handshake: see its log for its reason',
    flag: 'H2_HANDSHAKE_FAILURE',
  },
  'bad-request': {
    meaning: 'the other side sent a request that is no valid CONNECT',
    remedy: 'HBONE takes CONNECT only: find the client by its address, and what it believes this port to be',
    flag: 'CONNECT',
  },
  refused: {
    meaning: 'the other side answered CONNECT with an unexpected status',
    remedy: 'the peer is no proxy of this mesh, or of another version; see its log',
    flag: 'CONNECT',
  },
  reset: {
    meaning: 'the other side gave the tunnel up',
    remedy: "the peer's log names the connection and its reason; often the application there has reset it",
    flag: 'CONNECT',
  },
  'connection-lost': { ...tlsFailures['connection-lost'], flag: 'CONNECT' },
  'ping-timeout': {
    meaning: 'the other side did not answer an HTTP/2 PING: it is gone without a word',
    remedy: "check the other side's node: it has crashed, or the network drops its packets",
    flag: 'CONNECT',
  },
  'shut-down': {
    meaning: 'the proxy, or its connection to the other one, was shut down',
    remedy: 'nothing, when the proxy was restarted on purpose; clients should connect anew',
    flag: 'CONNECT',
  },
  defect: {
    meaning: 'a defect in this program ended the connection',
    remedy: 'please report it, with the error from the log',
    flag: 'CONNECT',
  },
} as const satisfies Record<string, FailureRow>;

/** A key of {@link hboneFailures}. */
export type HboneFailure = keyof typeof hboneFailures;

/** Refusals that a server answers with, by the status. */
export const tunnelRefusals = {
  'refused-400': {
    meaning: 'the other side finds the request malformed, or the destination not its own',
    remedy: 'its workload data or ours may be stale; see its log',
  },
  'refused-401': {
    meaning: "the other side's authorization policies deny this identity",
    remedy: 'its log names the policy; admit the identity in src.identity if it should be',
  },
  'refused-503': {
    meaning: 'the other side does not know the destination, or cannot reach the application',
    remedy: 'check that the application listens and accepts connections; see the log of the other side',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** A key of {@link tunnelRefusals}. */
export type TunnelRefusal = keyof typeof tunnelRefusals;

/** The exact reason of a failure: whatever layer it came from. All of them are in docs/reasons.md. */
export type HboneReason =
  HboneFailure | TunnelRefusal | TlsFailure | Http2Reason | PeerRefusal | SystemErrorCode;

export interface HboneErrorOptions extends ErrorOptions {
  /** HTTP status of the peer's answer, for `refused`. */
  readonly status?: number;
  /** HTTP/2 error code, for `reset`. */
  readonly http2Code?: number;
  /** The exact reason, where it is not that of the cause. */
  readonly reason?: HboneReason;
}

/** A tunnel or the connection below it failed. The text ends with the operator's likely remedy. */
export class HboneError extends Error {
  readonly code: HboneFailure;
  /** The exact reason, stable: that of TLS, HTTP/2, the identity check or the system call, else `code`. */
  readonly reason: HboneReason;
  readonly responseFlag: ResponseFlag;
  readonly status: number | undefined;
  readonly http2Code: number | undefined;

  /** @param detail what was met. Where an exact reason is known, from the cause or given, its remedy is in here already. */
  constructor(code: HboneFailure, detail: string, options: HboneErrorOptions = {}) {
    const exact = options.reason ?? reasonOfCause(options.cause);
    const text = exact === undefined ? `${detail}; ${hboneFailures[code].remedy}` : detail;
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HboneError';
    this.code = code;
    this.reason = exact ?? code;
    this.responseFlag = options.status === 401 ? 'DENY' : hboneFailures[code].flag;
    this.status = options.status;
    this.http2Code = options.http2Code;
  }
}

function reasonOfCause(cause: unknown): HboneReason | undefined {
  if (cause instanceof Http2Error) return cause.reason;
  if (cause instanceof TlsError || cause instanceof SystemError) return cause.code;
  if (cause instanceof HboneError) return cause.reason;
  return undefined;
}

/**
 * The tunnel that carried a connection inside it has ended.
 * @param cause why; undefined when both of its ends had closed it
 */
export function carrierError(cause: HboneError | undefined): HboneError {
  if (cause === undefined)
    return new HboneError('connection-lost', 'the gateway closed the tunnel around it');
  const { code, status } = cause;
  const text = `the tunnel to the gateway: ${cause.message}`;
  return new HboneError(code, text, { cause, ...(status === undefined ? {} : { status }) });
}

/** The peer answered CONNECT with something else than 200. */
export function refusedError(status: number): HboneError {
  const text = `the peer answered ${status}`;
  const reason = `refused-${status}`;
  if (!isTunnelRefusal(reason)) return new HboneError('refused', text, { status });
  const { meaning, remedy } = tunnelRefusals[reason];
  return new HboneError('refused', `${text}: ${meaning}; ${remedy}`, { status, reason });
}

function isTunnelRefusal(reason: string): reason is TunnelRefusal {
  return Object.hasOwn(tunnelRefusals, reason);
}

/**
 * A tunnel was reset.
 * @param http2Code of RST_STREAM (RFC 9113, section 7)
 * @param remote by the peer
 * @param reason why, if this side found a fault
 */
export function resetError(http2Code: number, remote: boolean, reason: Http2Reason | undefined): HboneError {
  const who = remote ? 'the peer reset the tunnel' : 'the tunnel was reset';
  const what = `${who} (HTTP/2 error ${errorCodeName(http2Code)})`;
  if (reason === undefined) return new HboneError('reset', what, { http2Code });
  const { meaning, remedy } = HTTP2_REASONS[reason];
  return new HboneError('reset', `${what}: ${meaning}; ${remedy}`, { http2Code, reason });
}
