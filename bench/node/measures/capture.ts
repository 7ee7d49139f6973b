import type { NodeEffort } from '../options.ts';
import { BenchNode } from '../rig/bench-node.ts';
import type { MeasureContext } from '../samples.ts';

/** From the label on the namespace until the last of its running pods says that it is captured. */
export async function measureCapture(context: MeasureContext<NodeEffort>): Promise<void> {
  const { effort, directory, add, progress } = context;
  await using node = await BenchNode.start(directory, effort.runningPods);
  for (let round = 1; round <= effort.rounds; round++) {
    progress(`capture: round ${round} of ${effort.rounds}`);
    add('captureAll', await node.capture());
    add('releaseAll', await node.release());
  }
}
