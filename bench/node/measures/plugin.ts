import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { NodeEffort } from '../options.ts';
import { BenchNode } from '../rig/bench-node.ts';
import type { CheapPod } from '../rig/pod-namespaces.ts';
import type { MeasureContext } from '../samples.ts';
import { ascending, quantile } from '../samples.ts';

/** Pods that are captured already when the first call comes. */
const RUNNING_PODS = 20;

/** The plugin's calls, one after the other, as a container runtime makes them: an executable of its own each time. */
export async function measurePlugin(context: MeasureContext<NodeEffort>): Promise<void> {
  const { effort, directory, add, progress } = context;
  await using node = await BenchNode.start(directory, RUNNING_PODS);
  await node.capture();
  const call = async (pod: CheapPod, command: string, runDirectory?: string): Promise<number> => {
    const startedMs = performance.now();
    const plugin = spawn(node.plugin, [], {
      env: node.pluginEnvironment(command, pod),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    plugin.stdin.end(node.pluginInput(pod, runDirectory));
    let said = '';
    plugin.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(plugin, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${command} of the plugin ended with ${code}: ${said}`);
    return performance.now() - startedMs;
  };
  const calls = async (act: (index: number) => Promise<number>): Promise<number[]> => {
    const times: number[] = [];
    for (let index = 0; index < effort.pluginCalls; index++) times.push(await act(index));
    return ascending(times);
  };
  progress('plugin: ADD');
  const pods: CheapPod[] = [];
  for (let index = 0; index < effort.pluginCalls; index++)
    pods.push(await node.startingPod(`starting-${index}`));
  const adds = await calls((index) => call(pods[index]!, 'ADD'));
  add('addP50', quantile(adds, 0.5));
  add('addP99', quantile(adds, 0.99));

  progress('plugin: alone');
  const standIn = join(directory, 'stand-in');
  mkdirSync(standIn);
  cpSync(join(node.runDirectory, 'istio-cni-kubeconfig'), join(standIn, 'istio-cni-kubeconfig'));
  const agent = createServer((request, response) => {
    request.resume().on('end', () => response.end());
  });
  agent.listen(join(standIn, 'pluginevent.sock'));
  await once(agent, 'listening');
  try {
    const own = await calls((index) => call(pods[index]!, 'ADD', standIn));
    add('ownP50', quantile(own, 0.5));
  } finally {
    agent.close();
  }
  const bare = await calls((index) => call(pods[index]!, 'VERSION'));
  add('bareP50', quantile(bare, 0.5));
}
