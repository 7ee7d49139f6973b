/**
 * Renders the charts with their default values into `charts/rendered`, for who has no Helm: the laboratory, and readers.
 *
 * `node scripts/charts/render.ts` needs Helm 3 on the PATH, or in the variable HELM. Each file starts with a digest of the
 * chart that it was made from, so that a test without Helm sees when it is stale.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { charts, chartDigest, digestLine, renderedPath, chartPath } from './rendered.ts';

/** Rendered for this version of Kubernetes, which decides nothing in our charts but whether Helm takes them. */
const KUBE_VERSION = '1.36.0';
const NAMESPACE = 'istio-system';

function render(chart: string, helm: string): string {
  const args = [
    'template',
    chart,
    chartPath(chart),
    '--namespace',
    NAMESPACE,
    '--kube-version',
    KUBE_VERSION,
  ];
  const { status, stdout, stderr, error } = spawnSync(helm, args, { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`cannot run ${helm}: ${error.message}. Install Helm 3, or name it in the variable HELM.`);
  if (status !== 0) throw new Error(`${helm} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const helm = process.env['HELM'] ?? 'helm';
for (const chart of charts) {
  const manifest = render(chart, helm).replace(/^---\n/, '');
  writeFileSync(renderedPath(chart), `${digestLine(chartDigest(chart))}\n---\n${manifest}`);
  console.log(renderedPath(chart));
}
