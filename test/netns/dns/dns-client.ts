/** Asks questions, one after the other, and prints what became of them as JSON. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import * as dnsPacket from 'dns-packet';

/** One question, as the test gives it. */
export interface Question {
  readonly server: string;
  readonly protocol: 'udp' | 'tcp';
  readonly name: string;
  readonly type: string;
}

/** What became of it. */
export interface Reply {
  readonly rcode?: string;
  /** `NAME TYPE DATA`. */
  readonly records?: readonly string[];
  readonly ttl?: number;
  readonly truncated?: boolean;
  readonly error?: string;
}

const PORT = 53;
const DEADLINE_MS = 6000;

function ask({ server, protocol, name, type }: Question): Promise<Reply> {
  const message = dnsPacket.encode({
    type: 'query',
    id: Math.floor(Math.random() * 0x10000),
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type: type as dnsPacket.RecordType }],
  });
  const { promise, resolve } = Promise.withResolvers<Reply>();
  AbortSignal.timeout(DEADLINE_MS).addEventListener('abort', () => resolve({ error: 'no answer' }));
  const read = (answer: Buffer): void => {
    const packet = dnsPacket.decode(answer);
    const answers = packet.answers ?? [];
    resolve({
      rcode: (packet as unknown as { rcode: string }).rcode,
      records: answers.map(
        (each) => `${each.name} ${each.type} ${'data' in each ? JSON.stringify(each.data) : ''}`,
      ),
      ttl: Math.max(0, ...answers.map((each) => ('ttl' in each ? (each.ttl ?? 0) : 0))),
      truncated: packet.flag_tc,
    });
  };
  if (protocol === 'udp') {
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    socket.once('message', (answer, from) => {
      socket.close();
      if (from.address === server && from.port === PORT) read(answer);
      else resolve({ error: `an answer from ${from.address}` });
    });
    socket.send(message, PORT, server);
  } else {
    const socket = connect(PORT, server, () =>
      socket.write(dnsPacket.streamEncode({ ...dnsPacket.decode(message) })),
    );
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      socket.destroy();
      read(bytes.subarray(2));
    });
    socket.on('error', (error) => resolve({ error: error.message }));
  }
  return promise;
}

const replies: Reply[] = [];
for (const question of JSON.parse(process.argv[2]!) as Question[]) replies.push(await ask(question));
console.log(JSON.stringify(replies));
process.exit(0);
