/** A name server that knows a few names of `up.example`, and says what it was asked. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import * as dnsPacket from 'dns-packet';

const PORT = 53;
const TTL_SECONDS = 3600;

const records: Readonly<Record<string, dnsPacket.Answer>> = {
  'up.example A': { type: 'A', name: 'up.example', ttl: TTL_SECONDS, data: '192.0.2.1' },
  'up.example AAAA': { type: 'AAAA', name: 'up.example', ttl: TTL_SECONDS, data: '2001:db8::1' },
  'up.example TXT': { type: 'TXT', name: 'up.example', ttl: TTL_SECONDS, data: ['hello'] },
  'up.example SRV': {
    type: 'SRV',
    name: 'up.example',
    ttl: TTL_SECONDS,
    data: { port: 5060, target: 'sip.up.example', priority: 1, weight: 2 },
  },
  'big.example TXT': {
    type: 'TXT',
    name: 'big.example',
    ttl: TTL_SECONDS,
    data: Array<string>(10).fill('x'.repeat(200)),
  },
};

function answerTo(message: Buffer, protocol: 'udp' | 'tcp', from: string): Buffer {
  const { id, questions } = dnsPacket.decode(message);
  const { name, type } = questions![0]!;
  console.log(`asked ${name} ${type} ${protocol} by ${from}`);
  const record = records[`${name.toLowerCase()} ${type}`];
  const code = record === undefined ? 3 : 0;
  const packet = { type: 'response', id, flags: 0x0180 | code, questions } as const;
  const answer = dnsPacket.encode({ ...packet, answers: record === undefined ? [] : [record] });
  if (protocol === 'tcp' || answer.length <= 512) return answer;
  return dnsPacket.encode({ ...packet, flags: packet.flags | dnsPacket.TRUNCATED_RESPONSE });
}

const udp = createSocket({ type: 'udp6' });
udp.on('message', (message, from) => {
  udp.send(answerTo(message, 'udp', from.address), from.port, from.address);
});
const tcp = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (bytes: Buffer) => {
    const answer = answerTo(bytes.subarray(2), 'tcp', socket.remoteAddress ?? '');
    socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]));
  });
});
udp.bind(PORT, '::', () => tcp.listen(PORT, '::', () => console.log('ready')));
