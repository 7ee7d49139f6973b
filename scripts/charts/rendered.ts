import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '../../charts');

/** In the order in which they are installed. */
export const charts = ['base', 'control-plane', 'cni', 'ztunnel'] as const;

export function chartPath(chart: string): string {
  return join(root, chart);
}

export function renderedPath(chart: string): string {
  return join(root, 'rendered', `${chart}.yaml`);
}

/** Of all that the chart's rendering with default values depends on; its kinds are not part of that. */
export function chartDigest(chart: string): string {
  const hash = createHash('sha256');
  const files = globSync(['Chart.yaml', 'values.yaml', 'templates/**/*.*'], {
    cwd: chartPath(chart),
  }).toSorted();
  for (const file of files)
    hash
      .update(`${relative('.', file)}\n`)
      .update(readFileSync(join(chartPath(chart), file)))
      .update('\n');
  return hash.digest('hex').slice(0, 32);
}

export function digestLine(digest: string): string {
  return `# Made from the chart by \`npm run generate:charts\`; do not edit. Digest of the chart: ${digest}`;
}
