/**
 * Runs h2spec and, where they are at hand, nghttp and h2load against the HTTP/2 codec. Not part of `npm test`: h2spec comes
 * with Go (`go install github.com/summerwind/h2spec/cmd/h2spec@latest`), the others with the package nghttp2-client.
 *
 * Usage: node test/interop/h2spec/run.ts [options of h2spec]. The exit code is 1 if anything failed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PATH = `${process.env['PATH'] ?? ''}:${join(homedir(), 'go', 'bin')}`;

/** @returns its exit code, undefined if there is no such program */
function run(program: string, args: readonly string[]): number | undefined {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, PATH } });
  if (error === undefined) return status ?? 1;
  console.log(`${program} is not installed`);
  return undefined;
}

const server = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
const port = line.split(' ')[1]!;
const url = `http://127.0.0.1:${port}/`;
const results = [
  run('h2spec', ['--host', '127.0.0.1', '--port', port, ...process.argv.slice(2)]) ?? 1,
  run('nghttp', ['--null-out', '--stat', url]) ?? 0,
  run('h2load', ['--requests=20000', '--clients=10', '--max-concurrent-streams=50', url]) ?? 0,
];
server.kill();
process.exitCode = results.some((code) => code !== 0) ? 1 : 0;
