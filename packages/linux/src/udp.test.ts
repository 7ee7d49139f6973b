import { expect } from 'chai';
import { WOULD_BLOCK } from './descriptor.ts';
import { IoBuffer } from './io-buffer.ts';
import { UdpSocket } from './udp.ts';

describe('UdpSocket', () => {
  for (const ip of ['127.0.0.1', '::1'])
    it(`exchanges datagrams and names the sender on ${ip}`, () => {
      using a = new UdpSocket({ ip, port: 0 });
      using b = new UdpSocket({ ip, port: 0 });
      const buffer = new IoBuffer(64);
      expect(b.recv(buffer, 0, 64)).to.equal(WOULD_BLOCK);
      buffer.bytes.write('query');
      expect(a.send(buffer, 0, 5, b.localAddress())).to.equal(5);
      expect(b.recv(buffer, 8, 56)).to.equal(5);
      expect(b.sender).to.deep.equal({ ip, port: a.localAddress().port });
      expect(buffer.bytes.toString('latin1', 8, 13)).to.equal('query');
    });
});
