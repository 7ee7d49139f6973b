import { PassThrough } from 'node:stream';

import { ManualClock, settingsFrom } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import type { CliContext } from '../context.ts';
import { runAmbientctl } from '../program.ts';
import { cliSettings } from '../settings.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface TestWorld {
  readonly files?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string>>;
  readonly labProgram?: string;
  readonly interrupted?: AbortSignal;
  readonly onErr?: (text: string) => void;
}

/** Runs one command line in a world of its own, without a terminal. */
export async function run(words: readonly string[], world: TestWorld = {}): Promise<Ran> {
  let out = '';
  let err = '';
  let code = 0;
  const context: CliContext = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
      world.onErr?.(text);
    },
    terminal: undefined,
    clock: world.clock ?? new ManualClock(),
    settings: cliSettings.load(settingsFrom(world.environment ?? {})),
    interrupted: world.interrupted ?? new AbortController().signal,
    readFile: (path) => {
      const text = world.files?.[path];
      return text === undefined ? Promise.reject(new Error('no such file')) : Promise.resolve(text);
    },
    stdin: new PassThrough(),
    ...(world.labProgram === undefined ? {} : { labProgram: world.labProgram }),
    setExitCode: (value) => {
      code = value;
    },
  };
  const exit = await runAmbientctl(words, context);
  return { code: exit === 0 ? code : exit, out, err };
}
