import { expect } from 'chai';
import fc from 'fast-check';
import { ByteBuffer } from '../byte-buffer.ts';
import { HpackDecoder } from './decoder.ts';
import { HeaderEncodingError, HpackEncoder } from './encoder.ts';
import { FieldFault } from './field-syntax.ts';
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts';
import { encodeInteger } from './integer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function decode(decoder: HpackDecoder, text: string): string[] | undefined {
  const bytes = hex(text);
  return decoder.decode(bytes, 0, bytes.length);
}

function encode(encoder: HpackEncoder, headers: readonly string[]): Buffer {
  const target = new ByteBuffer(1);
  encoder.encode(headers, target);
  return Buffer.from(target.bytes.subarray(0, target.length));
}

const newDecoder = (): HpackDecoder => new HpackDecoder(4096, 65_536);

/** The fields of a block that must be refused, and why. */
function errorOf(text: string, decoder = newDecoder()): string {
  expect(decode(decoder, text)).to.equal(undefined);
  return decoder.error;
}

describe('HPACK integers (RFC 7541, C.1)', () => {
  const encoded = (prefix: number, value: number): string => {
    const target = new Uint8Array(8);
    return Buffer.from(target.subarray(0, encodeInteger(target, 0, 0, prefix, value))).toString('hex');
  };

  it('C.1.1: 10 with a 5-bit prefix', () => expect(encoded(5, 10)).to.equal('0a'));
  it('C.1.2: 1337 with a 5-bit prefix', () => expect(encoded(5, 1337)).to.equal('1f9a0a'));
  it('C.1.3: 42 at an octet boundary', () => expect(encoded(8, 42)).to.equal('2a'));
  it('the first value that the prefix cannot hold', () => expect(encoded(5, 31)).to.equal('1f00'));
});

describe('HPACK decoding of single fields (RFC 7541, C.2)', () => {
  const cases: [string, string, string[], number][] = [
    [
      'C.2.1',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key', 'custom-header'],
      55,
    ],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path'], 0],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret'], 0],
    ['C.2.4', '82', [':method', 'GET'], 0],
  ];
  for (const [title, text, fields, tableSize] of cases) {
    it(title, () => {
      const decoder = newDecoder();
      expect(decode(decoder, text)).to.deep.equal(fields);
      expect(decoder.tableSize).to.equal(tableSize);
    });
  }
});

