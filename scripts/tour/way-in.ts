import type { Report } from './report.ts';
import type { Scene } from './scene.ts';

/** How another terminal gets to where the tour runs; both empty if it runs in the machine's own namespaces. */
export interface WayIn {
  /** Command line that enters the network namespace, to be followed by a command. */
  readonly enter: string;
  /** Where the tour's files are, seen from outside. */
  readonly root: string;
}

/** Prints command lines for another terminal that call kubectl with the arguments given. */
export function showWayIn(
  report: Report,
  { cluster }: Scene,
  { enter, root }: WayIn,
  calls: readonly string[],
): void {
  const prompt = report.style.dim('$');
  report.block([
    ...(enter === '' ? [] : [`${prompt} ${enter} sh`]),
    `${prompt} export KUBECONFIG=${root}${cluster.kubeconfig}`,
    ...calls.map((call) => `${prompt} kubectl ${call}`),
  ]);
}
