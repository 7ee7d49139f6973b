/**
 * The far end of `transfer-client`. `--port`. A connection opens with a line `UP DOWN`: the bytes that will come and the
 * bytes wanted. Both flow at once as the pattern; then the verdict on what came is sent as a JSON line.
 */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { programOptions, report, serve } from './program.ts';
import { PatternCheck } from './pattern.ts';
import { sendPattern } from './send-pattern.ts';

const options = programOptions(['port']);

serve(
  createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', (error) => {
      report({ error: error.message });
      socket.destroy();
    });
    let head = Buffer.alloc(0);
    const onHead = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\n');
      if (end === -1) return;
      socket.off('data', onHead);
      const [up, down] = head.toString('latin1', 0, end).split(' ').map(Number) as [number, number];
      void exchange(socket, head.subarray(end + 1), up, down);
    };
    socket.on('data', onHead);
  }),
  options.number('port'),
);

async function exchange(socket: Socket, rest: Buffer, up: number, down: number): Promise<void> {
  const check = new PatternCheck();
  const complete = new Promise<void>((resolve) => {
    const accept = (chunk: Buffer): void => {
      check.accept(chunk);
      if (check.received >= up) resolve();
    };
    accept(rest);
    socket.on('data', accept);
    socket.on('end', resolve);
  });
  await Promise.all([sendPattern(socket, down), complete]);
  const verdict = { received: check.received, mismatchAt: check.mismatchAt ?? null };
  report(verdict);
  socket.end(`${JSON.stringify(verdict)}\n`);
}
