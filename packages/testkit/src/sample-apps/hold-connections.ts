/**
 * Opens `--count` TCP connections to an echo server, `--at-once` of them at a time (default 64), proves each by one byte
 * there and back, prints `held N`, and holds them idle until it is ended. Any that fails ends the program with code 1.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { programOptions } from './program.ts';

const options = programOptions(['host', 'port', 'count', 'at-once']);
const count = options.number('count');
const host = options.text('host');
const port = options.number('port');
const held: Socket[] = [];

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('connect', () => socket.write('.'));
    socket.once('data', () => {
      held.push(socket);
      resolve();
    });
    socket.once('close', () => reject(new Error('closed by the far side')));
    socket.on('error', reject);
  });
}

async function lane(): Promise<void> {
  while (opened < count) {
    opened += 1;
    await open();
  }
}

let opened = 0;
let failure: Error | undefined;
await Promise.all(Array.from({ length: Math.min(count, options.number('at-once', 64)) }, lane)).catch(
  (error: Error) => {
    failure = error;
  },
);
if (failure !== undefined) {
  process.stderr.write(`after ${held.length} of ${count}: ${failure.message}\n`);
  process.exit(1);
}
process.stdout.write(`held ${held.length}\n`);
