import type { HeaderBlock } from '@ambient/http';
import type { IoBuffer } from '@ambient/linux';
import type { HboneError } from '../errors.ts';
import type { HboneTunnel, TunnelSink } from '../tunnel.ts';

/** The near end of a tunnel that remembers what it is told. */
export class RecordingSink implements TunnelSink {
  tunnel: HboneTunnel | undefined;
  opened: HeaderBlock | undefined;
  received = Buffer.alloc(0);
  /** Bytes in all; `received` keeps them while `keep`. */
  receivedBytes = 0;
  ended = false;
  closed = false;
  error: HboneError | undefined;
  /** Gives window back as bytes come. */
  consume = true;
  keep = true;
  #toSend = 0;
  #endAfter = false;
  sent = 0;

  /** Sends `bytes` now, which must fit. */
  send(text: string): void {
    const bytes = Buffer.from(text);
    const room = this.tunnel!.prepareWrite(bytes.length);
    if (room < bytes.length) throw new Error(`no room for ${bytes.length} bytes, but for ${room}`);
    const { connection } = this.tunnel!;
    bytes.copy(connection.writeBuffer.bytes, connection.writeOffset);
    this.tunnel!.commitWrite(bytes.length);
  }

  /** Sends so many bytes, each the low bits of its place in the stream, as the peer takes them. */
  sendPattern(total: number, end: boolean): void {
    this.#toSend += total;
    this.#endAfter = end;
    this.onTunnelWritable();
  }

  onTunnelWritable(): void {
    const tunnel = this.tunnel!;
    while (this.#toSend > 0) {
      const room = tunnel.prepareWrite(Math.min(this.#toSend, 64 * 1024));
      if (room === 0) return;
      const { bytes } = tunnel.connection.writeBuffer;
      const at = tunnel.connection.writeOffset;
      for (let i = 0; i < room; i++) bytes[at + i] = (this.sent + i) & 0xff;
      tunnel.commitWrite(room);
      this.sent += room;
      this.#toSend -= room;
    }
    if (!this.#endAfter) return;
    this.#endAfter = false;
    tunnel.end();
  }

  onTunnelOpen(headers: HeaderBlock): void {
    this.opened = headers;
  }

  onTunnelData(buffer: IoBuffer, start: number, end: number): void {
    this.receivedBytes += end - start;
    if (this.keep) this.received = Buffer.concat([this.received, buffer.bytes.subarray(start, end)]);
    if (this.consume) this.tunnel!.consumed(end - start);
  }

  onTunnelEnd(): void {
    this.ended = true;
  }

  onTunnelClosed(error: HboneError | undefined): void {
    this.closed = true;
    this.error = error;
  }
}
