/**
 * Writes an integer with an N-bit prefix (RFC 7541, section 5.1) to `target[at..)`; six bytes are always enough for
 * 32 bits.
 *
 * @param flags the bits of the first byte above the prefix.
 * @returns the position after the last byte written.
 */
export function encodeInteger(
  target: Uint8Array,
  at: number,
  flags: number,
  prefixBits: number,
  value: number,
): number {
  const prefixMax = (1 << prefixBits) - 1;
  if (value < prefixMax) {
    target[at] = flags | value;
    return at + 1;
  }
  target[at++] = flags | prefixMax;
  let rest = value - prefixMax;
  while (rest >= 128) {
    target[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[at] = rest;
  return at + 1;
}

/** Bytes that {@link encodeInteger} needs at most. */
export const MAX_INTEGER_BYTES = 6;
