import fc from 'fast-check';

/** Bytes that parsers treat specially: ends of ranges, and one beside them. */
const EDGE_BYTES = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/** Any UTF-16 unit, so that half a surrogate pair comes too. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

/** One way to damage bytes. Positions are fractions (0 to 1) of the length at hand, so that they fit whatever came before. */
type Damage = (bytes: Buffer) => Buffer;

const fraction = fc.nat(0xffff).map((value) => value / 0x1_0000);
const at = (bytes: Buffer, where: number): number => Math.floor(where * (bytes.length + 1));

const replaced = (bytes: Buffer, start: number, end: number, by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);

/** Start and end of a slice that begins at `where` and is short more often than long. */
function slice(bytes: Buffer, where: number, size: number): [start: number, end: number] {
  const start = at(bytes, where);
  return [start, start + Math.floor(size ** 3 * (bytes.length - start + 1))];
}

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fraction, fc.nat(7)).map(([where, bit]): Damage => {
    return (bytes) => {
      const i = Math.floor(where * bytes.length);
      return bytes.length === 0 ? bytes : replaced(bytes, i, i + 1, Buffer.of(bytes[i]! ^ (1 << bit)));
    };
  }),
  fc.tuple(fraction, fc.constantFrom(...EDGE_BYTES)).map(([where, value]): Damage => {
    return (bytes) => replaced(bytes, at(bytes, where), at(bytes, where) + 1, Buffer.of(value));
  }),
  fc.tuple(fraction, fc.integer({ min: -2, max: 2 })).map(([where, delta]): Damage => {
    // Lengths and counts that are off by one or two.
    return (bytes) => {
      const i = Math.floor(where * bytes.length);
      return bytes.length === 0 ? bytes : replaced(bytes, i, i + 1, Buffer.of((bytes[i]! + delta) & 0xff));
    };
  }),
  fraction.map(
    (where): Damage =>
      (bytes) =>
        bytes.subarray(0, at(bytes, where)),
  ),
  fc.tuple(fraction, fraction).map(([where, size]): Damage => {
    return (bytes) => replaced(bytes, ...slice(bytes, where, size), Buffer.alloc(0));
  }),
  fc.tuple(fraction, fraction, fraction).map(([where, size, to]): Damage => {
    return (bytes) => {
      const copy = Buffer.from(bytes.subarray(...slice(bytes, where, size)));
      return replaced(bytes, at(bytes, to), at(bytes, to), copy);
    };
  }),
  fc.tuple(fraction, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([where, extra]): Damage => {
    return (bytes) => replaced(bytes, at(bytes, where), at(bytes, where), extra);
  }),
);

/**
 * Valid input with zero to six damages: flipped bits, edge values, lengths that are off by one, pieces cut off, taken out,
 * put in and doubled. It gets past the first check of a parser far more often than bytes at random do.
 */
export function damagedBytes(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(valid, fc.array(damages, { maxLength: 6, size: 'max' }))
    .map(([bytes, steps]) => steps.reduce<Buffer>((damaged, step) => step(damaged), Buffer.from(bytes)));
}

/**
 * Valid text with zero to six damages: characters and pieces taken out, doubled and replaced, and words of `dictionary` put
 * in or over a piece.
 */
export function damagedText(
  valid: fc.Arbitrary<string>,
  dictionary: readonly string[],
): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...dictionary) },
    { weight: 1, arbitrary: fc.array(anyUnit, { maxLength: 4 }).map((units) => units.join('')) },
    { weight: 1, arbitrary: fc.constant('') },
  );
  const step = fc.tuple(fraction, fraction, word, fc.boolean());
  return fc.tuple(valid, fc.array(step, { maxLength: 6, size: 'max' })).map(([text, steps]) => {
    let damaged = text;
    for (const [where, size, by, keep] of steps) {
      const start = Math.floor(where * (damaged.length + 1));
      const end = keep ? start : start + Math.floor(size ** 4 * (damaged.length - start + 1));
      damaged = damaged.slice(0, start) + by + damaged.slice(end);
    }
    return damaged;
  });
}
