import { expect } from 'chai';
import { writeProxyHeader } from './proxy-protocol.ts';

const signature = '0d0a0d0a000d0a515549540a';
const id = 'spiffe://cluster.local/ns/a/sa/b';
const idHex = Buffer.from(id).toString('hex');

describe('PROXY protocol header, version 2', () => {
  it('of IPv4 ends', () => {
    const header = writeProxyHeader({ ip: '10.0.0.1', port: 4660 }, { ip: '192.168.1.2', port: 80 }, id);
    const tlv = `d0${id.length.toString(16).padStart(4, '0')}${idHex}`;
    const body = `0a000001c0a8010212340050${tlv}`;
    const length = (body.length / 2).toString(16).padStart(4, '0');
    expect(header.toString('hex')).to.equal(`${signature}2111${length}${body}`);
  });

  it('of IPv6 ends', () => {
    const header = writeProxyHeader({ ip: 'fd00::1', port: 1 }, { ip: '2001:db8::ff', port: 65535 }, 'x');
    expect(header.toString('hex')).to.equal(
      `${signature}21210028fd00000000000000000000000000000120010db80000000000000000000000ff0001ffffd0000178`,
    );
  });

  for (const [source, destination] of [
    ['10.0.0.1', 'fd00::1'],
    ['fd00::1', '10.0.0.1'],
  ] as const)
    it(`of mixed families (${source}, ${destination}) maps IPv4 into IPv6`, () => {
      const header = writeProxyHeader({ ip: source, port: 1 }, { ip: destination, port: 2 }, '');
      expect(header[13]).to.equal(0x21);
      const mapped = '00000000000000000000ffff0a000001';
      const at = source === '10.0.0.1' ? 16 : 32;
      expect(header.toString('hex', at, at + 16)).to.equal(mapped);
      expect(header.length).to.equal(16 + 36 + 3);
    });
});
