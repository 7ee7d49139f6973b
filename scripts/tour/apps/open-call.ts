/**
 * A client that stays: connects to an echo server at `--host --port`, says a word every 50 ms, prints `open` at the first
 * answer, and `cut REASON` when the connection ends, which it never does by itself.
 */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const INTERVAL_MS = 50;

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { host: text, port: text } });
let reason = 'end of stream';
const socket = connect({ host: values.host, port: Number(values.port), noDelay: true });
const talk = setInterval(() => socket.write('still there?\n'), INTERVAL_MS);
socket.once('data', () => process.stdout.write('open\n'));
socket.on('data', () => undefined);
socket.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
socket.on('close', () => {
  clearInterval(talk);
  process.stdout.write(`cut ${reason}\n`);
});
