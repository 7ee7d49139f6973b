/** Sends one UDP datagram: `--host --port --text`. */
import { createSocket } from 'node:dgram';
import { parseArgs } from 'node:util';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { host: text, port: text, text } });
const socket = createSocket('udp4');
socket.send(values.text, Number(values.port), values.host, () => socket.close());
