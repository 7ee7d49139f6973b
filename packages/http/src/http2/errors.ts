/** Error codes of RST_STREAM and GOAWAY (RFC 9113, section 7). */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

const ERROR_NAMES = Object.entries(ErrorCode).reduce<string[]>((names, [name, code]) => {
  names[code] = name;
  return names;
}, []);

/** The name of an error code, for logs; a number that RFC 9113 does not know comes back as hexadecimal. */
export function errorCodeName(code: number): string {
  return ERROR_NAMES[code] ?? `0x${code.toString(16)}`;
}

interface ReasonRow {
  /** What goes to the peer in GOAWAY or RST_STREAM. */
  readonly code: number;
  /** What the peer did. */
  readonly meaning: string;
  /** What an operator can do about it. */
  readonly remedy: string;
}

const BROKEN_PEER = 'the peer breaks HTTP/2: check its version, and that no middlebox alters the bytes';
const HOSTILE_PEER =
  'the peer is broken or hostile: find it by its identity in the access log, and cut it off';

/**
 * Every reason for which this codec ends a connection or a stream. The keys are stable: they go into logs and metrics.
 *
 * The abuse reasons, from `rapid-reset` on, are judged against `AbuseLimits`.
 */
export const HTTP2_REASONS = {
  'not-http2': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'the connection does not begin as HTTP/2 (RFC 9113, section 3.4)',
    remedy: 'the peer speaks another protocol on this port: check its port and that it negotiates h2',
  },
  'frame-size': {
    code: ErrorCode.FRAME_SIZE_ERROR,
    meaning: 'a frame is longer than allowed or has not the length of its type (section 4.2)',
    remedy: BROKEN_PEER,
  },
  'stream-state': {
    code: ErrorCode.STREAM_CLOSED,
    meaning: 'a frame came on a stream that was closed for it (section 5.1)',
    remedy: BROKEN_PEER,
  },
  'stream-id': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning:
      'a frame came on a stream that is idle, of the wrong side, or zero where it must not (section 5.1.1)',
    remedy: BROKEN_PEER,
  },
  'frame-sequence': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'a header block was interrupted or continued out of place (section 6.10)',
    remedy: BROKEN_PEER,
  },
  padding: {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'a frame is padded by more than its length (section 6.1)',
    remedy: BROKEN_PEER,
  },
  'self-dependency': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'a stream is made to depend on itself (RFC 7540, section 5.3.1)',
    remedy: BROKEN_PEER,
  },
  'settings-value': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'a setting has a value out of its range (section 6.5.2)',
    remedy: BROKEN_PEER,
  },
  'push-refused': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'the peer pushed although that was switched off (section 8.4)',
    remedy: BROKEN_PEER,
  },
  compression: {
    code: ErrorCode.COMPRESSION_ERROR,
    meaning: 'a header block cannot be decoded (RFC 7541)',
    remedy: BROKEN_PEER,
  },
  'flow-control': {
    code: ErrorCode.FLOW_CONTROL_ERROR,
    meaning: 'the peer sent more than the window it was given (section 5.2)',
    remedy: BROKEN_PEER,
  },
  'window-increment': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'a window was to grow by nothing (section 6.9)',
    remedy: BROKEN_PEER,
  },
  'malformed-message': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'a request, response or trailer section is malformed (section 8.1.1)',
    remedy: 'the application behind the peer sends invalid headers: its own log names the request',
  },
  'content-length': {
    code: ErrorCode.PROTOCOL_ERROR,
    meaning: 'the body has not the length that content-length says (section 8.1.1)',
    remedy: 'the application behind the peer cut its body short, or announced it wrong',
  },
  'stream-refused': {
    code: ErrorCode.REFUSED_STREAM,
    meaning: 'the peer opened more streams than SETTINGS_MAX_CONCURRENT_STREAMS allows (section 5.1.2)',
    remedy: 'the peer should open another connection; raise maxConcurrentStreams if it is trusted',
  },
  'connection-closed': {
    code: ErrorCode.CANCEL,
    meaning: 'the connection ended below the stream',
    remedy: 'look for the end of the connection in the log: that is the cause',
  },
  'rapid-reset': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning:
      'most streams are cancelled before they are answered, or are made to fail (CVE-2023-44487, CVE-2025-8671)',
    remedy: HOSTILE_PEER,
  },
  'continuation-flood': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'a header block goes on and on in CONTINUATION frames (CVE-2024-27316)',
    remedy: HOSTILE_PEER,
  },
  'settings-flood': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'SETTINGS come too often or are too long (CVE-2019-9515)',
    remedy: HOSTILE_PEER,
  },
  'ping-flood': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'PING comes too often for the data that is moving (CVE-2019-9512)',
    remedy: HOSTILE_PEER,
  },
  'empty-frame-flood': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'frames come that carry nothing and end nothing (CVE-2019-9518)',
    remedy: HOSTILE_PEER,
  },
  'window-update-flood': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'WINDOW_UPDATE comes too often for the data that was sent',
    remedy: HOSTILE_PEER,
  },
  'priority-flood': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'PRIORITY, or frames of unknown type, come too often (CVE-2019-9513)',
    remedy: HOSTILE_PEER,
  },
  'header-list-too-large': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'a header list exceeds SETTINGS_MAX_HEADER_LIST_SIZE; far beyond it the connection ends',
    remedy:
      'the application sends very large headers (often cookies or baggage): make them smaller, or raise the limit',
  },
  'slow-reader': {
    code: ErrorCode.ENHANCE_YOUR_CALM,
    meaning: 'the peer asks for answers but does not read them (CVE-2019-9517)',
    remedy: HOSTILE_PEER,
  },
  'window-overflow': {
    code: ErrorCode.FLOW_CONTROL_ERROR,
    meaning: 'the peer made a window larger than 2^31-1 bytes (section 6.9.1)',
    remedy: BROKEN_PEER,
  },
} as const satisfies Record<string, ReasonRow>;

/** A key of {@link HTTP2_REASONS}. */
export type Http2Reason = keyof typeof HTTP2_REASONS;

/** Why a connection ended. It is told to the handler, never thrown. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error';
  readonly code = 'HTTP2_CONNECTION_ERROR';
  /** Which rule was broken: stable, for logs and metrics. */
  readonly reason: Http2Reason;
  /** What goes to the peer in GOAWAY. */
  readonly errorCode: number;

  /** @param detail what exactly was met, after the meaning of the reason. */
  constructor(reason: Http2Reason, detail: string, errorCode: number = HTTP2_REASONS[reason].code) {
    const row = HTTP2_REASONS[reason];
    super(`HTTP/2 ${reason}: ${row.meaning}${detail === '' ? '' : ` (${detail})`}; ${row.remedy}`);
    this.reason = reason;
    this.errorCode = errorCode;
  }
}

/** The codec was used against its contract: a mistake of the program, thrown to whoever made it. */
export class Http2UsageError extends Error {
  override readonly name = 'Http2UsageError';
  readonly code = 'HTTP2_USAGE';
}
