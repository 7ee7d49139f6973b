/**
 * HTTP server with one answer. `--port`, `--body` (default `ok`), or `--bytes` of filler instead. The headers `x-peer`
 * and `x-local` tell which addresses the application saw.
 */
import { createServer } from 'node:http';
import { programOptions, serve } from './program.ts';

const options = programOptions(['port', 'body', 'bytes']);
const bytes = options.number('bytes', 0);
const body = bytes > 0 ? Buffer.alloc(bytes, 'x') : Buffer.from(options.text('body', 'ok'));

serve(
  createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const { remoteAddress, localAddress } = request.socket;
    response.writeHead(200, {
      'content-type': 'text/plain',
      'content-length': body.length,
      'x-peer': remoteAddress ?? '',
      'x-local': localAddress ?? '',
    });
    response.end(body);
  }),
  options.number('port'),
);
