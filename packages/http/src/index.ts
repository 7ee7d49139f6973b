// Public surface of @ambient/http: HTTP/2 (RFC 9113) with HPACK (RFC 7541), without I/O.
export type { AbuseLimits } from './http2/abuse.ts';
export { DEFAULT_ABUSE_LIMITS } from './http2/abuse.ts';
export { Http2Connection } from './http2/connection.ts';
export type { Http2Reason } from './http2/errors.ts';
export { ErrorCode, errorCodeName, HTTP2_REASONS, Http2Error, Http2UsageError } from './http2/errors.ts';
export { FRAME_HEADER_BYTES } from './http2/frame.ts';
export type { Http2Handler } from './http2/handler.ts';
export type { HeaderBlock } from './http2/header-block.ts';
export { headerValue } from './http2/header-block.ts';
export type { LocalSettings, Role } from './http2/settings.ts';
export type { Http2Stream } from './http2/stream.ts';
export { HeaderEncodingError } from './hpack/encoder.ts';
