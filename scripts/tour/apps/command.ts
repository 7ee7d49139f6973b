import { fileURLToPath } from 'node:url';

/** The programs of this folder; each file's head says its options. */
export type TourApp = 'background-traffic' | 'open-call' | 'record-link' | 'send-datagram';

/** Command line of a program of the tour, wherever it is run. */
export function appCommand(
  app: TourApp,
  options: Readonly<Record<string, string | number | readonly string[]>>,
): string[] {
  const file = fileURLToPath(new URL(`${app}.ts`, import.meta.url));
  const args = Object.entries(options).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => [`--${name}`, String(each)]),
  );
  return [process.execPath, '--disable-warning=ExperimentalWarning', file, ...args];
}
