import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Files of tests that run kubectl, which not every distribution has as a package. */
export const kubectlTests = [
  'packages/lab/src/api/kubectl.test.ts',
  'packages/lab/src/node/streaming/kubectl.test.ts',
  'test/lab/controllers.test.ts',
] as const;

function hasKubectl(path: string): boolean {
  return path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, 'kubectl')));
}

/** Options of mocha that leave these tests out where kubectl is not on the PATH. */
export function withoutKubectl(path: string): readonly string[] {
  return hasKubectl(path) ? [] : kubectlTests.flatMap((file) => ['--ignore', file]);
}

/** What the end of the run says of it, so that nobody takes them for passed; undefined if nothing was left out. */
export function toldOfKubectl(path: string): string | undefined {
  if (hasKubectl(path)) return undefined;
  return `not run, for want of kubectl on the PATH (Debian: apt-get install kubernetes-client):\n${kubectlTests
    .map((file) => `  ${file}`)
    .join('\n')}`;
}
