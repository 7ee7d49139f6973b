import { expect } from 'chai';
import fc from 'fast-check';
import { BlockList, isIP, isIPv6 as nodeIsIpv6 } from 'node:net';
import {
  canonicalIp,
  Cidr,
  formatHostPort,
  ipFromBytes,
  ipToBytes,
  isIpv6,
  isLoopback,
  parseIp,
} from './ip.ts';

describe('canonicalIp', () => {
  const cases: [string, string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8::A', '2001:db8::a'],
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:0a01:0203', '10.1.2.3'],
    ['::10.1.2.3', '::a01:203'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['', undefined],
    ['10.0.0', undefined],
    ['10.0.0.1.2', undefined],
    ['10.0.0.256', undefined],
    ['10.0.0.01', undefined],
    ['10.0.0.1 ', undefined],
    ['10..0.1', undefined],
    ['10.0.0.', undefined],
    [':', undefined],
    [':::', undefined],
    ['1::2::3', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['12345::', undefined],
    ['fe80::1%eth0', undefined],
    ['1:', undefined],
    [':1', undefined],
    ['g::', undefined],
    ['1:2:3:4:5:6:7:1.2.3.4', undefined],
    ['example.com', undefined],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text)} is ${expected ?? 'refused'}`, () => {
      expect(canonicalIp(text)).to.equal(expected);
    });
  }

  it('accepts exactly what the platform accepts', () => {
    const piece = fc.constantFrom('0', '1', 'ffff', 'a', '255', '256', ':', '::', '.', '10', 'g', '');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
        const text = pieces.join('');
        expect(canonicalIp(text) !== undefined, text).to.equal(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('is what the platform prints, for any IPv6 address', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0, 0, 1, 0xff, 0xabcd), { minLength: 8, maxLength: 8 }),
        (list) => {
          const text = list.map((group) => group.toString(16)).join(':');
          const canonical = canonicalIp(text)!;
          if (nodeIsIpv6(canonical)) expect(new URL(`http://[${text}]/`).hostname).to.equal(`[${canonical}]`);
          else expect(canonicalIp(`::ffff:${canonical}`)).to.equal(canonical);
        },
      ),
    );
  });
});

describe('IP bytes', () => {
  it('round-trip through text', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        const text = ipFromBytes(input)!;
        expect(canonicalIp(text)).to.equal(text);
        if (input.length === 16 && isIpv6(text)) expect(ipToBytes(text)).to.deep.equal(input);
        if (input.length === 4) expect(ipToBytes(text)).to.deep.equal(input);
      }),
    );
  });
  it('unmap an IPv4-mapped address', () => {
    const mapped = new Uint8Array(16);
    mapped.set([0xff, 0xff, 10, 0, 0, 1], 10);
    expect(ipFromBytes(mapped)).to.equal('10.0.0.1');
  });
  it('refuse any other length', () => {
    expect(ipFromBytes(new Uint8Array(5))).to.equal(undefined);
    expect(ipToBytes('nonsense')).to.equal(undefined);
  });
});

describe('Cidr', () => {
  it('contains what the platform block list contains', () => {
    const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(
        fc.boolean(),
        v4,
        v6,
        fc.nat(128),
        fc.nat(128),
        fc.boolean(),
        (four, a, b, length, flip, near) => {
          const net = four ? a : b;
          const width = net.length * 8;
          const prefix = length % (width + 1);
          const probe = near ? Uint8Array.from(net) : four ? b.slice(0, 4) : b.map((byte) => byte ^ 0x55);
          probe[(flip % width) >> 3]! ^= 1 << (flip & 7);
          const netText = ipFromBytes(net)!;
          const probeText = ipFromBytes(probe)!;
          if (isIpv6(netText) === four || isIpv6(probeText) === four) return;
          const reference = new BlockList();
          reference.addSubnet(netText, prefix, four ? 'ipv4' : 'ipv6');
          expect(Cidr.from(netText, prefix)!.containsText(probeText)).to.equal(
            reference.check(probeText, four ? 'ipv4' : 'ipv6'),
          );
        },
      ),
    );
  });
  it('of length 0 contains its whole family and nothing of the other', () => {
    expect(Cidr.from('0.0.0.0', 0)!.containsText('255.1.2.3')).to.equal(true);
    expect(Cidr.from('0.0.0.0', 0)!.containsText('::1')).to.equal(false);
    expect(Cidr.from('::', 0)!.containsText('10.0.0.1')).to.equal(false);
  });
  it('refuses a length above the family and text that is no address', () => {
    expect(Cidr.from('10.0.0.0', 33)).to.equal(undefined);
    expect(Cidr.from('::', 129)).to.equal(undefined);
    expect(Cidr.from('10.0.0.0', -1)).to.equal(undefined);
    expect(Cidr.from('10.0.0.0', 1.5)).to.equal(undefined);
    expect(Cidr.from('x', 8)).to.equal(undefined);
  });
  it('prints its network without host bits', () => {
    expect(Cidr.from('10.1.2.3', 8)!.toString()).to.equal('10.0.0.0/8');
    expect(Cidr.from('2001:db8::1', 32)!.toString()).to.equal('2001:db8::/32');
  });
  it('does not contain what was not parsed', () => {
    const words = new Uint32Array(4);
    expect(Cidr.from('0.0.0.0', 0)!.contains(words, parseIp('junk', words))).to.equal(false);
  });
});

describe('address text', () => {
  it('puts IPv6 in brackets', () => {
    expect(formatHostPort('10.0.0.1', 80)).to.equal('10.0.0.1:80');
    expect(formatHostPort('::1', 80)).to.equal('[::1]:80');
  });
  it('knows loopback', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1', '::2'].map(isLoopback)).to.deep.equal([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
