import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from '../../control-plane/rig/program.ts';
import type { NodeEffort } from '../options.ts';
import { BenchNode } from '../rig/bench-node.ts';
import type { MeasureContext } from '../samples.ts';

const MEGABYTE = 1_000_000;
/** Until what their arrival has left behind is collected, and connections to the API server are quiet. */
const SETTLE_MS = 8000;

/** As many pods as a node has at most: how long they take, and what they cost while nothing happens. */
export async function measureScale(context: MeasureContext<NodeEffort>): Promise<void> {
  const { effort, directory, add, progress } = context;
  await using node = await BenchNode.start(directory, effort.manyPods);
  const { ztunnel, agent } = node;
  const memory = (program: Program): number => program.usage().anonymousBytes;
  progress(`scale: ${effort.manyPods} pods`);
  add('addMany', await node.capture());
  await sleep(SETTLE_MS);
  add('ztunnelMemory', memory(ztunnel) / MEGABYTE);
  add('agentMemory', memory(agent) / MEGABYTE);
  const used = [ztunnel, agent].map((program) => program.usage().cpuSeconds);
  await sleep(effort.idleSeconds * 1000);
  for (const [index, key] of ['ztunnelIdle', 'agentIdle'].entries()) {
    const { cpuSeconds } = [ztunnel, agent][index]!.usage();
    add(key, ((cpuSeconds - used[index]!) / effort.idleSeconds) * 100);
  }
}