const GET = [':method', 'GET'];
const AUTHORITY = [':authority', 'www.example.com'];
const REQUESTS = [
  [...GET, ':scheme', 'http', ':path', '/', ...AUTHORITY],
  [...GET, ':scheme', 'http', ':path', '/', ...AUTHORITY, 'cache-control', 'no-cache'],
  [...GET, ':scheme', 'https', ':path', '/index.html', ...AUTHORITY, 'custom-key', 'custom-value'],
];
const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';
const LOCATION = ['location', 'https://www.example.com'];
const RESPONSES = [
  [':status', '302', 'cache-control', 'private', 'date', DATE, ...LOCATION],
  [':status', '307', 'cache-control', 'private', 'date', DATE, ...LOCATION],
  // prettier-ignore
  [':status', '200', 'cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:22 GMT', ...LOCATION,
    'content-encoding', 'gzip', 'set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
];

describe('HPACK sequences (RFC 7541, C.3 to C.6)', () => {
  const sequences: [string, number, string[][], string[], number[]][] = [
    [
      'C.3 requests without Huffman',
      4096,
      REQUESTS,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      [57, 110, 164],
    ],
    [
      'C.4 requests with Huffman',
      4096,
      REQUESTS,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      [57, 110, 164],
    ],
    [
      'C.5 responses without Huffman',
      256,
      RESPONSES,
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
      [222, 222, 215],
    ],
    [
      'C.6 responses with Huffman',
      256,
      RESPONSES,
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
      [222, 222, 215],
    ],
  ];
  for (const [title, tableSize, lists, blocks, sizes] of sequences) {
    it(title, () => {
      const decoder = new HpackDecoder(tableSize, 65_536, tableSize);
      for (const [i, text] of blocks.entries()) {
        expect(decode(decoder, text)).to.deep.equal(lists[i]);
        expect(decoder.tableSize).to.equal(sizes[i]);
      }
    });
  }

  it('C.4 is what the encoder writes', () => {
    const encoder = new HpackEncoder(4096);
    const blocks = REQUESTS.map((headers) => encode(encoder, headers).toString('hex'));
    expect(blocks[0]).to.equal('828684418cf1e3c2e5f23a6ba0ab90f4ff');
    expect(blocks[1]).to.equal('828684be5886a8eb10649cbf');
    // The path of the third request is in the static table, so all of C.4.3 comes out too.
    expect(blocks[2]).to.equal('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf');
  });
});

describe('HPACK decoding errors', () => {
  const cases: [string, string, RegExp][] = [
    ['2.3.3: index 0', '80', /neither table/],
    ['2.3.3: an index beyond the dynamic table', 'be', /neither table/],
    ['2.3.3: a name index beyond the dynamic table', '7e 01 61', /neither table/],
    ['5.1: an integer that does not end', '7f ff', /ends within an integer/],
    ['5.1: an integer over the limit', '7f ff ff ff ff 7f', /too long/],
    ['5.1: an integer padded with zeroes', 'ff 80 80 80 80 80 00', /too long/],
    ['5.2: a string longer than the block', '00 03 61', /ends within a string/],
    ['5.2: no string at all', '00', /ends before a string/],
    ['5.2: Huffman padding that is not ones', '00 81 18 00', /Huffman/],
    ['5.2: Huffman padding longer than seven bits', '00 82 1f ff 00', /Huffman/],
    ['5.2: EOS within a Huffman string', '00 84 ff ff ff ff 00', /Huffman/],
    ['6.3: a size update over the limit', '3f e2 1f', /exceeds the limit/],
    ['4.2: a size update after a field', '82 20', /after a field/],
  ];
  for (const [title, text, error] of cases) it(title, () => expect(errorOf(text)).to.match(error));

  it('4.2: our limit was lowered and the peer does not say that it follows', () => {
    const decoder = newDecoder();
    decoder.setTableLimit(0);
    expect(errorOf('82', decoder)).to.match(/not lowered/);
  });

  it('4.2: our limit was lowered and the peer follows', () => {
    const decoder = newDecoder();
    decode(decoder, '400161 0162');
    decoder.setTableLimit(0);
    expect(decode(decoder, '20 82')).to.deep.equal(GET);
    expect(decoder.tableSize).to.equal(0);
  });

  it('4.2: two size updates at the start of a block, the lower one empties the table', () => {
    const decoder = newDecoder();
    decode(decoder, '400161 0162');
    expect(decode(decoder, '20 3f e1 1f 82')).to.deep.equal(GET);
    expect(decoder.tableSize).to.equal(0);
  });

  it('4.4: an entry larger than the table empties it and is no error', () => {
    const decoder = new HpackDecoder(64, 65_536, 64);
    decode(decoder, '400161 0162');
    expect(decoder.tableSize).to.equal(34);
    expect(decode(decoder, `4001 6128${'62'.repeat(40)}`)).to.deep.equal(['a', 'b'.repeat(40)]);
    expect(decoder.tableSize).to.equal(0);
  });

  it('4.4: a name may be taken from the entry that is evicted for its field', () => {
    const decoder = new HpackDecoder(40, 65_536, 40);
    decode(decoder, '4001 6101 62');
    expect(decode(decoder, '7e 01 63')).to.deep.equal(['a', 'c']);
    expect(decode(decoder, 'be')).to.deep.equal(['a', 'c']);
  });
});

describe('HPACK field faults (RFC 9113, 8.2.1)', () => {
  const faultOf = (name: string, value: string): number => {
    const decoder = newDecoder();
    const bytes = Buffer.concat([
      Buffer.from([0x40, name.length]),
      Buffer.from(name, 'latin1'),
      Buffer.from([value.length]),
      Buffer.from(value, 'latin1'),
    ]);
    expect(decoder.decode(bytes, 0, bytes.length)).to.deep.equal([name, value]);
    const fault = decoder.fault;
    decode(decoder, 'be');
    expect(decoder.fault, 'the fault stays with the table entry').to.equal(fault);
    return fault;
  };

  for (const name of ['', ':', 'A', 'a b', 'a\u007f', 'a\u00e9', 'a:b', 'a\u0000', '"'])
    it(`name ${JSON.stringify(name)} is at fault`, () =>
      expect(faultOf(name, 'v')).to.equal(FieldFault.name));
  for (const name of ['a', ':status', "x-y_z.1!#$%&'*+^`|~"])
    it(`name ${JSON.stringify(name)} is good`, () => expect(faultOf(name, 'v')).to.equal(FieldFault.none));
  for (const value of ['\u0000', 'a\rb', 'a\nb', ' a', 'a ', '\ta', 'a\t'])
    it(`value ${JSON.stringify(value)} is at fault`, () =>
      expect(faultOf('a', value)).to.equal(FieldFault.value));
  for (const value of ['', 'a b', 'a\tb', '\u00ff\u0080', '\u0001'])
    it(`value ${JSON.stringify(value)} is good`, () => expect(faultOf('a', value)).to.equal(FieldFault.none));

  it('a name from a faulty entry is not made good by another value', () => {
    const decoder = newDecoder();
    decode(decoder, '4001 4101 62');
    decode(decoder, '0f2f 0163');
    expect(decoder.fault).to.equal(FieldFault.name);
  });
});

describe('HPACK strings', () => {
  it('an empty one may be Huffman coded', () => {
    expect(decode(newDecoder(), '0001 6180')).to.deep.equal(['a', '']);
  });
});

describe('HPACK list size', () => {
  it('is cut at the limit, and the table keeps step', () => {
    const decoder = new HpackDecoder(4096, 100);
    // a: 40 x (34 bytes), then a field for the table, then one not for it.
    const list = decode(decoder, `4001 6101 62 ${'be'.repeat(40)} 4001 6301 64 0001 6501 66`);
    expect(decoder.oversize).to.equal(true);
    expect(list).to.deep.equal(['a', 'b', 'a', 'b']);
    expect(decode(decoder, 'be bf')).to.deep.equal(['c', 'd', 'a', 'b']);
    expect(decoder.oversize).to.equal(false);
  });

  it('a field beyond the limit must still be whole', () => {
    const decoder = new HpackDecoder(4096, 10);
    expect(errorOf('82 00 01 61 05 61', decoder)).to.match(/ends within a string/);
  });
});

describe('HPACK encoding', () => {
  it('writes secrets never-indexed, and again so when they repeat', () => {
    const encoder = new HpackEncoder(4096);
    const headers = ['authorization', 'x', 'cookie', 'y'];
    const first = encode(encoder, headers);
    expect(first.toString('hex')).to.equal('1f08' + '0178' + '1f11' + '0179');
    expect(encode(encoder, headers).equals(first)).to.equal(true);
    expect(encoder.tableSize).to.equal(0);
  });

  it('tells which fields were never-indexed, and passes the mark on', () => {
    const encoder = new HpackEncoder(4096);
    const target = new ByteBuffer(64);
    const headers = ['x-api-key', 'secret', 'a', 'b', 'cookie', 'c'];
    for (let i = 0; i < 2; i++) {
      target.length = 0;
      encoder.encode(headers, target, ['x-api-key']);
      const decoder = newDecoder();
      if (i === 0) {
        expect(decoder.decode(target.bytes, 0, target.length)).to.deep.equal(headers);
        expect(decoder.neverIndexed).to.deep.equal(['x-api-key', 'cookie']);
        decode(decoder, '82');
        expect(decoder.neverIndexed).to.deep.equal([]);
      } else expect(Buffer.from(target.bytes.subarray(0, 1)).toString('hex')).to.equal('10');
    }
  });

  it('keeps what never repeats out of the table', () => {
    const encoder = new HpackEncoder(4096);
    encode(encoder, [':path', '/a', 'traceparent', '00-1-2-00', 'forwarded', 'for="10.0.0.1:80"']);
    expect(encoder.tableSize).to.equal(0);
  });

  it('turns a repeated CONNECT into a few bytes', () => {
    const encoder = new HpackEncoder(4096);
    const headers = [':method', 'CONNECT', ':authority', '10.0.0.1:8080', 'baggage', 'k8s.namespace.name=a'];
    encode(encoder, headers);
    expect(encode(encoder, headers).length).to.equal(3);
  });

  it('announces a table that is smaller than the default', () => {
    expect(encode(new HpackEncoder(0), GET).toString('hex')).to.equal('2082');
  });

  it('announces the lowest size and the last one when the peer changes its mind in between', () => {
    const encoder = new HpackEncoder(4096);
    encode(encoder, ['a', 'b']);
    encoder.setPeerTableLimit(0);
    encoder.setPeerTableLimit(100_000);
    expect(encode(encoder, GET).toString('hex')).to.equal('203fe11f82');
    expect(encode(encoder, GET).toString('hex')).to.equal('82');
  });

  for (const bad of ['\n', '\r', '\0', 'ć'])
    it(`refuses ${JSON.stringify(bad)} and stays good`, () => {
      const encoder = new HpackEncoder(4096);
      expect(() => encode(encoder, ['a', 'b', 'c', bad])).to.throw(HeaderEncodingError);
      const decoder = newDecoder();
      const bytes = encode(encoder, ['a', 'b']);
      expect(decoder.decode(bytes, 0, bytes.length)).to.deep.equal(['a', 'b']);
    });
});

describe('HPACK properties', () => {
  const text = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)),
    maxLength: 80,
  });
  const value = text.map((t) => t.replaceAll(/[\r\n]/g, ''));
  const name = fc.constantFrom(
    'a',
    'baggage',
    ':path',
    'cookie',
    ':authority',
    'x-long-name-of-a-header',
    ':method',
  );

  it('Huffman: any bytes come back, in the length foretold', () => {
    fc.assert(
      fc.property(text, (original) => {
        const coded = new Uint8Array(huffmanLength(original));
        expect(encodeHuffman(original, coded, 0)).to.equal(coded.length);
        const target = Buffer.alloc(coded.length * 2);
        const length = decodeHuffman(coded, 0, coded.length, target);
        expect(target.toString('latin1', 0, length)).to.equal(original);
      }),
      { numRuns: 300 },
    );
  });

  it('Huffman: each symbol comes back between others', () => {
    for (let symbol = 0; symbol < 256; symbol++) {
      const original = `a${String.fromCharCode(symbol)}z`;
      const coded = new Uint8Array(huffmanLength(original));
      encodeHuffman(original, coded, 0);
      const target = Buffer.alloc(16);
      expect(target.toString('latin1', 0, decodeHuffman(coded, 0, coded.length, target))).to.equal(original);
    }
  });

  it('any lists come back, through any table sizes, with both tables in step', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 8 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 300 }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const encoder = new HpackEncoder(4096);
        const decoder = newDecoder();
        for (const one of steps) {
          if (typeof one === 'number') {
            encoder.setPeerTableLimit(one);
            decoder.setTableLimit(one);
            continue;
          }
          const bytes = encode(encoder, one.flat());
          expect(decoder.decode(bytes, 0, bytes.length), decoder.error).to.deep.equal(one.flat());
          expect(decoder.tableSize).to.equal(encoder.tableSize);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('garbage is refused or decoded, never thrown at', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder(256, 1000);
        for (const bytes of blocks) {
          const list = decoder.decode(bytes, 0, bytes.length);
          expect(list === undefined).to.equal(decoder.error !== '');
          expect(decoder.tableSize).to.be.within(0, 4096);
        }
      }),
      { numRuns: 500 },
    );
  });
});
