import { fileURLToPath } from 'node:url';

/** The programs of this folder; each file's head says its options. */
export type SampleApp =
  | 'echo'
  | 'http-constant'
  | 'transfer-server'
  | 'transfer-client'
  | 'slow-reader'
  | 'exchange-client'
  | 'http-get'
  | 'http-load'
  | 'hold-connections';

/** Command line of a sample program, for `Netns.spawn` and `Netns.run`. */
export function sampleApp(
  app: SampleApp,
  options: Readonly<Record<string, string | number | boolean>>,
): string[] {
  const file = fileURLToPath(new URL(`${app}.ts`, import.meta.url));
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [process.execPath, '--disable-warning=ExperimentalWarning', file, ...args];
}
