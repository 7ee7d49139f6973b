/**
 * Renders the charts with their default values into `charts/rendered`, for who has no Helm: the laboratory, and readers; and with
 * all that is off by default into `charts/rendered/everything`, for tests.
 *
 * `node scripts/charts/render.ts` needs Helm 3 on the PATH, or in the variable HELM. Each file starts with a digest of the
 * chart that it was made from, so that a test without Helm sees when it is stale.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  charts,
  chartDigest,
  chartPath,
  digestLine,
  everythingPath,
  renderedPath,
  renderedWithEverythingPath,
} from './rendered.ts';

/** Rendered for this version of Kubernetes, which decides nothing in our charts but whether Helm takes them. */
const KUBE_VERSION = '1.36.0';
const NAMESPACE = 'istio-system';

function render(chart: string, helm: string, further: readonly string[] = []): string {
  const args = [
    'template',
    chart,
    chartPath(chart),
    '--namespace',
    NAMESPACE,
    '--kube-version',
    KUBE_VERSION,
    ...further,
  ];
  const { status, stdout, stderr, error } = spawnSync(helm, args, { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`cannot run ${helm}: ${error.message}. Install Helm 3, or name it in the variable HELM.`);
  if (status !== 0) throw new Error(`${helm} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function write(chart: string, path: string, rendered: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const manifest = rendered.replace(/^---\n/, '');
  writeFileSync(path, `${digestLine(chartDigest(chart))}\n---\n${manifest}`);
  console.log(path);
}

const helm = process.env['HELM'] ?? 'helm';
for (const chart of charts) {
  write(chart, renderedPath(chart), render(chart, helm));
  const everything = everythingPath(chart);
  if (existsSync(everything))
    write(chart, renderedWithEverythingPath(chart), render(chart, helm, ['--values', everything]));
}
