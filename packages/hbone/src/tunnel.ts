import type { HeaderBlock, Http2Stream } from '@ambient/http';
import type { IoBuffer } from '@ambient/linux';
import type { HboneConnection } from './connection.ts';
import type { HboneError } from './errors.ts';
import type { Carrier } from './light-traffic.ts';

/** Who is at the near end of a tunnel: a relay to a socket, or another TLS session (double HBONE). */
export interface TunnelSink {
  /** Client side: the peer answered 200; writing may begin. */
  onTunnelOpen(headers: HeaderBlock): void;
  /**
   * Bytes from the peer, in `buffer` from `start` to `end`, valid only now: hand them on or copy them. Call
   * `tunnel.consumed` as they leave, else the peer will stop sending.
   */
  onTunnelData(buffer: IoBuffer, start: number, end: number): void;
  /** The peer sends no more. */
  onTunnelEnd(): void;
  /** Writing, which `prepareWrite` had answered with 0, may go on. */
  onTunnelWritable(): void;
  /** The tunnel is gone; nothing follows. Undefined: both sides had ended. */
  onTunnelClosed(error: HboneError | undefined): void;
}

const CANCEL = 0x8;

/**
 * One stream of bytes inside an HBONE connection, half-closable on both sides. Writing goes without a copy: `prepareWrite`
 * gives room in the connection's buffer, the caller fills it, `commitWrite` frames it.
 */
export class HboneTunnel implements Carrier {
  readonly connection: HboneConnection;
  sink: TunnelSink;
  /** @internal set by the connection */
  stream!: Http2Stream<HboneTunnel | undefined>;
  /** @internal in the connection's queue of those who wait for room */
  waitingForRoom = false;
  /** @internal asks for another tunnel in place of one that the server has refused unseen; until the server answers */
  retry: (() => void) | undefined;
  /** @internal received and not handed on */
  heldBytes = 0;
  /** @internal of what comes from the peer */
  intervalStartMs = -Infinity;
  /** @internal of what comes from the peer */
  intervalBytes = 0;
  /** @internal of what comes from the peer */
  carriesBulk = false;
  closed = false;

  constructor(connection: HboneConnection, sink: TunnelSink) {
    this.connection = connection;
    this.sink = sink;
  }

  /**
   * Asks for room for up to `wanted` bytes. The room is at `connection.writeBuffer` from `connection.writeOffset`, until
   * the next call of anything on this connection.
   * @returns bytes of room; 0 when the peer's window or the socket is full, and `onTunnelWritable` follows
   */
  prepareWrite(wanted: number): number {
    return this.closed ? 0 : this.connection.prepareWrite(this, wanted);
  }

  /** Sends the first `length` bytes of the room. */
  commitWrite(length: number): void {
    this.connection.commitWrite(this, length);
  }

  /** Bytes of `onTunnelData` that have been handed on: the peer may send as many again. */
  consumed(length: number): void {
    if (this.closed) return;
    this.connection.onHandedOn(this, length);
    this.stream.releaseWindow(length);
    this.connection.requestFlush();
  }

  /** Half-closes: nothing more will be written. */
  end(): void {
    if (this.closed) return;
    this.stream.end();
    this.connection.requestFlush();
  }

  /** Gives the tunnel up, both ways. The sink is not told. */
  reset(code: number = CANCEL): void {
    if (this.closed) return;
    this.closed = true;
    this.stream.reset(code);
    this.connection.requestFlush();
  }
}
