import { expect } from 'chai';
import { sockaddr } from './address.ts';
import { MisuseError } from './errors.ts';

describe('sockaddr', () => {
  for (const [ip, family] of [
    ['10.244.1.5', 4],
    ['0.0.0.0', 4],
    ['255.255.255.255', 4],
    ['10.244.1.5', 6],
    ['fd00::1:2', 6],
  ] as const)
    it(`reads ${ip} as it was written for a socket of family ${family}`, () => {
      sockaddr.write({ ip: '1.2.3.4', port: 1 }, family);
      sockaddr.write({ ip, port: 15_008 }, family);
      expect(sockaddr.read()).to.deep.equal({ ip, port: 15_008 });
    });

  it('tells addresses apart whose texts are remembered in one place', () => {
    const texts = Array.from({ length: 5000 }, (_, i) => `10.${i % 7}.${i >> 8}.${i & 255}`);
    for (let round = 0; round < 2; round++)
      for (const ip of texts) {
        sockaddr.write({ ip, port: 80 }, 4);
        expect(sockaddr.read()!.ip).to.equal(ip);
      }
  });

  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1..3.4',
    '1.2.3.',
    '1.2.3.4 ',
    '1.2.3.x',
    'web',
  ])
    it(`takes '${text}' for no address`, () => {
      expect(() => sockaddr.write({ ip: text, port: 80 }, 4)).to.throw(MisuseError, 'no IP address');
    });
});
