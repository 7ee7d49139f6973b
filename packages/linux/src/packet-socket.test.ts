import { expect } from 'chai';
import { WOULD_BLOCK, openDescriptors } from './descriptor.ts';
import { SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import { PacketSocket } from './packet-socket.ts';
import { UdpSocket } from './udp.ts';

describe('PacketSocket', () => {
  it('sees what crosses the interface, with its link header', () => {
    using recorder = new PacketSocket('lo');
    using peer = new UdpSocket({ ip: '127.0.0.1', port: 0 });
    const buffer = new IoBuffer(2048);
    buffer.bytes.write('seen by a recorder');
    peer.send(buffer, 0, 18, peer.localAddress());
    // The loopback interface hands a frame over while it is sent: no need to wait.
    let frame = '';
    for (let n = 0; n !== WOULD_BLOCK && !frame.includes('recorder');) {
      n = recorder.recv(buffer, 0, 2048);
      frame = buffer.bytes.toString('latin1', 0, Math.max(0, n));
    }
    expect(frame).to.contain('seen by a recorder');
    expect(frame.charCodeAt(12) * 256 + frame.charCodeAt(13), 'EtherType').to.equal(0x0800);
  });

  it('names an interface that is not there, and leaves no descriptor', () => {
    const before = openDescriptors().length;
    expect(() => new PacketSocket('nosuch0'))
      .to.throw(SystemError)
      .with.property('message')
      .that.contains('nosuch0');
    expect(openDescriptors().length).to.equal(before);
  });
});
