/**
 * The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B).
 *
 * The code is canonical: within one length, codes ascend with the symbol, and the next length goes on where the last
 * one ended. So the 257 lengths of appendix B are the whole table, and codes and decoder are derived from them.
 */

/** Bits per symbol, 0..255, then EOS. */
// prettier-ignore
const CODE_LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
   6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,  5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
  13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
  15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

const EOS = 256;
const SYMBOLS = 257;

const lengths = Uint8Array.from(CODE_LENGTHS);
const codes = canonicalCodes();

function canonicalCodes(): Uint32Array {
  const result = new Uint32Array(SYMBOLS);
  let code = 0;
  for (let bits = 1; bits <= 30; bits++) {
    code *= 2;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) if (lengths[symbol] === bits) result[symbol] = code++;
  }
  return result;
}

/*
 * The decoder walks the code tree four bits at a time. A code with 257 leaves has 256 inner nodes, and no code is shorter
 * than five bits, so an entry per (node, nibble) holds at most one finished symbol: 16 KiB in all.
 */
const NIBBLES = 16;
const NODE_MASK = 0xff;
const EMITS = 0x100;
const FAILS = 0x200;
const SYMBOL_SHIFT = 16;

const transitions = new Int32Array(256 * NIBBLES);
/** Whether a string may end in this node: the bits since the last symbol are fewer than eight and all ones (section 5.2). */
const mayEnd = new Uint8Array(256);

buildDecoder();

function buildDecoder(): void {
  // Child of node n for bit b is at tree[2n + b]: a node (> 0), a symbol (-1 - symbol), or 0 when not yet made.
  const tree = new Int32Array(512);
  let nodes = 1;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    let node = 0;
    for (let bit = lengths[symbol]! - 1; bit > 0; bit--) {
      const edge = 2 * node + ((codes[symbol]! >>> bit) & 1);
      if (tree[edge] === 0) tree[edge] = nodes++;
      node = tree[edge]!;
    }
    tree[2 * node + (codes[symbol]! & 1)] = -1 - symbol;
  }
  for (let node = 0; node < nodes; node++) {
    for (let nibble = 0; nibble < NIBBLES; nibble++)
      transitions[node * NIBBLES + nibble] = walk(tree, node, nibble);
  }
  let padding = 0;
  for (let ones = 0; ones < 8; ones++) {
    mayEnd[padding] = 1;
    padding = tree[2 * padding + 1]!;
  }
}

function walk(tree: Int32Array, from: number, nibble: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[2 * node + ((nibble >>> bit) & 1)]!;
    if (next >= 0) {
      node = next;
      continue;
    }
    const symbol = -1 - next;
    if (symbol === EOS) return FAILS;
    emitted = EMITS | (symbol << SYMBOL_SHIFT);
    node = 0;
  }
  return node | emitted;
}

/**
 * Decodes `source[start..end)` into `target` from 0. `target` must hold 8/5 of the source, the most that it can become.
 *
 * @returns the decoded length in bytes, or -1 when the string holds EOS, ends within a symbol, or is padded by more than
 * seven bits or by anything but ones (all of them decoding errors by RFC 7541, section 5.2).
 */
export function decodeHuffman(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let node = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    let step = transitions[node * NIBBLES + (byte >>> 4)]!;
    if ((step & EMITS) !== 0) target[length++] = step >>> SYMBOL_SHIFT;
    else if ((step & FAILS) !== 0) return -1;
    step = transitions[(step & NODE_MASK) * NIBBLES + (byte & 15)]!;
    if ((step & EMITS) !== 0) target[length++] = step >>> SYMBOL_SHIFT;
    else if ((step & FAILS) !== 0) return -1;
    node = step & NODE_MASK;
  }
  return mayEnd[node] === 1 ? length : -1;
}

/** Length in bytes of `text` (one byte per character, 0..255) once Huffman coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += lengths[text.charCodeAt(i)]!;
  return (bits + 7) >>> 3;
}

/**
 * Writes `text` (one byte per character, 0..255) Huffman coded to `target[at..)`, which must have room for
 * {@link huffmanLength}.
 *
 * @returns the position after the last byte written.
 */
export function encodeHuffman(text: string, target: Uint8Array, at: number): number {
  // At most 7 bits wait when a code of at most 30 comes: 37, more than an integer of 32 bits holds, so long codes go in
  // two parts.
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const code = codes[symbol]!;
    let length = lengths[symbol]!;
    if (length > 16) {
      length -= 16;
      pending = (pending << length) | (code >>> 16);
      bits += length;
      while (bits >= 8) target[at++] = pending >>> (bits -= 8);
      pending = (pending << 16) | (code & 0xffff);
      bits += 16;
    } else {
      pending = (pending << length) | code;
      bits += length;
    }
    while (bits >= 8) target[at++] = pending >>> (bits -= 8);
  }
  if (bits > 0) target[at++] = (pending << (8 - bits)) | (0xff >>> bits);
  return at;
}
