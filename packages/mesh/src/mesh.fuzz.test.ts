import { BlockList, isIP } from 'node:net';
import { damagedBytes, damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseAuthority } from './inbound.ts';
import { canonicalIp, Cidr, formatHostPort, ipFromBytes, ipToBytes, isIpv6 } from './ip.ts';

const addresses = fc.constantFrom(
  '10.0.0.1',
  '255.255.255.255',
  '0.0.0.0',
  'fd00::1',
  '::',
  '::1',
  '1:2:3:4:5:6:7:8',
  '2001:db8::8:800:200c:417a',
  '::ffff:10.0.0.1',
  '64:ff9b::192.0.2.33',
  '1::',
);
const pieces = [
  ':',
  '::',
  '.',
  '0',
  '00',
  '1',
  '01',
  'ffff',
  '10000',
  '256',
  'g',
  'F',
  '%eth0',
  '/',
  ' ',
  '\0',
  '[',
  ']',
  '-',
  '٣',
  '::ffff:',
  '127.1',
  '0x7f',
];
const ipText = damagedText(addresses, pieces);
/** Four or sixteen bytes. */
const ipBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

describe('IP addresses under fuzz', () => {
  it('are accepted just when the platform does, and mean the same [fuzz]', () => {
    fc.assert(
      fc.property(ipText, (text) => {
        const canonical = canonicalIp(text);
        // A zone is no part of an address here: isIP() takes one.
        expect(canonical !== undefined, text).to.equal(isIP(text) !== 0 && !text.includes('%'));
        if (canonical === undefined) return;
        expect(canonicalIp(canonical)).to.equal(canonical);
        expect(ipFromBytes(ipToBytes(text)!)).to.equal(canonical);
        const same = new BlockList();
        const family = isIP(text) === 6 ? 'ipv6' : 'ipv4';
        same.addAddress(text, family);
        expect(same.check(canonical, isIpv6(canonical) ? 'ipv6' : 'ipv4')).to.equal(true);
      }),
      fuzzBudget(),
    );
  });

  it('ranges hold what the platform says, whatever the host bits [fuzz]', () => {
    fc.assert(
      fc.property(ipBytes, ipBytes, fc.nat(128), fc.nat(127), (net, other, length, flip) => {
        const width = net.length * 8;
        const prefix = length % (width + 1);
        const probe = net.length === other.length && flip % 3 === 0 ? other : Uint8Array.from(net);
        probe[(flip % width) >> 3]! ^= 1 << (flip & 7);
        const [netText, probeText] = [ipFromBytes(net)!, ipFromBytes(probe)!];
        // An IPv4-mapped address is IPv4 here, and its range would count from another end.
        if (isIpv6(netText) !== (width === 128) || isIpv6(probeText) !== (width === 128)) return;
        const family = width === 128 ? 'ipv6' : 'ipv4';
        const reference = new BlockList();
        reference.addSubnet(netText, prefix, family);
        const cidr = Cidr.from(netText, prefix)!;
        expect(cidr.containsText(probeText)).to.equal(reference.check(probeText, family));
        const again = cidr.toString();
        const slash = again.lastIndexOf('/');
        expect(Cidr.from(again.slice(0, slash), Number(again.slice(slash + 1)))!.toString()).to.equal(again);
      }),
      fuzzBudget(),
    );
  });

  it('of other lengths than 4 and 16 bytes are none [fuzz]', () => {
    fc.assert(
      fc.property(damagedBytes(ipBytes), (bytes) => {
        const text = ipFromBytes(bytes);
        expect(text !== undefined).to.equal(bytes.length === 4 || bytes.length === 16);
        if (text !== undefined) expect(isIP(text)).to.not.equal(0);
      }),
      fuzzBudget(),
    );
  });
});

describe('an authority under fuzz', () => {
  const authority = damagedText(
    fc.constantFrom(
      '10.0.0.1:80',
      '[fd00::1]:80',
      '[::ffff:10.0.0.1]:443',
      'web.shop.svc.cluster.local:8080',
      'a_b-c:65535',
      'user@web:80',
    ),
    [
      ...pieces,
      ':80',
      ':0',
      ':65536',
      ':+1',
      ':1e3',
      '@',
      '//',
      'http://',
      '?',
      '#',
      '..',
      'xn--',
      'é',
      '\r\n',
      '\ud800',
    ],
  );

  it('is refused, or is a host and port that are written the same way [fuzz]', () => {
    fc.assert(
      fc.property(authority, (text) => {
        const found = parseAuthority(text);
        if (found === undefined) return;
        expect(found.port).to.be.within(1, 65_535);
        if (found.kind === 'address') {
          expect(canonicalIp(found.ip)).to.equal(found.ip);
          expect(parseAuthority(formatHostPort(found.ip, found.port))).to.deep.equal(found);
        } else {
          expect(found.hostname)
            .to.match(/^[\w.-]{1,253}$/)
            .and.match(/[A-Za-z_-]/);
          expect(text).to.equal(`${found.hostname}:${text.slice(found.hostname.length + 1)}`);
          expect(parseAuthority(`${found.hostname}:${found.port}`)).to.deep.equal(found);
        }
      }),
      fuzzBudget(),
    );
  });

  it('that a URL takes for a host and port is taken for the same [fuzz]', () => {
    fc.assert(
      fc.property(authority, (text) => {
        const found = parseAuthority(text);
        const url = URL.parse(`https://${text}/`);
        if (found === undefined || url === null) return;
        // A URL reads 127.1 and 0x7f as addresses; here they are names, which no service has.
        if (found.kind === 'hostname' && isIP(url.hostname) !== 0) return;
        expect(url.username + url.password + url.search + url.hash).to.equal('');
        const host = found.kind === 'hostname' ? found.hostname.toLowerCase() : found.ip;
        const theirs = url.hostname.replace(/^\[(.*)\]$/, '$1');
        expect(canonicalIp(theirs) ?? theirs).to.equal(host);
        expect(Number(url.port || 443)).to.equal(found.port);
      }),
      fuzzBudget(),
    );
  });
});
