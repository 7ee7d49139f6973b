import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file of the project. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

const { version } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { version: string };

function variable(name: string, standard: string): string {
  const value = process.env[name];
  return value === undefined || value === '' ? standard : value;
}

/** What `npm run test:cluster` is told by its environment. */
export const environment = {
  kubectl: variable('KUBECTL', 'kubectl'),
  helm: variable('HELM', 'helm'),
  hub: variable('IMAGE_HUB', 'ambient'),
  tag: variable('IMAGE_TAG', version),
  pullPolicy: variable('IMAGE_PULL_POLICY', 'Never'),
} as const;

/** Reference of an image that `npm run build:images` makes. */
export function image(name: 'ztunnel' | 'install-cni' | 'control-plane' | 'samples'): string {
  return `${environment.hub}/${name}:${environment.tag}`;
}
