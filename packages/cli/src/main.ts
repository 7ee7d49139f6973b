#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import { processEnvironment, realClock } from '@ambient/runtime';

import type { CliContext } from './context.ts';
import { runAmbientctl } from './program.ts';
import { cliSettings } from './settings.ts';

const { stdin, stdout, stderr } = process;
const interrupted = new AbortController();
// The second one ends the process as usual.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
// Whoever reads the output may have seen enough, as head has.
stdout.on('error', () => process.exit(0));

const context: CliContext = {
  out: (chunk) => void stdout.write(chunk),
  err: (chunk) => void stderr.write(chunk),
  get terminal() {
    return stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows } : undefined;
  },
  clock: realClock,
  settings: cliSettings.load(processEnvironment()),
  interrupted: interrupted.signal,
  readFile: (path) => (path === '-' ? text(stdin) : readFile(path, 'utf8')),
  stdin,
  setRawMode: (on) => {
    if (stdin.isTTY) stdin.setRawMode(on);
  },
  setExitCode: (code) => {
    process.exitCode = code;
  },
};
const code = await runAmbientctl(process.argv.slice(2), context);
if (code !== 0) process.exitCode = code;
