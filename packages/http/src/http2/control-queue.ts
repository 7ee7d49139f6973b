import { copyBytes } from '../byte-buffer.ts';
import { FRAME_HEADER_BYTES, FrameFlag, FrameType, writeFrameHeader, writeUint32 } from './frame.ts';
import { SETTING_BYTES } from './settings.ts';

const NO_BYTES = new Uint8Array(0);
const BLOCK_BYTES = 4096;
const MAX_SPARE_BLOCKS = 64;

/** Empty blocks of this thread, so that an idle connection holds none and a busy one makes no garbage. */
const spareBlocks: Uint8Array[] = [];

/**
 * What a connection has to send besides DATA with a payload, in order.
 *
 * The transport takes it by {@link take} before it appends a DATA frame of its own.
 */
export class ControlQueue {
  #bytes: Uint8Array = NO_BYTES;
  #head = 0;
  #tail = 0;

  /** Bytes queued. */
  get length(): number {
    return this.#tail - this.#head;
  }

  /** Moves as many queued bytes as fit to `target[offset..)` and returns how many. */
  take(target: Uint8Array, offset: number): number {
    const count = Math.min(this.#tail - this.#head, target.length - offset);
    if (count <= 0) return 0;
    copyBytes(this.#bytes, this.#head, this.#head + count, target, offset);
    this.#head += count;
    if (this.#head === this.#tail) this.#release();
    return count;
  }

  /** Queues bytes that are frames already. */
  raw(source: Uint8Array, start: number, end: number): void {
    const at = this.#reserve(end - start);
    copyBytes(source, start, end, this.#bytes, at);
  }

  /** Queues SETTINGS with `entries`, identifier and value in turn. */
  settings(entries: readonly number[]): void {
    const length = (entries.length / 2) * SETTING_BYTES;
    let at = this.#frame(length, FrameType.SETTINGS, 0, 0);
    for (let i = 0; i < entries.length; i += 2) {
      this.#bytes[at] = entries[i]! >>> 8;
      this.#bytes[at + 1] = entries[i]!;
      writeUint32(this.#bytes, at + 2, entries[i + 1]!);
      at += SETTING_BYTES;
    }
  }

  settingsAck(): void {
    this.#frame(0, FrameType.SETTINGS, FrameFlag.ACK, 0);
  }

  windowUpdate(streamId: number, increment: number): void {
    const at = this.#frame(4, FrameType.WINDOW_UPDATE, 0, streamId);
    writeUint32(this.#bytes, at, increment);
  }

  resetStream(streamId: number, errorCode: number): void {
    const at = this.#frame(4, FrameType.RST_STREAM, 0, streamId);
    writeUint32(this.#bytes, at, errorCode);
  }

  ping(high: number, low: number, ack: boolean): void {
    const at = this.#frame(8, FrameType.PING, ack ? FrameFlag.ACK : 0, 0);
    writeUint32(this.#bytes, at, high);
    writeUint32(this.#bytes, at + 4, low);
  }

  /** @param debug ASCII text for the peer's log. */
  goaway(lastStreamId: number, errorCode: number, debug: string): void {
    const at = this.#frame(8 + debug.length, FrameType.GOAWAY, 0, 0);
    writeUint32(this.#bytes, at, lastStreamId);
    writeUint32(this.#bytes, at + 4, errorCode);
    for (let i = 0; i < debug.length; i++) this.#bytes[at + 8 + i] = debug.charCodeAt(i);
  }

  /** Queues DATA without a payload that ends the stream. */
  endStream(streamId: number): void {
    this.#frame(0, FrameType.DATA, FrameFlag.END_STREAM, streamId);
  }

  /** Queues the header block `block[0..length)` as HEADERS and as many CONTINUATIONs as the peer's frame size asks. */
  headers(streamId: number, block: Uint8Array, length: number, endStream: boolean, maxFrame: number): void {
    let from = 0;
    let type: number = FrameType.HEADERS;
    let flags = endStream ? FrameFlag.END_STREAM : 0;
    do {
      const size = Math.min(length - from, maxFrame);
      if (from + size === length) flags |= FrameFlag.END_HEADERS;
      const at = this.#frame(size, type, flags, streamId);
      copyBytes(block, from, from + size, this.#bytes, at);
      from += size;
      type = FrameType.CONTINUATION;
      flags = 0;
    } while (from < length);
  }

  /** Writes a frame header and returns where the payload goes. */
  #frame(length: number, type: number, flags: number, streamId: number): number {
    const at = this.#reserve(FRAME_HEADER_BYTES + length);
    writeFrameHeader(this.#bytes, at, length, type, flags, streamId);
    return at + FRAME_HEADER_BYTES;
  }

  /** Makes room for `count` bytes, counts them in, and returns where they go. */
  #reserve(count: number): number {
    if (this.#tail + count > this.#bytes.length) this.#makeRoom(count);
    const at = this.#tail;
    this.#tail += count;
    return at;
  }

  #makeRoom(count: number): void {
    const held = this.#tail - this.#head;
    const needed = held + count;
    if (this.#bytes.length === 0 && needed <= BLOCK_BYTES) {
      this.#bytes = spareBlocks.pop() ?? new Uint8Array(BLOCK_BYTES);
      return;
    }
    // Moving down pays only when it frees half; else the same bytes would be moved for every frame.
    if (needed <= this.#bytes.length / 2) this.#bytes.copyWithin(0, this.#head, this.#tail);
    else {
      const grown = new Uint8Array(Math.max(BLOCK_BYTES, needed * 2));
      grown.set(this.#bytes.subarray(this.#head, this.#tail));
      this.#bytes = grown;
    }
    this.#head = 0;
    this.#tail = held;
  }

  #release(): void {
    if (this.#bytes.length === BLOCK_BYTES && spareBlocks.length < MAX_SPARE_BLOCKS)
      spareBlocks.push(this.#bytes);
    this.#bytes = NO_BYTES;
    this.#head = 0;
    this.#tail = 0;
  }
}
