import { setTimeout as sleep } from 'node:timers/promises';
import { NftablesSocket } from '@ambient/linux';
import { processorTime } from '@ambient/testkit/lab';
import type { NodeEffort } from '../options.ts';
import { BenchNode } from '../rig/bench-node.ts';
import { callPlugin } from '../rig/call-plugin.ts';
import type { CheapPod } from '../rig/pod-namespaces.ts';
import { heldBy } from '../rig/held.ts';
import { BURST } from '../rows.ts';
import { ascending, quantile } from '../samples.ts';
import type { MeasureContext } from '../samples.ts';

const MEGABYTE = 1_000_000;
/** Until what their arrival has left behind is collected, and connections to the API server are quiet. */
const SETTLE_MS = 8000;
/** A machine that is too busy for an answer within the plugin's 5 s. */
const MAX_REFUSALS = 5;
/** Of the pods that are exchanged for others. */
const EXCHANGED_PART = 0.1;

/** As many pods as a node has at most: how long they take, what they cost while nothing happens, and what changes take beside them. */
export async function measureScale(context: MeasureContext<NodeEffort>): Promise<void> {
  const { effort, directory, add, progress } = context;
  await using node = await BenchNode.start(directory, effort.manyPods);
  const pods = effort.manyPods;
  progress(`scale: label on ${pods} pods`);
  const before = [processorTime(node.agent.pid), processorTime(node.ztunnel.pid)] as const;
  add('addMany', await node.capture());
  await node.proven(pods);
  const after = [processorTime(node.agent.pid), processorTime(node.ztunnel.pid)] as const;
  add('captureAgentCpu', ((after[0].own - before[0].own) / pods) * 1000);
  add('captureToolsCpu', ((after[0].children - before[0].children) / pods) * 1000);
  add('captureZtunnelCpu', ((after[1].own - before[1].own) / pods) * 1000);

  progress(`scale: ${pods} pods at rest`);
  await sleep(SETTLE_MS);
  await rest(context, node);

  progress('scale: another agent');
  const generations = node.pods.map(generationOf);
  add('agentAgain', await node.replaceAgent(pods));
  add('agentAgainCpu', processorTime(node.agent.pid).own);
  add('touched', node.pods.filter((pod, index) => generationOf(pod) !== generations[index]).length);

  progress('scale: another ztunnel');
  add('ztunnelAgain', await node.replaceZtunnel());
  add('ztunnelAgainCpu', processorTime(node.ztunnel.pid).own);

  progress('scale: pods end, and others start');
  const exchangedMs = performance.now();
  await node.exchange(Math.ceil(pods * EXCHANGED_PART));
  await node.proven(pods);
  add('exchange', (performance.now() - exchangedMs) / 1000);

  progress(`scale: ${BURST} pods start at once`);
  const starting: CheapPod[] = [];
  for (let index = 0; index < BURST; index++) starting.push(await node.startingPod(`burst-${index}`));
  const starts = await Promise.all(starting.map((pod) => startPod(node, pod)));
  const tookMs = ascending(starts.map((start) => start.tookMs));
  add('burstP50', quantile(tookMs, 0.5));
  add('burstMax', quantile(tookMs, 1));
  add(
    'burstAgain',
    starts.reduce((sum, { refusals }) => sum + refusals, 0),
  );
  await Promise.all(starting.map((pod) => node.run(pod)));

  progress('scale: label off, and on again while a pod starts');
  add('releaseMany', await node.release());
  const meanwhile = await node.startingPod('meanwhile');
  const start = async (): Promise<void> => {
    add('addMeanwhile', (await startPod(node, meanwhile)).tookMs);
    await node.run(meanwhile);
  };
  await Promise.all([node.capture(), start()]);
}

/** What both hold and use while nothing happens. */
async function rest(
  { effort, add }: MeasureContext<NodeEffort>,
  { agent, ztunnel }: BenchNode,
): Promise<void> {
  for (const [name, { pid }] of Object.entries({ agent, ztunnel })) {
    const { descriptors, sockets, threads, memoryBytes } = heldBy(pid);
    add(`${name}Memory`, memoryBytes / MEGABYTE);
    add(`${name}Descriptors`, descriptors);
    add(`${name}Sockets`, sockets);
    add(`${name}Threads`, threads);
  }
  const usedBefore = [agent, ztunnel].map(({ pid }) => processorTime(pid).own);
  await sleep(effort.idleSeconds * 1000);
  for (const [index, key] of ['agentIdle', 'ztunnelIdle'].entries()) {
    const { own } = processorTime([agent, ztunnel][index]!.pid);
    add(key, ((own - usedBefore[index]!) / effort.idleSeconds) * 100);
  }
}

/** Changes with each change of a pod's rules. */
function generationOf({ namespace }: CheapPod): number | undefined {
  using socket = namespace.enter(() => new NftablesSocket());
  return socket.generation();
}

/** Calls the plugin as a kubelet does: again until the pod may start. */
async function startPod(node: BenchNode, pod: CheapPod): Promise<{ tookMs: number; refusals: number }> {
  const startedMs = performance.now();
  for (let refusals = 0; ; refusals++)
    try {
      await callPlugin(node, pod, 'ADD');
      return { tookMs: performance.now() - startedMs, refusals };
    } catch (error) {
      if (refusals === MAX_REFUSALS) throw error;
    }
}
