/**
 * A pod that takes all it can get: node storm.ts connections|handshakes|bytes IP PORT WIDTH. Says `ready` at once and goes on
 * until it is killed. `handshakes` shakes hands by TLS without a certificate of its own.
 */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [kind, host, port, width] = process.argv.slice(2) as [string, string, string, string];
const CHUNK = Buffer.alloc(256 * 1024);
const target = { host, port: Number(port) };

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
  socket.on('data', () => socket.destroy()).on('error', () => undefined);
  socket.on('close', next);
}

function shakeHandsOnce(): void {
  const next = again(shakeHandsOnce);
  const socket = connectTls({ ...target, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () =>
    socket.destroy(),
  );
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
  socket.on('data', () => undefined).on('error', () => undefined);
  socket.on('close', next);
}

const start = { connections: connectOnce, handshakes: shakeHandsOnce, bytes: pump }[kind];
if (start === undefined) throw new Error(`no storm of ${kind}`);
for (let i = 0; i < Number(width); i++) start();
console.log('ready');
