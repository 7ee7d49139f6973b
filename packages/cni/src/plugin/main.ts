/** The CNI plugin `istio-cni`, as a container runtime starts it once per command. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { processEnvironment } from '@ambient/runtime/environment';
import { runPlugin } from './plugin.ts';
import { writeOutput } from './standard-output.ts';

async function main(): Promise<void> {
  const environment = processEnvironment();
  const { output, exitCode } = await runPlugin({
    variable: (name) => environment.get(name),
    readInput: () => readFileSync(0, 'utf8'),
    sleep: (ms) => sleep(ms),
  });
  process.exitCode = exitCode;
  // Nothing that is still open is worth waiting for.
  if (output === '' || writeOutput(`${output}\n`)) process.exit();
}

void main();
