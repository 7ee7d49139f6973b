/** The CNI plugin `lab-bridge`, as a container runtime starts it once per command in the network namespace of a node. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { processEnvironment } from '@ambient/runtime/environment';

import { CniError, cniCodes } from './errors.ts';
import { runPlugin } from './plugin.ts';

/** A tool that does not come to an end is killed after this. */
const deadlineMs = 10_000;

function run([program, ...args]: readonly [string, ...string[]], input = ''): string {
  const { status, stdout, stderr, error, signal } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
  });
  if (status === 0) return stdout;
  const how = error?.message ?? (status === null ? `ended by ${signal}` : `gave ${status}`);
  throw new CniError(
    cniCodes.toolFailed,
    `${program} ${args.join(' ')}: ${how}: ${stderr?.trim() ?? ''}`,
    'see whether the pod and its namespace still exist, and whether iproute2 and util-linux are installed',
    { cause: error },
  );
}

const environment = processEnvironment();
const { output, exitCode } = runPlugin({
  variable: (name) => environment.get(name),
  readInput: () => readFileSync(0, 'utf8'),
  run,
});
if (output !== '') process.stdout.write(`${output}\n`);
process.exitCode = exitCode;
