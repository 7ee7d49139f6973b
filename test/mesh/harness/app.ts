/**
 * The application of the pods of these tests, which knows of no mesh. HTTP on port 8080 answers with the name of the pod and
 * the address of who asks; port 9000 echoes. Prints `ready` when both are open. SIGTERM ends it at once.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { hostname } from 'node:os';

const backlog = 1024;
const http = createHttpServer((request, response) => {
  response.end(JSON.stringify({ pod: hostname(), from: request.socket.remoteAddress }));
});
http.keepAliveTimeout = 60_000;
const echo = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
process.on('SIGTERM', () => process.exit(0));
await Promise.all([listen(http, 8080), listen(echo, 9000)]);
process.stdout.write('ready\n');

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '::', port, backlog }, resolve);
  });
}
