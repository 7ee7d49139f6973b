/**
 * Reaches the admin port of the proxy in this network namespace from outside of it: a Unix socket at `--socket`, whose
 * path knows no network namespaces, is joined to 127.0.0.1 port `--port`. Prints `ready`.
 */
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { parseArgs } from 'node:util';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { socket: text, port: text } });
// A peer that goes away early ends its own call and nothing else.
const ignore = (): void => undefined;

const server = createServer((outside) => {
  const inside = connect({ host: '127.0.0.1', port: Number(values.port) });
  pipeline(outside, inside, ignore);
  pipeline(inside, outside, ignore);
});
server.listen(values.socket, () => process.stdout.write('ready\n'));
