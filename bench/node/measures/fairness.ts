import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { sampleApp } from '@ambient/testkit/lab';
import { SharedMesh } from '../../../test/netns/shared/shared-mesh.ts';
import { median } from '../../report/verdict.ts';
import type { NodeEffort } from '../options.ts';
import type { Storm } from '../rows.ts';
import { storms } from '../rows.ts';
import type { MeasureContext } from '../samples.ts';
import { ascending, quantile } from '../samples.ts';

const ECHO_PORT = 7000;
const HBONE_PORT = 15_008;
const ASKED_PER_SECOND = 300;
/** Who comes last may have to wait long for a CPU. */
const READY_MS = 60_000;
const PRIORITY = '10';
/** Not in an unprivileged user namespace, and not in a cgroup without a share of real time. */
const REAL_TIME =
  spawnSync('chrt', ['--rr', PRIORITY, 'true']).status === 0 ? ['chrt', '--rr', PRIORITY] : [];
const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ASK = [...node, program('../programs/ask.ts')];
const STORM = [...node, program('../../../test/netns/shared/storm.ts')];
const lanes: Readonly<Record<Storm, { readonly port: number; readonly width: number }>> = {
  connections: { port: ECHO_PORT, width: 64 },
  handshakes: { port: HBONE_PORT, width: 64 },
  bytes: { port: ECHO_PORT, width: 16 },
};

/**
 * One data worker serves the pod that asks, the pod that storms and the storm's target; who answers is on another node. That
 * worker has a CPU for itself; on the others the storm comes after everybody else, who are in a real-time class where that is
 * permitted. So what is seen is the worker's fairness and not the kernel's.
 */
export async function measureFairness({ effort, add, progress }: MeasureContext<NodeEffort>): Promise<void> {
  const cpus = availableParallelism();
  const others = cpus > 1 ? `1-${cpus - 1}` : '0';
  const placed = ['taskset', '-c', others];
  const ordinary = [...REAL_TIME, ...placed];
  const last = [...placed, 'nice', '-n', '19'];
  const mesh = await SharedMesh.start(
    { east: ['client', 'greedy', 'target'], west: ['server'] },
    { ZTUNNEL_WORKER_THREADS: '1', RUST_LOG: 'info,access=off' },
  );
  try {
    const pin = async (of: string, to: string): Promise<void> => {
      const pid = String(mesh.ztunnel(of).pid);
      await mesh.pod('client').netns.must(['taskset', '-a', '-p', '-c', to, pid]);
      if (REAL_TIME.length > 0)
        await mesh.pod('client').netns.must(['chrt', '-a', '-r', '-p', PRIORITY, pid]);
    };
    await pin('east', '0');
    await pin('west', others);
    for (const [pod, how] of [
      ['server', ordinary],
      ['target', last],
    ] as const) {
      const echo = await mesh
        .pod(pod)
        .netns.spawn([...how, ...sampleApp('echo', { port: ECHO_PORT })], { name: 'echo' });
      await echo.waitForLine(/^ready /, READY_MS);
    }
    const ask = async (): Promise<number[]> => {
      const to = [mesh.pod('server').netns.ipv4, String(ECHO_PORT)];
      const pace = [String(ASKED_PER_SECOND), String(effort.seconds)];
      const answer = await mesh.pod('client').netns.must([...ordinary, ...ASK, ...to, ...pace]);
      return ascending(JSON.parse(answer) as number[]);
    };
    await ask();
    for (let round = 1; round <= effort.rounds; round++) {
      const alone: number[] = [];
      const beside: [Storm, number][] = [];
      for (const storm of storms) {
        progress(`fairness: ${storm}, round ${round} of ${effort.rounds}`);
        alone.push(quantile(await ask(), 0.99));
        const { port, width } = lanes[storm];
        const argv = [storm, mesh.pod('target').netns.ipv4, String(port), String(width)];
        const running = await mesh.pod('greedy').netns.spawn([...last, ...STORM, ...argv], { name: storm });
        await running.waitForLine(/^ready/, READY_MS);
        try {
          const times = await ask();
          beside.push([storm, quantile(times, 0.99)]);
          add(`${storm}P50`, quantile(times, 0.5));
        } finally {
          running.killNow();
          await running.exited;
        }
      }
      const base = median(alone);
      add('aloneP99', base);
      for (const [storm, p99] of beside) {
        add(`${storm}P99`, p99);
        add(`${storm}Ratio`, p99 / base);
      }
    }
  } finally {
    await mesh.destroy();
  }
}
