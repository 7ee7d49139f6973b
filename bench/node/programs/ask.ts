/**
 * A pod that asks at an even pace, over one kept connection to an echo server: node ask.ts IP PORT PER_SECOND SECONDS. Prints
 * how long each answer took, in milliseconds, as a JSON array. An answer that is late delays no question: what waits is part
 * of its time.
 */
import { connect } from 'node:net';

const [host, port, perSecond, seconds] = process.argv.slice(2) as [string, string, string, string];
const QUESTION = Buffer.alloc(64, 'q');
const WARM_UP = 50;
const gapMs = 1000 / Number(perSecond);
const asked = Number(perSecond) * Number(seconds) + WARM_UP;
const due: number[] = [];
const times: number[] = [];
let received = 0;

const socket = connect({ host, port: Number(port), noDelay: true }, () => {
  const startMs = performance.now();
  let sent = 0;
  const send = (): void => {
    const nowMs = performance.now();
    while (sent < asked && startMs + sent * gapMs <= nowMs) {
      due.push(nowMs);
      socket.write(QUESTION);
      sent++;
    }
    if (sent < asked) setTimeout(send, Math.max(0, startMs + sent * gapMs - performance.now()));
  };
  send();
});
socket.on('data', (chunk) => {
  received += chunk.length;
  while (received >= (times.length + 1) * QUESTION.length) times.push(performance.now() - due[times.length]!);
  if (times.length === asked) {
    console.log(JSON.stringify(times.slice(WARM_UP)));
    socket.destroy();
  }
});
socket.on('close', () => process.exit(times.length === asked ? 0 : 1));
socket.on('error', (error) => console.error(error.message));
