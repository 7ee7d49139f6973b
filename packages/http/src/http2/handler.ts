import type { Http2Error, Http2Reason } from './errors.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Http2Stream } from './stream.ts';

/**
 * What a connection tells its owner. All calls are made from within `Http2Connection.receive` (or, for `onStreamClosed`,
 * from within the call on the stream that closes it). Any of them may call back into the connection and its streams,
 * except into `receive`. None may throw.
 */
export interface Http2Handler<T> {
  /**
   * Server: a request; the stream is new. Client: a response, final or interim (1xx, `stream.headersReceived` is false
   * then). The list is valid by RFC 9113, section 8, and may be kept.
   */
  onHeaders(stream: Http2Stream<T>, headers: HeaderBlock, endStream: boolean): void;

  /** Trailers; with them the remote half has ended. */
  onTrailers(stream: Http2Stream<T>, headers: HeaderBlock): void;

  /**
   * Bytes of the body: `bytes[start..end)`, a slice of what `receive` was given, valid during the call only. A DATA frame
   * may come in several pieces. An end of stream without data is a call with `start === end`.
   *
   * Each byte must be given back twice, when it has been consumed: by `stream.releaseWindow` (not needed after the stream
   * is closed) and by `connection.releaseConnectionWindow` (always).
   */
  onData(stream: Http2Stream<T>, bytes: Uint8Array, start: number, end: number, endStream: boolean): void;

  /**
   * The stream has died, and not by the owner's own `reset`.
   *
   * @param errorCode of the peer's RST_STREAM, or of the one that we have queued.
   * @param remote whether the peer ended it (RST_STREAM, GOAWAY) or the peer's transport.
   * @param reason why, if this side found a fault; undefined when the peer sent RST_STREAM or GOAWAY.
   * @param detail what exactly was wrong, for a log; may be ''.
   */
  onReset(
    stream: Http2Stream<T>,
    errorCode: number,
    remote: boolean,
    reason: Http2Reason | undefined,
    detail: string,
  ): void;

  /**
   * Server: a request was refused before it became a stream (malformed, too large, or over the limit of streams). Nothing is
   * left to do but to log and count it.
   */
  onRequestRefused?(streamId: number, reason: Http2Reason, detail: string): void;

  /** Both halves are closed, or the stream was reset by either side: the last call for this stream. */
  onStreamClosed(stream: Http2Stream<T>): void;

  /** A stream that found `sendable` 0 may send again. */
  onSendable(stream: Http2Stream<T>): void;

  /** The peer's SETTINGS, first or later, hold now. */
  onRemoteSettings(): void;

  /** An answer to `ping`, or an unasked one: compare the payload. */
  onPong(payload: number): void;

  /**
   * The peer takes no new streams. Our streams above `lastStreamId` were told by `onReset` with REFUSED_STREAM just
   * before: they are safe to send again elsewhere.
   */
  onGoaway(lastStreamId: number, errorCode: number, debug: string): void;

  /**
   * The connection is over. Send what `takeOutput` still holds (a GOAWAY), then close the transport. Every open stream
   * gets `onReset` and `onStreamClosed` after this.
   */
  onConnectionError(error: Http2Error): void;
}
