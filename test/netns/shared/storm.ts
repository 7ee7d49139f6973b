/**
 * A pod that takes all it can get: node storm.ts connections|handshakes|bytes IP PORT WIDTH. Says `under way` when it has
 * got something and goes on until it is told to end; then it says how much it has got: `COUNT in SECONDS s`, connections that were answered, handshakes,
 * or megabytes that came back. `handshakes` shakes hands by TLS without a certificate of its own.
 */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [kind, host, port, width] = process.argv.slice(2) as [string, string, string, string];
const CHUNK = Buffer.alloc(256 * 1024);
const startMs = performance.now();
let done = 0;
const target = { host, port: Number(port) };

function got(amount: number): void {
  if (done === 0) console.log('under way');
  done += amount;
}

function again(start: () => void): () => void {
  let over = false;
  return () => {
    if (over) return;
    over = true;
    setImmediate(start);
  };
}

function connectOnce(): void {
  const next = again(connectOnce);
  const socket = connect(target, () => socket.write('x'));
  socket
    .on('data', () => {
      got(1);
      socket.destroy();
    })
    .on('error', () => undefined);
  socket.on('close', next);
}

function shakeHandsOnce(): void {
  const next = again(shakeHandsOnce);
  const socket = connectTls({ ...target, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
    got(1);
    socket.destroy();
  });
  socket.on('error', () => undefined).on('close', next);
}

function pump(): void {
  const next = again(pump);
  const socket = connect(target, () => {
    const more = (): void => {
      while (socket.writable && socket.write(CHUNK));
    };
    socket.on('drain', more);
    more();
  });
  socket
    .on('data', (chunk) => {
      got(chunk.length / 1e6);
    })
    .on('error', () => undefined);
  socket.on('close', next);
}

const start = { connections: connectOnce, handshakes: shakeHandsOnce, bytes: pump }[kind];
if (start === undefined) throw new Error(`no storm of ${kind}`);
for (let i = 0; i < Number(width); i++) start();
process.on('SIGTERM', () => {
  console.log(`${Math.round(done)} in ${(performance.now() - startMs) / 1000} s`);
  process.exit();
});
