import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { HpackDecoder } from './decoder.ts';
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts';
import { encodeInteger } from './integer.ts';
import { STATIC_FIELDS } from './static-table.ts';

const TABLE_LIMIT = 4096;

interface Text {
  readonly text: string;
  readonly huffman: boolean;
}

/** One representation of RFC 7541, section 6. An index is taken modulo the entries that there are. */
type Representation =
  | { readonly kind: 'indexed'; readonly index: number }
  | {
      readonly kind: 'literal';
      readonly how: 'indexing' | 'without' | 'never';
      readonly name: Text | number;
      readonly value: Text;
    };

interface Block {
  readonly resizes: readonly number[];
  readonly fields: readonly Representation[];
}

const anyByte = fc
  .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.nat(255))
  .map((code) => String.fromCharCode(code));
const text: fc.Arbitrary<Text> = fc.record({
  text: fc.oneof(
    { weight: 8, arbitrary: fc.array(anyByte, { maxLength: 20 }).map((units) => units.join('')) },
    { weight: 1, arbitrary: fc.tuple(anyByte, fc.nat(3000)).map(([unit, count]) => unit.repeat(count)) },
  ),
  huffman: fc.boolean(),
});
const representation: fc.Arbitrary<Representation> = fc.oneof(
  fc.record({ kind: fc.constant('indexed' as const), index: fc.nat(200) }),
  fc.record({
    kind: fc.constant('literal' as const),
    how: fc.constantFrom('indexing' as const, 'indexing' as const, 'without' as const, 'never' as const),
    name: fc.oneof(text, fc.nat(200)),
    value: text,
  }),
);
const blocks: fc.Arbitrary<readonly Block[]> = fc.array(
  fc.record({
    resizes: fc.array(fc.integer({ min: 0, max: TABLE_LIMIT }), { maxLength: 2, size: '-1' }),
    fields: fc.array(representation, { maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** The dynamic table as section 2.3 words it: a plain list, newest first. */
class NaivePeer {
  readonly table: { name: string; value: string }[] = [];
  #maxSize = TABLE_LIMIT;

  /** Writes the block, and says what must come out of it. */
  write(block: Block): { bytes: Buffer; fields: string[]; never: string[] } {
    const parts: Buffer[] = [];
    const fields: string[] = [];
    const never: string[] = [];
    for (const size of block.resizes) {
      parts.push(integer(0x20, 5, size));
      this.#maxSize = size;
      this.#evict();
    }
    for (const field of block.fields) {
      if (field.kind === 'indexed') {
        const index = this.#index(field.index);
        const { name, value } = this.#at(index);
        parts.push(integer(0x80, 7, index));
        fields.push(name, value);
        continue;
      }
      const [first, prefix] = { indexing: [0x40, 6], without: [0, 4], never: [0x10, 4] }[field.how] as [
        number,
        number,
      ];
      let name: string;
      if (typeof field.name === 'number') {
        const index = this.#index(field.name);
        name = this.#at(index).name;
        parts.push(integer(first, prefix, index));
      } else {
        name = field.name.text;
        parts.push(integer(first, prefix, 0), string(field.name));
      }
      parts.push(string(field.value));
      fields.push(name, field.value.text);
      if (field.how === 'never') never.push(name);
      if (field.how === 'indexing') {
        this.table.unshift({ name, value: field.value.text });
        this.#evict();
      }
    }
    return { bytes: Buffer.concat(parts), fields, never };
  }

  get size(): number {
    return this.table.reduce((sum, { name, value }) => sum + name.length + value.length + 32, 0);
  }

  #index(any: number): number {
    return 1 + (any % (STATIC_FIELDS.length + this.table.length));
  }

  #at(index: number): { name: string; value: string } {
    return index <= STATIC_FIELDS.length
      ? STATIC_FIELDS[index - 1]!
      : this.table[index - 1 - STATIC_FIELDS.length]!;
  }

  #evict(): void {
    while (this.size > this.#maxSize) this.table.pop();
  }
}

function integer(first: number, prefix: number, value: number): Buffer {
  const target = Buffer.alloc(8);
  return target.subarray(0, encodeInteger(target, 0, first, prefix, value));
}

function string({ text, huffman }: Text): Buffer {
  const length = huffman ? huffmanLength(text) : text.length;
  const bytes = huffman ? Buffer.alloc(length) : Buffer.from(text, 'latin1');
  if (huffman) encodeHuffman(text, bytes, 0);
  return Buffer.concat([integer(huffman ? 0x80 : 0, 7, length), bytes]);
}

const decode = (decoder: HpackDecoder, bytes: Buffer): string[] | undefined =>
  decoder.decode(bytes, 0, bytes.length);

describe('HPACK under fuzz', () => {
  it('decodes what any encoder may write as a plain reading of RFC 7541 does [fuzz]', () => {
    fc.assert(
      fc.property(blocks, (all) => {
        const peer = new NaivePeer();
        const decoder = new HpackDecoder(TABLE_LIMIT, 1 << 20);
        for (const block of all) {
          const { bytes, fields, never } = peer.write(block);
          expect(decode(decoder, bytes), decoder.error).to.deep.equal(fields);
          expect(decoder.neverIndexed).to.deep.equal(never);
          expect(decoder.tableSize).to.equal(peer.size);
        }
      }),
      fuzzBudget(),
    );
  });

  it('cuts a list at its limit and keeps the table in step all the same [fuzz]', () => {
    fc.assert(
      fc.property(blocks, fc.nat(1000), (all, limit) => {
        const peer = new NaivePeer();
        const decoder = new HpackDecoder(TABLE_LIMIT, limit);
        for (const block of all) {
          const { bytes, fields } = peer.write(block);
          const list = decode(decoder, bytes);
          expect(list, decoder.error).to.deep.equal(fields.slice(0, list!.length));
          expect(decoder.oversize).to.equal(listSize(fields) > limit);
          expect(listSize(list!)).to.be.at.most(limit);
          expect(decoder.tableSize).to.equal(peer.size);
        }
      }),
      fuzzBudget(),
    );
  });

  it('refuses or decodes damaged blocks, never throws, and keeps to its limits [fuzz]', () => {
    const written = blocks.map((all) => {
      const peer = new NaivePeer();
      return Buffer.concat(all.map((block) => peer.write(block).bytes));
    });
    fc.assert(
      fc.property(
        fc.array(damagedBytes(written), { minLength: 1, maxLength: 3 }),
        fc.nat(2000),
        (all, limit) => {
          const decoder = new HpackDecoder(TABLE_LIMIT, limit);
          for (const bytes of all) {
            const list = decode(decoder, bytes);
            expect(list === undefined).to.equal(decoder.error !== '');
            expect(decoder.tableSize).to.be.within(0, TABLE_LIMIT);
            if (list === undefined) return;
            expect(listSize(list)).to.be.at.most(limit);
          }
        },
      ),
      fuzzBudget(),
    );
  });

  it('Huffman: a string has one encoding, so what decodes encodes back to the same bytes [fuzz]', () => {
    const encoded = text.map(({ text }) => {
      const bytes = Buffer.alloc(huffmanLength(text));
      encodeHuffman(text, bytes, 0);
      return bytes;
    });
    fc.assert(
      fc.property(damagedBytes(encoded), (bytes) => {
        const target = Buffer.alloc(bytes.length * 2, 0xee);
        const length = decodeHuffman(bytes, 0, bytes.length, target);
        if (length < 0) return;
        expect(length).to.be.at.most(Math.floor((bytes.length * 8) / 5));
        const decoded = target.toString('latin1', 0, length);
        const again = Buffer.alloc(huffmanLength(decoded));
        expect(encodeHuffman(decoded, again, 0)).to.equal(again.length);
        expect(again.equals(bytes)).to.equal(true);
      }),
      fuzzBudget(),
    );
  });
});

function listSize(fields: readonly string[]): number {
  let size = 0;
  for (const each of fields) size += each.length + 16;
  return size;
}
