import type { Report } from './report.ts';
import type { Scene } from './scene.ts';

/** Prints command lines for another terminal that call kubectl with the arguments given. */
export function showWayIn(report: Report, { cluster }: Scene, calls: readonly string[]): void {
  const prompt = report.style.dim('$');
  report.block([
    `${prompt} export KUBECONFIG=${cluster.kubeconfigPath}`,
    ...calls.map((call) => `${prompt} kubectl ${call}`),
  ]);
}
