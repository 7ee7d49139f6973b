import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { CLIENT_PREFACE, listenInside, settingsFrame } from '@ambient/testkit/hostile-peer';
import type { Netns } from '@ambient/testkit/lab';
import { HBONE_PORT, useRig } from '../peers/rig.ts';

/** A record that claims to be a handshake, of the greatest length that the field can hold (RFC 8446, section 5.1). */
const ENDLESS_RECORD = Buffer.from([
  0x16,
  0x03,
  0x01,
  0xff,
  0xff,
  ...Array.from({ length: 2000 }, () => 0x41),
]);

describe('clients that do not speak TLS to the HBONE port', () => {
  const rig = useRig();

  const openings: readonly (readonly [name: string, bytes: Buffer, reason: RegExp])[] = [
    ['plaintext HTTP/2', Buffer.concat([CLIENT_PREFACE, settingsFrame()]), /^not-tls$/],
    ['plaintext HTTP/1.1', Buffer.from('CONNECT 10.77.0.2:7000 HTTP/1.1\r\nhost: x\r\n\r\n'), /^not-tls$/],
    ['another protocol', Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'), /^not-tls$/],
    ['zeros', Buffer.alloc(1000), /^not-tls$/],
    ['a record that is longer than any may be', ENDLESS_RECORD, /^(not-tls|protocol-error)$/],
    ['a handshake that is none', Buffer.from('16030100050200000141', 'hex'), /^(not-tls|protocol-error)$/],
    ['an alert', Buffer.from('15030100020228', 'hex'), /^(refused-by-peer|protocol-error|not-tls)$/],
  ];
  for (const [name, bytes, reason] of openings)
    it(`${name}: ended at once, and said`, async () => {
      await rig().unharmed(async () => {
        const peer = rig().attackTcp();
        peer.send(bytes);
        await peer.waitForEnd();
        // A TLS alert may come, and nothing else: no byte of the application, no HTTP.
        if (peer.bytes.length > 0) expect([peer.bytes[0], peer.bytes.length]).to.deep.equal([0x15, 7]);
        await rig().verdict(peer, { message: 'connection failed', direction: 'inbound', reason });
      });
    });
});

describe('HBONE servers that do not speak TLS', () => {
  const rig = useRig();
  let port = 3000;

  before(async () => {
    await rig().admitAttacker();
  });

  const answers: readonly (readonly [name: string, answer: (socket: Socket) => void, reason: RegExp])[] = [
    ['greets in another protocol', (socket) => void socket.write('220 mail.example ESMTP\r\n'), /^not-tls$/],
    ['answers in plaintext HTTP/1.1', answerOnce('HTTP/1.1 400 Bad Request\r\n\r\n'), /^not-tls$/],
    ['sends garbage', answerOnce(Buffer.alloc(5000, 0xa5)), /^(not-tls|protocol-error)$/],
    ['closes without an answer', (socket) => void socket.end(), /^connection-lost$/],
    [
      'resets',
      (socket) => void socket.once('data', () => socket.resetAndDestroy()),
      /^(connection-lost|ECONNRESET)$/,
    ],
  ];
  for (const [name, answer, reason] of answers)
    it(`one that ${name}: the caller is cut off, and nothing of what it said has gone out`, async () => {
      const received: Buffer[] = [];
      await using _server = listenAs(rig().attacker.netns, (socket) => {
        socket.on('data', (bytes: Buffer) => received.push(bytes));
        answer(socket);
      });
      const destination = `${rig().attacker.ipv4}:${++port}`;
      await rig().unharmed(async () => {
        const caller = rig().callFromClient(rig().attacker.ipv4, port);
        caller.send(Buffer.from('a secret'));
        await caller.waitForEnd();
        expect(caller.bytes).to.have.length(0);
        await rig().outboundVerdict(destination, { message: 'connection complete', reason });
      });
      expect(Buffer.concat(received).includes('a secret')).to.equal(false);
    });
});

/** Serves the HBONE port of a pod without TLS; disposed, it is gone with all its connections. */
function listenAs(netns: Netns, onConnection: (socket: Socket) => void): AsyncDisposable {
  const sockets = new Set<Socket>();
  const server = listenInside(netns, HBONE_PORT, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined); // the proxy may reset
    onConnection(socket);
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answerOnce(bytes: string | Buffer): (socket: Socket) => void {
  return (socket) => void socket.once('data', () => socket.write(bytes));
}
