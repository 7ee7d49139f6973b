import type { Http2Error } from '../http2/errors.ts';
import { errorCodeName } from '../http2/errors.ts';
import type { Http2Handler } from '../http2/handler.ts';
import type { HeaderBlock } from '../http2/header-block.ts';
import type { Http2Stream } from '../http2/stream.ts';

/**
 * A handler that writes down what it is told, one line per event, and consumes what it gets. Pieces of one DATA frame are
 * joined, so that the log does not depend on how the bytes came.
 */
export class EventLog implements Http2Handler<string> {
  readonly lines: string[] = [];
  readonly streams: Http2Stream<string>[] = [];
  error: Http2Error | undefined;
  /** Gives windows back at once. */
  consume = true;
  release: ((bytes: number) => void) | undefined;
  /** Called besides, when set. */
  headers: ((stream: Http2Stream<string>, headers: HeaderBlock, endStream: boolean) => void) | undefined;
  body: ((stream: Http2Stream<string>, endStream: boolean) => void) | undefined;
  sendable: ((stream: Http2Stream<string>) => void) | undefined;
  readonly bodies = new Map<number, string>();
  /** Requests that were refused before they became streams. */
  readonly refused: string[] = [];

  onHeaders(stream: Http2Stream<string>, headers: HeaderBlock, endStream: boolean): void {
    this.streams.push(stream);
    this.lines.push(`headers ${stream.id} ${fields(headers)}${endStream ? ' end' : ''}`);
    this.headers?.(stream, headers, endStream);
  }

  onTrailers(stream: Http2Stream<string>, headers: HeaderBlock): void {
    this.lines.push(`trailers ${stream.id} ${fields(headers)}`);
  }

  onData(
    stream: Http2Stream<string>,
    bytes: Uint8Array,
    start: number,
    end: number,
    endStream: boolean,
  ): void {
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    this.bodies.set(stream.id, (this.bodies.get(stream.id) ?? '') + text);
    if (endStream) this.lines.push(`end ${stream.id}`);
    if (this.consume) {
      stream.releaseWindow(end - start);
      this.release?.(end - start);
    }
    this.body?.(stream, endStream);
  }

  onReset(stream: Http2Stream<string>, errorCode: number, remote: boolean, reason: string | undefined): void {
    const by = remote ? 'remote' : 'local';
    this.lines.push(
      `reset ${stream.id} ${errorCodeName(errorCode)} ${by}${reason === undefined ? '' : ` ${reason}`}`,
    );
  }

  onRequestRefused(streamId: number, reason: string, detail: string): void {
    this.refused.push(`${streamId} ${reason}: ${detail}`);
  }

  onStreamClosed(stream: Http2Stream<string>): void {
    this.lines.push(`closed ${stream.id}`);
  }

  onSendable(stream: Http2Stream<string>): void {
    this.lines.push(`sendable ${stream.id}`);
    this.sendable?.(stream);
  }

  onRemoteSettings(): void {
    this.lines.push('settings');
  }

  onPong(payload: number): void {
    this.lines.push(`pong ${payload}`);
  }

  onGoaway(lastStreamId: number, errorCode: number, debug: string): void {
    this.lines.push(`goaway ${lastStreamId} ${errorCodeName(errorCode)}${debug === '' ? '' : ` ${debug}`}`);
  }

  onConnectionError(error: Http2Error): void {
    this.error = error;
    this.lines.push(`error ${error.reason} ${errorCodeName(error.errorCode)}`);
  }

  /** What came since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }
}

function fields(headers: HeaderBlock): string {
  const pairs: string[] = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push(`${headers[i]}=${headers[i + 1]}`);
  return pairs.join(',');
}
