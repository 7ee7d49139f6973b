/**
 * One TCP exchange, told as one JSON line. `--host --port`, `--send TEXT` (default empty), `--half-close true|false`
 * (default true: close our half after sending), `--timeout-ms` (default 5000), `--until BYTES` (end after that many).
 * The result's `end` is `eof`, `reset`, `refused`, `timeout`, `enough` or an errno name.
 */
import { connect } from 'node:net';
import { programOptions, report } from './program.ts';

const options = programOptions(['host', 'port', 'send', 'half-close', 'timeout-ms', 'until']);
const until = options.number('until', 0);
const started = performance.now();
const chunks: Buffer[] = [];
let received = 0;
let connected = false;

const socket = connect({
  host: options.text('host'),
  port: options.number('port'),
  allowHalfOpen: true,
  noDelay: true,
});
const deadline = setTimeout(() => finish('timeout'), options.number('timeout-ms', 5000));

socket.on('connect', () => {
  connected = true;
  socket.write(options.text('send', ''));
  if (options.text('half-close', 'true') === 'true') socket.end();
});
socket.on('data', (chunk: Buffer) => {
  received += chunk.length;
  if (received <= 65_536) chunks.push(chunk);
  if (until > 0 && received >= until) finish('enough');
});
socket.on('end', () => finish('eof'));
socket.on('error', (error: NodeJS.ErrnoException) => {
  const names: Readonly<Record<string, string>> = { ECONNRESET: 'reset', ECONNREFUSED: 'refused' };
  finish(names[error.code ?? ''] ?? error.code ?? 'error');
});

let finished = false;
function finish(end: string): void {
  if (finished) return;
  finished = true;
  clearTimeout(deadline);
  report({
    end,
    connected,
    received,
    text: Buffer.concat(chunks).toString('utf8'),
    ms: Math.round(performance.now() - started),
  });
  socket.destroy();
}
