import { fileURLToPath } from 'node:url';

/** Path of a file of `packages/lab/samples`, without its extension. */
export function samplePath(name: string): string {
  return fileURLToPath(new URL(`../../samples/${name}.yaml`, import.meta.url));
}
