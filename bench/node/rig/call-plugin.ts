import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { BenchNode } from './bench-node.ts';
import type { CheapPod } from './pod-namespaces.ts';

/** One call of the plugin, as a container runtime makes it. @param entry what the entry says otherwise than installed @returns milliseconds until the process has ended */
export async function callPlugin(
  node: BenchNode,
  pod: CheapPod,
  command: string,
  entry?: Readonly<Record<string, unknown>>,
): Promise<number> {
  const startedMs = performance.now();
  const plugin = spawn(node.plugin, [], {
    env: node.pluginEnvironment(command, pod),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  plugin.stdin.end(node.pluginInput(pod, entry));
  let said = '';
  plugin.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(plugin, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} of the plugin ended with ${code}: ${said}`);
  return performance.now() - startedMs;
}
