/**
 * Accepts and reads `--rate` bytes a second (0: never reads, never closes: a stalled peer). `--port`. Prints the total of
 * a connection when it ends.
 */
import { createServer } from 'node:net';
import { programOptions, report, serve } from './program.ts';

const options = programOptions(['port', 'rate']);
const rate = options.number('rate', 0);
const TICK_MS = 20;

serve(
  createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    let total = 0;
    const quota = Math.max(1, Math.round((rate * TICK_MS) / 1000));
    const timer =
      rate === 0
        ? undefined
        : setInterval(() => {
            // read() of a paused socket takes what there is up to the quota and leaves the rest in the kernel.
            const chunk = (socket.read(quota) ?? socket.read()) as Buffer | null;
            total += chunk?.length ?? 0;
          }, TICK_MS);
    if (rate > 0) {
      socket.on('readable', () => undefined); // without a listener nothing is read at all
      socket.on('end', () => socket.end());
    }
    socket.on('error', (error) => report({ error: error.message }));
    socket.on('close', () => {
      clearInterval(timer);
      report({ received: total });
    });
  }),
  options.number('port'),
);
