/**
 * Something to watch: keeps `--calls` connections to the echo server at `--host --port`. Each lives for some seconds,
 * sends now little and now more, and is followed by another. One that is refused is tried again a while later.
 */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { host: text, port: text, calls: text } });

const SHORTEST_MS = 4000;
const LONGEST_MS = 25_000;
const RETRY_MS = 3000;
const largest = Buffer.alloc(64 * 1024, 'catalog page ');

const between = (low: number, high: number): number => low + Math.random() * (high - low);

function call(): void {
  const socket = connect({ host: values.host, port: Number(values.port) });
  const busy = Math.random() < 0.4;
  const intervalMs = busy ? between(40, 150) : between(400, 1500);
  const talk = setInterval(() => {
    // What the far side has not taken yet is not added to.
    if (socket.writableLength === 0)
      socket.write(largest.subarray(0, Math.ceil(between(20, busy ? largest.length : 900))));
  }, intervalMs);
  const end = setTimeout(() => socket.end(), between(SHORTEST_MS, LONGEST_MS));
  let answered = false;
  socket.on('data', () => (answered = true));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(talk);
    clearTimeout(end);
    setTimeout(call, answered ? between(200, 2000) : RETRY_MS);
  });
}

for (let index = 0; index < Number(values.calls); index += 1) setTimeout(call, index * 150);
