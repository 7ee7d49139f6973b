import { expect } from 'chai';
import { FAILED, WOULD_BLOCK } from './descriptor.ts';
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

  for (const ip of ['127.0.0.1', '::1'])
    it(`connected, hears its peer alone on ${ip}`, () => {
      using server = new UdpSocket({ ip, port: 0 });
      using stranger = new UdpSocket({ ip, port: 0 });
      using client = UdpSocket.connected(server.localAddress());
      const buffer = new IoBuffer(64);
      buffer.bytes.write('query');
      expect(client.sendConnected(buffer, 0, 5)).to.equal(5);
      expect(server.recv(buffer, 8, 56)).to.equal(5);
      const at = server.sender!;
      expect(stranger.send(buffer, 0, 5, at)).to.equal(5);
      expect(client.recvConnected(buffer, 0, 64)).to.equal(WOULD_BLOCK);
      expect(server.send(buffer, 0, 3, at)).to.equal(3);
      expect(client.recvConnected(buffer, 0, 64)).to.equal(3);
    });

  it('connected, learns that nobody listens', () => {
    const gone = new UdpSocket({ ip: '127.0.0.1', port: 0 });
    using client = UdpSocket.connected(gone.localAddress());
    gone.close();
    const buffer = new IoBuffer(64);
    client.sendConnected(buffer, 0, 5);
    expect(client.recvConnected(buffer, 0, 64)).to.equal(FAILED);
    expect(client.lastError?.code).to.equal('ECONNREFUSED');
  });

  it('deafened, leaves what comes to another socket of its address, and still answers', () => {
    using old = new UdpSocket({ ip: '127.0.0.1', port: 0 }, { reusePort: true });
    const at = old.localAddress();
    const buffer = new IoBuffer(64);
    using client = new UdpSocket({ ip: '127.0.0.1', port: 0 });
    client.send(buffer, 0, 1, at);
    old.deafen();
    using young = new UdpSocket(at, { reusePort: true });
    for (let i = 0; i < 32; i++) {
      using other = new UdpSocket({ ip: '127.0.0.1', port: 0 });
      other.send(buffer, 0, 2, at);
      expect(young.recv(buffer, 0, 64)).to.equal(2);
    }
    expect(old.recv(buffer, 0, 64)).to.equal(1);
    expect(old.recv(buffer, 0, 64)).to.equal(WOULD_BLOCK);
    expect(old.send(buffer, 0, 3, client.localAddress())).to.equal(3);
    expect(client.recv(buffer, 0, 64)).to.equal(3);
    expect(client.sender).to.deep.equal(at);
  });
});
