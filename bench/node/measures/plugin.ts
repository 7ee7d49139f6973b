import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { processorTime } from '@ambient/testkit/lab';
import type { NodeEffort } from '../options.ts';
import { BenchNode } from '../rig/bench-node.ts';
import { callPlugin } from '../rig/call-plugin.ts';
import type { CheapPod } from '../rig/pod-namespaces.ts';
import { LOAD } from '../rows.ts';
import type { MeasureContext } from '../samples.ts';
import { ascending, quantile } from '../samples.ts';

/** Pods that are captured already when the first call comes. */
const RUNNING_PODS = 20;

/** The plugin's calls, one after the other, as a container runtime makes them: an executable of its own each time. */
export async function measurePlugin(context: MeasureContext<NodeEffort>): Promise<void> {
  const { effort, directory, add, progress } = context;
  await using node = await BenchNode.start(directory, RUNNING_PODS);
  await node.capture();
  progress('plugin: ADD');
  const pods: CheapPod[] = [];
  for (let index = 0; index < effort.pluginCalls; index++)
    pods.push(await node.startingPod(`starting-${index}`));
  const adds: number[] = [];
  for (const pod of pods) adds.push(await callPlugin(node, pod, 'ADD'));
  add('addP50', median(adds));
  add('addP99', quantile(ascending(adds), 0.99));

  progress('plugin: alone');
  await using agent = await startStandIn(node, join(directory, 'stand-in'));
  const own = (pod: CheapPod): Promise<number> => callPlugin(node, pod, 'ADD', agent.entry);
  const reading = { ...agent.entry, agent_decides: false };
  // In turns, so that a busy moment of the machine is not taken for a difference between them.
  const times = { own: [] as number[], bare: [] as number[], ask: [] as number[], reads: [] as number[] };
  const cpuMs = { own: 0, reads: 0 };
  for (const pod of pods) {
    const before = childrenCpuMs();
    const whole = await own(pod);
    cpuMs.own += childrenCpuMs() - before;
    const bare = await callPlugin(node, pod, 'VERSION');
    times.own.push(whole);
    times.bare.push(bare);
    times.ask.push(whole - bare);
    const beforeReading = childrenCpuMs();
    times.reads.push(await callPlugin(node, pod, 'ADD', reading));
    cpuMs.reads += childrenCpuMs() - beforeReading;
  }
  for (const part of ['own', 'bare', 'ask', 'reads'] as const) add(`${part}P50`, median(times[part]));
  for (const part of ['own', 'reads'] as const) add(`${part}Cpu`, cpuMs[part] / pods.length);

  progress('plugin: alone, from the disk');
  const cold: number[] = [];
  for (const pod of pods) {
    forget(node.plugin);
    cold.push(await own(pod));
  }
  add('coldP50', median(cold));

  progress('plugin: alone, on a busy machine');
  const load = Array.from({ length: LOAD }, () =>
    spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  try {
    const loaded: number[] = [];
    for (const pod of pods) loaded.push(await own(pod));
    add('loadedP50', median(loaded));
  } finally {
    for (const process_ of load) process_.kill('SIGKILL');
  }
}

interface StandIn extends AsyncDisposable {
  /** What an entry says to have the plugin meet it. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** An agent that answers at once, and does nothing. */
async function startStandIn(node: BenchNode, directory: string): Promise<StandIn> {
  mkdirSync(directory);
  cpSync(join(node.runDirectory, 'istio-cni-kubeconfig'), join(directory, 'istio-cni-kubeconfig'));
  const agent = createServer((request, response) => {
    request.resume().on('end', () => response.end());
  });
  agent.listen(join(directory, 'pluginevent.sock'));
  await once(agent, 'listening');
  return {
    entry: { cni_agent_run_dir: directory },
    [Symbol.asyncDispose]: () => new Promise((resolve) => agent.close(() => resolve())),
  };
}

/** Processor time of all processes that this one has started and that have ended. */
function childrenCpuMs(): number {
  return processorTime(process.pid).children * 1000;
}

/** Has the kernel drop what it keeps of a file, and of no other. */
function forget(path: string): void {
  execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
}

function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5);
}
