/** A name server that says 192.0.2.1 to everything, as fast as it can. Listens at 127.0.0.53:53. */
import { IoBuffer, Reactor, UdpSocket } from '@ambient/linux';

const ANSWER = Buffer.from('c00c000100010000000500047f000001', 'hex');

const reactor = new Reactor((error) => {
  throw error as Error;
});
const socket = new UdpSocket({ ip: '127.0.0.53', port: 53 });
const memory = new IoBuffer(4096);
reactor.registerReadable(socket.fd, {
  onReadiness() {
    for (;;) {
      const length = socket.recv(memory, 0, 2048);
      if (length < 0) return;
      memory.bytes.writeUInt16BE(0x8180, 2);
      memory.bytes.writeUInt16BE(1, 6);
      ANSWER.copy(memory.bytes, length);
      socket.send(memory, 0, length + ANSWER.length, socket.sender!);
    }
  },
  onFault(error) {
    throw error as Error;
  },
});
console.log('ready');
reactor.run();
