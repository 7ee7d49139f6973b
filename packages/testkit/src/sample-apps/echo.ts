/**
 * TCP echo. `--port`; `--after-eof true` answers only when the client has closed its half, which proves half-close in
 * both directions.
 */
import { createServer } from 'node:net';
import { programOptions, serve } from './program.ts';

const options = programOptions(['port', 'after-eof']);
const afterEof = options.text('after-eof', 'false') === 'true';

serve(
  createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy()); // a reset by the client is its own affair
    if (!afterEof) {
      socket.pipe(socket);
      return;
    }
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end(Buffer.concat(chunks)));
  }),
  options.number('port'),
);
