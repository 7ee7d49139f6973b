import { fileURLToPath } from 'node:url';

/** The programs of this folder; each file's head says its options. */
export type TourApp = 'admin-door' | 'background-traffic' | 'open-call' | 'record-link' | 'send-datagram';

/** Command line of a program of the tour, for `Netns.spawn` and `Netns.run`. */
export function appCommand(app: TourApp, options: Readonly<Record<string, string | number>>): string[] {
  const file = fileURLToPath(new URL(`${app}.ts`, import.meta.url));
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [process.execPath, '--disable-warning=ExperimentalWarning', file, ...args];
}
