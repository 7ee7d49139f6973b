/** Frame types (RFC 9113, section 6). */
export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

/** Frame flags (RFC 9113, section 6). ACK and END_STREAM are the same bit on different types. */
export const FrameFlag = {
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Bytes of a frame header (section 4.1). */
export const FRAME_HEADER_BYTES = 9;

/** What SETTINGS_MAX_FRAME_SIZE is until the peer says otherwise, and its least value. */
export const DEFAULT_MAX_FRAME_SIZE = 16_384;

/** Greatest value of SETTINGS_MAX_FRAME_SIZE. */
export const LARGEST_MAX_FRAME_SIZE = 0xff_ffff;

/** Windows at the start of a connection (section 6.9.2). */
export const DEFAULT_WINDOW = 65_535;

/** Greatest window, stream id and increment. */
export const MAX_31_BITS = 0x7fff_ffff;

/** What a client sends first (section 3.4). */
export const CLIENT_PREFACE: Uint8Array = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Writes the nine bytes of a frame header to `target[at..)`. */
export function writeFrameHeader(
  target: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  target[at] = length >>> 16;
  target[at + 1] = length >>> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  writeUint32(target, at + 5, streamId);
}

/** Writes 32 bits, high byte first. */
export function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** Reads 31 bits, high byte first, without the reserved bit. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Reads 32 bits, high byte first. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return readUint31(bytes, at) + (bytes[at]! >= 0x80 ? 0x8000_0000 : 0);
}
