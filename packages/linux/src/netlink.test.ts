import { expect } from 'chai';
import { openDescriptors } from './descriptor.ts';
import { SystemError } from './errors.ts';
import { attribute32, eachAttribute, eachMessage, netlinkFlags, NetlinkSocket } from './netlink.ts';

/** Bytes as a dump writes them; blanks are for the reader. */
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** A message as text: its type, and its body in hexadecimal. */
function messages(bytes: Buffer): { seen: string[]; end: string } {
  const seen: string[] = [];
  const end = eachMessage(bytes, 'test', ({ type, body }) => seen.push(`${type} ${body.toString('hex')}`));
  return { seen, end };
}

const header = '00000000 00000000';
const one = `14000000 1800 0200 ${header} aabbccdd`;
/** Its length is no multiple of four: the next one begins behind the gap. */
const odd = `12000000 1800 0200 ${header} aabb 0000`;
const done = `14000000 0300 0200 ${header} 00000000`;

describe('netlink messages', () => {
  const cases: readonly [string, string, ReturnType<typeof messages>][] = [
    ['a part of an answer', `${one} ${odd}`, { seen: ['24 aabbccdd', '24 aabb'], end: 'more' }],
    ['the end of a list', `${odd} ${done} ${one}`, { seen: ['24 aabb'], end: 'end' }],
    [
      'an acknowledgement',
      `24000000 0200 0000 ${header} 00000000 ${'00'.repeat(16)}`,
      { seen: [], end: 'end' },
    ],
    ['nothing', '', { seen: [], end: 'more' }],
    ['a length below that of a header', `0f000000 1800 0000 ${header}`, { seen: [], end: 'end' }],
    ['a length beyond what came', `15000000 1800 0000 ${header} aabbccdd`, { seen: [], end: 'end' }],
    ['a header that is cut off', '14000000 1800', { seen: [], end: 'more' }],
  ];
  for (const [name, bytes, outcome] of cases)
    it(`are read: ${name}`, () => {
      expect(messages(hex(bytes))).to.deep.equal(outcome);
    });

  it('that refuse are thrown by the name of the errno', () => {
    const refusal = hex(`24000000 0200 0000 ${header} efffffff ${'00'.repeat(16)}`); // -17
    expect(() => messages(refusal))
      .to.throw(SystemError)
      .with.property('code', 'EEXIST');
  });
});

describe('netlink attributes', () => {
  const read = (bytes: Buffer, offset = 0): [number, string][] => {
    const found: [number, string][] = [];
    eachAttribute(bytes, offset, (type, value) => found.push([type, value.toString('hex')]));
    return found;
  };

  it('are read behind the fixed part, each from a multiple of four, without flags of their type', () => {
    expect(read(hex('ffffffff 0500 0180 aa 000000 0800 0240 11223344'), 4)).to.deep.equal([
      [1, 'aa'],
      [2, '11223344'],
    ]);
  });

  it('end where a length cannot be', () => {
    expect(read(hex('0800 0100 11223344 0300 0200'))).to.deep.equal([[1, '11223344']]);
    expect(read(hex('0800 0100 11223344 0900 0200 11223344'))).to.deep.equal([[1, '11223344']]);
    expect(read(hex('0800'))).to.deep.equal([]);
  });

  it('of 32 bits are written as they are read', () => {
    expect(attribute32(15, 0xfedcba98).toString('hex')).to.equal('08000f0098badcfe');
    expect(read(attribute32(15, 1000))).to.deep.equal([[15, 'e8030000']]);
  });
});

describe('NetlinkSocket', () => {
  const NETLINK_ROUTE = 0;
  const RTM_NEWLINK = 16;
  const RTM_GETLINK = 18;
  const IFLA_IFNAME = 3;

  it('asks the kernel for a list, to its end', () => {
    using socket = new NetlinkSocket(NETLINK_ROUTE, 'links');
    const names: string[] = [];
    const take = ({ type, body }: { type: number; body: Buffer }): void => {
      expect(type).to.equal(RTM_NEWLINK);
      eachAttribute(body, 16, (attribute, value) => {
        if (attribute === IFLA_IFNAME) names.push(value.toString('latin1', 0, value.length - 1));
      });
    };
    for (let time = 0; time < 2; time++)
      socket.request(RTM_GETLINK, netlinkFlags.dump, Buffer.alloc(16), take);
    expect(names.filter((name) => name === 'lo')).to.deep.equal(['lo', 'lo']);
    expect(socket.drain(take), 'nothing is left, and nothing was lost').to.equal(true);
  });

  it('throws what the kernel refuses, names the subject, and goes on to work', () => {
    using socket = new NetlinkSocket(NETLINK_ROUTE, 'links');
    const index = Buffer.alloc(16);
    index.writeInt32LE(2 ** 31 - 1, 4);
    expect(() => socket.request(RTM_GETLINK, 0, index))
      .to.throw(SystemError, 'links')
      .with.property('code', 'ENODEV');
    let links = 0;
    socket.request(RTM_GETLINK, netlinkFlags.dump, Buffer.alloc(16), () => links++);
    expect(links).to.be.greaterThan(0);
  });

  it('leaves no descriptor, also where the kernel does not know the protocol', () => {
    const before = openDescriptors().length;
    new NetlinkSocket(NETLINK_ROUTE, 'links', 1).close();
    expect(() => new NetlinkSocket(31, 'nobody')).to.throw(SystemError);
    expect(openDescriptors().length).to.equal(before);
  });
});
