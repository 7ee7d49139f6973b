#!/usr/bin/env node
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { LabApi } from './api/lab-api.ts';
import { parseLabCommandLine } from './command-line.ts';
import type { LabProgramOptions } from './command-line.ts';
import { endSignal, runProgram } from './program.ts';

async function run(options: LabProgramOptions): Promise<void> {
  const { crdFolder, dataDir } = options;
  const api = await LabApi.start({
    host: options.host,
    port: options.port,
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(crdFolder === undefined ? {} : { crdFiles: yamlFiles(crdFolder) }),
    onFault: (error) =>
      process.stderr.write(`lab-api: ${error instanceof Error ? error.stack : String(error)}\n`),
  });
  writeFileSync(options.kubeconfig, api.kubeconfig, { mode: 0o600 });
  process.stdout.write(`serving ${api.url}; kubeconfig in ${options.kubeconfig}\n`);
  await endSignal();
  await api.stop();
}

function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

await runProgram('lab-api', parseLabCommandLine(process.argv.slice(2)), run);
