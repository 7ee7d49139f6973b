/**
 * A client that stays: connects to an echo server at `--host --port`, says a word every 50 ms, prints `open` at the first
 * answer, and `cut REASON` when the connection ends, which it never does by itself. One that ends unanswered is tried
 * again.
 */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const INTERVAL_MS = 50;
const RETRY_MS = 10;

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { host: text, port: text } });

function call(): void {
  let answered = false;
  let reason = 'end of stream';
  const socket = connect({ host: values.host, port: Number(values.port), noDelay: true });
  const say = (): unknown => socket.write('still there?\n');
  const talk = setInterval(say, INTERVAL_MS);
  say();
  socket.on('data', () => {
    if (!answered) process.stdout.write('open\n');
    answered = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
  socket.on('close', () => {
    clearInterval(talk);
    if (answered) process.stdout.write(`cut ${reason}\n`);
    else setTimeout(call, RETRY_MS);
  });
}

call();
