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

/** The same with what is off by default, of charts that have such values (`ci/everything-values.yaml`). */
export function renderedWithEverythingPath(chart: string): string {
  return join(root, 'rendered/everything', `${chart}.yaml`);
}

/** Values that turn on what is off by default. */
export function everythingPath(chart: string): string {
  return join(chartPath(chart), 'ci/everything-values.yaml');
}

/** Of all that the chart's renderings depend on; its kinds are not part of that. */
export function chartDigest(chart: string): string {
  const hash = createHash('sha256');
  const files = globSync(['Chart.yaml', 'values.yaml', 'ci/*.yaml', 'templates/**/*.*'], {
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
