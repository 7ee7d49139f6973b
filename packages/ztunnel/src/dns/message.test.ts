import { expect } from 'chai';
import { answers, readQuery } from './message.ts';
import { parsedQuery, queryMessage } from './testing/messages.ts';

const outcome = (message: Buffer): string => {
  const read = readQuery(message, message.length);
  return read.kind === 'query' ? `query ${read.query.name ?? '(bytes)'}` : `${read.kind}: ${read.why}`;
};

/** A header that promises these counts, and what follows. */
const raw = (counts: [number, number, number, number], ...rest: (string | number[])[]): Buffer => {
  const header = Buffer.alloc(12);
  counts.forEach((count, i) => header.writeUInt16BE(count, 4 + 2 * i));
  const parts = rest.map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
  );
  return Buffer.concat([header, ...parts]);
};
const response = (): Buffer => {
  const message = queryMessage('web');
  message[2]! |= 0x80;
  return message;
};
const tail = [0, 1, 0, 1];
const opt = (options: number[] = []): number[] => [
  0,
  0,
  41,
  4,
  208,
  0,
  0,
  0,
  0,
  0,
  options.length,
  ...options,
];

describe('readQuery', () => {
  it('reads header, question and EDNS', () => {
    const message = queryMessage('Web.Shop', { id: 0x1234, type: 'AAAA', edns: 1232, dnssecOk: true });
    expect(parsedQuery(message)).deep.equal({
      id: 0x1234,
      flags: 0x0100,
      opcode: 0,
      name: 'web.shop',
      type: 28,
      class: 1,
      questionEnd: 12 + 10 + 4,
      edns: { udpBytes: 1232, version: 0, dnssecOk: true, hasOptions: false },
    });
    expect(parsedQuery(queryMessage('web')).edns).equal(undefined);
    expect(parsedQuery(queryMessage('.')).name).equal('');
  });

  it('takes an EDNS size below 512 for 512', () => {
    expect(parsedQuery(queryMessage('web', { edns: 40 })).edns?.udpBytes).equal(512);
  });

  it('sees options of EDNS', () => {
    const message = raw([1, 0, 0, 1], '\x03web\0', tail, opt([0, 10, 0, 1, 9]));
    expect(parsedQuery(message).edns?.hasOptions).equal(true);
  });

  it('has no text for a name with dots, spaces or bytes beyond ASCII in a label', () => {
    for (const label of ['a.b', 'a b', 'a\xffb', 'a\0b'])
      expect(outcome(raw([1, 0, 0, 0], `\x03${label}\0`, tail)), label).equal('query (bytes)');
  });
});

describe('readQuery, hostile messages', () => {
  const longName = `${'\x3f'.padEnd(64, 'a').repeat(3)}`;
  const table: Record<string, [Buffer, string]> = {
    'an empty datagram': [Buffer.alloc(0), 'drop: shorter than a header'],
    'half a header': [Buffer.alloc(11), 'drop: shorter than a header'],
    'a response, which could go on for ever': [response(), 'drop: a response'],
    'no question': [raw([0, 0, 0, 0]), 'refuse: not one question'],
    'two questions': [raw([2, 0, 0, 0], '\x01a\0', tail, '\x01b\0', tail), 'refuse: not one question'],
    '65,535 questions': [raw([65_535, 0, 0, 0], '\x01a\0', tail), 'refuse: not one question'],
    'a question that is cut off': [
      queryMessage('web').subarray(0, 18),
      'refuse: the question is cut off or its name invalid',
    ],
    'a name without an end': [
      raw([1, 0, 0, 0], '\x3f', 'aaaa'),
      'refuse: the question is cut off or its name invalid',
    ],
    'a name that points at itself': [
      raw([1, 0, 0, 0], [0xc0, 12], tail),
      'refuse: the question is cut off or its name invalid',
    ],
    'a label of the reserved kind': [
      raw([1, 0, 0, 0], [0x41, 0, 0], tail),
      'refuse: the question is cut off or its name invalid',
    ],
    'a name of 256 bytes': [
      raw([1, 0, 0, 0], longName, '\x3e'.padEnd(63, 'a'), '\0', tail),
      'refuse: the question is cut off or its name invalid',
    ],
    'records that are promised and missing': [
      raw([1, 65_535, 65_535, 65_535], '\x01a\0', tail),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
    'a record longer than the message': [
      raw([1, 0, 0, 1], '\x01a\0', tail, [0, 0, 41, 0, 0, 0, 0, 0, 0, 255, 255]),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
    'a record whose name points at itself': [
      raw([1, 0, 0, 1], '\x01a\0', tail, [0xc0, 19, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
    'a record whose name points forward': [
      raw([1, 0, 0, 1], '\x01a\0', tail, [0xc0, 21, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
    'a record whose name points into the header': [
      raw([1, 0, 0, 1], '\x01a\0', tail, [0xc0, 2, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
    'two OPT records': [
      raw([1, 0, 0, 2], '\x01a\0', tail, opt(), opt()),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
    'an OPT record with a name': [
      raw([1, 0, 0, 1], '\x01a\0', tail, [0xc0, 12], opt().slice(1)),
      'refuse: a record is cut off or invalid, or there are two OPT records',
    ],
  };
  for (const [name, [message, expected]] of Object.entries(table))
    it(name, () => expect(outcome(message)).equal(expected));

  it('takes the longest name there may be', () => {
    const message = raw([1, 0, 0, 0], longName, '\x3d'.padEnd(62, 'a'), '\0', tail);
    expect(parsedQuery(message).name).length(253);
  });
});

describe('answers', () => {
  const query = queryMessage('Web.Example', { id: 9 });
  const question = query.subarray(12);
  const answer = (change: (message: Buffer) => void = () => {}): Buffer => {
    const message = Buffer.from(query);
    message.writeUInt16BE(0x8180, 2);
    change(message);
    return message;
  };
  const taken = (message: Buffer): boolean => answers(message, message.length, 9, question);

  it('takes the answer to the question, whatever its case', () => {
    expect(taken(answer())).equal(true);
    expect(taken(answer((message) => message.write('wEB', 13)))).equal(true);
  });

  const refused: Record<string, (message: Buffer) => void> = {
    'another id': (message) => message.writeUInt16BE(8, 0),
    'a query': (message) => message.writeUInt16BE(0x0100, 2),
    'another name': (message) => message.write('bad', 13),
    'another type': (message) => message.writeUInt16BE(28, message.length - 4),
    'another class': (message) => message.writeUInt16BE(3, message.length - 2),
    'two questions': (message) => message.writeUInt16BE(2, 4),
    'no question and no error': (message) => message.writeUInt16BE(0, 4),
  };
  for (const [name, change] of Object.entries(refused))
    it(`refuses ${name}`, () => expect(taken(answer(change))).equal(false));

  it('refuses what is cut off', () => {
    for (let length = 0; length < query.length; length++)
      expect(answers(answer(), length, 9, question), `${length}`).equal(false);
  });

  it('takes an error without a question', () => {
    const error = Buffer.alloc(12);
    error.writeUInt16BE(9, 0);
    error.writeUInt16BE(0x8001, 2);
    expect(taken(error)).equal(true);
    error.writeUInt16BE(1, 6);
    expect(taken(error)).equal(false);
  });
});
