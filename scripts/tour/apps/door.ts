/**
 * Reaches a port in this network namespace from outside of it: a Unix socket at `--socket`, whose path knows no network
 * namespaces, is joined to `--host` (127.0.0.1) port `--port`. Prints `ready`.
 */
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { joinTo } from './join.ts';

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({
  options: { socket: text, host: { type: 'string', default: '127.0.0.1' }, port: text },
});

const server = createServer(joinTo({ host: values.host, port: Number(values.port) }));
server.listen(values.socket, () => process.stdout.write('ready\n'));
