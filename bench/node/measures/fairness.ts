import { fileURLToPath } from 'node:url';
import type { LabProcess } from '@ambient/testkit/lab';
import { sampleApp } from '@ambient/testkit/lab';
import { SharedMesh } from '../../../test/netns/shared/shared-mesh.ts';
import { median } from '../../report/verdict.ts';
import { readUsage } from '../../rig/process-usage.ts';
import type { NodeEffort } from '../options.ts';
import { CpuGroup } from '../rig/cpu-group.ts';
import type { Storm } from '../rows.ts';
import { storms } from '../rows.ts';
import type { MeasureContext } from '../samples.ts';
import { ascending, quantile } from '../samples.ts';

const ECHO_PORT = 7000;
const HBONE_PORT = 15_008;
const ASKED_PER_SECOND = 300;
/** Who comes last may have to wait long for a CPU. */
const READY_MS = 60_000;
/** Of each pod of a storm: the one that storms, and the one that answers it. */
const LIMIT_CPUS = 0.3;
const quietOptions = ['--disable-warning=ExperimentalWarning'];
/** Its own collections of garbage wait for no helper threads. */
const instrument = [process.execPath, ...quietOptions, '--single-threaded-gc'];
const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const ASK = [...instrument, program('../programs/ask.ts')];
const STORM = [process.execPath, ...quietOptions, program('../../../test/netns/shared/storm.ts')];
/** Who shakes hands by himself is no pod of the mesh: a captured pod's connections to that port are ztunnel's own business. */
const lanes: Readonly<
  Record<Storm, { readonly from: string; readonly port: number; readonly width: number }>
> = {
  connections: { from: 'greedy', port: ECHO_PORT, width: 64 },
  handshakes: { from: 'outsider', port: HBONE_PORT, width: 64 },
  bytes: { from: 'greedy', port: ECHO_PORT, width: 16 },
};

/**
 * `held`: both pods of the storm have a limit of CPU, so that the CPUs are not theirs alone. `free`: they have none. `direct`:
 * as `free`, between two pods outside the mesh, so that what the neighbour feels is the kernel's doing.
 */
type Arrangement = 'held' | 'free' | 'direct';

/** CPU time as a kubelet would divide it. Who measures is not what is measured, and never waits for a CPU. */
class Shares implements Disposable {
  readonly measuring = new CpuGroup('measuring', { shares: 262_144 });
  readonly proxies = new CpuGroup('proxies', { shares: 1024 });
  readonly held = {
    storm: new CpuGroup('storm-held', { shares: 2, limit: LIMIT_CPUS }),
    target: new CpuGroup('target-held', { shares: 2, limit: LIMIT_CPUS }),
  };
  readonly free = {
    storm: new CpuGroup('storm-free', { shares: 2 }),
    target: new CpuGroup('target-free', { shares: 2 }),
  };

  [Symbol.dispose](): void {
    const pairs = [this.held, this.free].flatMap(({ storm, target }) => [storm, target]);
    for (const group of [this.measuring, this.proxies, ...pairs]) group[Symbol.dispose]();
  }
}

/**
 * A request over a kept connection between two nodes, at an even pace, alone and beside a storm of another pod. The proxies
 * run as installed: two data workers each, on any CPU, in no special class. CPU time is divided by cgroups, as between pods.
 */
export async function measureFairness({ effort, add, progress }: MeasureContext<NodeEffort>): Promise<void> {
  using shares = new Shares();
  const mesh = await SharedMesh.start(
    { east: ['client', 'greedy', 'target', 'outsider', 'stranger', 'sink'], west: ['server'] },
    { RUST_LOG: 'info,access=off' },
  );
  try {
    for (const pod of ['outsider', 'stranger', 'sink']) await mesh.release(pod);
    for (const node of ['east', 'west']) shares.proxies.add(mesh.ztunnel(node).pid);
    // Otherwise a client has no port left after 28,000 connections in a minute, and storms of later rounds starve themselves.
    for (const pod of ['greedy', 'target', 'stranger', 'sink'])
      await mesh.pod(pod).netns.sysctl({ 'net.ipv4.tcp_tw_reuse': '1' });
    const serve = async (pod: string, group: CpuGroup): Promise<LabProcess> => {
      const [runtime, ...echo] = sampleApp('echo', { port: ECHO_PORT });
      const argv = pod === 'server' ? [runtime!, '--single-threaded-gc', ...echo] : [runtime!, ...echo];
      const served = await mesh.pod(pod).netns.spawn(argv, { name: 'echo' });
      group.add(served.pid);
      await served.waitForLine(/^ready /, READY_MS);
      return served;
    };
    await serve('server', shares.measuring);
    const target = await serve('target', shares.free.target);
    await serve('sink', shares.free.target);

    const ask = async (): Promise<number[]> => {
      const to = [mesh.pod('server').netns.ipv4, String(ECHO_PORT)];
      const pace = [String(ASKED_PER_SECOND), String(effort.seconds)];
      const asking = await mesh.pod('client').netns.spawn([...ASK, ...to, ...pace], { name: 'ask' });
      shares.measuring.add(asking.pid);
      const { code } = await asking.exited;
      if (code !== 0) throw new Error(`the pod that asks ended with ${code ?? 'a signal'}: ${asking.stdout}`);
      return ascending(JSON.parse(asking.stdout) as number[]);
    };

    /** Asks while it storms, and says what the storm has done meanwhile. */
    const askBeside = async (
      storm: Storm,
      how: Arrangement,
    ): Promise<{ times: number[]; record: () => void }> => {
      const { from, port, width } = lanes[storm];
      const [source, sink] = how === 'direct' ? ['stranger', 'sink'] : [from, 'target'];
      const groups = how === 'held' ? shares.held : shares.free;
      groups.target.add(target.pid);
      const argv = [...STORM, storm, mesh.pod(sink).netns.ipv4, String(port), String(width)];
      const running = await mesh.pod(source).netns.spawn(argv, { name: storm });
      groups.storm.add(running.pid);
      try {
        await running.waitForLine(/^under way/, READY_MS);
        const [startMs, before] = [performance.now(), readUsage(mesh.ztunnel('east').pid)];
        const times = await ask();
        const seconds = (performance.now() - startMs) / 1000;
        const cpu = (readUsage(mesh.ztunnel('east').pid).cpuSeconds - before.cpuSeconds) / seconds;
        running.signal('SIGTERM');
        const [, done, of] = /^(\d+) in ([\d.]+) s/.exec(await running.waitForLine(/^\d+ in /, READY_MS))!;
        return {
          times,
          record: () => {
            if (how !== 'direct') add(`${storm}Cpu-${how}`, cpu * 100);
            add(`${storm}Rate-${how}`, Number(done) / Number(of));
          },
        };
      } finally {
        running.killNow();
        await running.exited;
      }
    };

    // A proxy that has just started has not compiled yet what a storm needs.
    for (const storm of storms) await askBeside(storm, 'free');
    for (let round = 1; round <= effort.rounds; round++) {
      const alone: number[] = [];
      const beside: { readonly key: string; readonly p99: number }[] = [];
      for (const storm of storms) {
        progress(`fairness: ${storm}, round ${round} of ${effort.rounds}`);
        alone.push(quantile(await ask(), 0.99));
        for (const how of ['held', 'free', 'direct'] as const) {
          if (how === 'direct' && storm === 'handshakes') continue; // those are with ztunnel itself
          const { times, record } = await askBeside(storm, how);
          record();
          beside.push({ key: `${storm}-${how}`, p99: quantile(times, 0.99) });
          add(`${storm}P50-${how}`, quantile(times, 0.5));
        }
      }
      const base = median(alone);
      add('aloneP99', base);
      for (const { key, p99 } of beside) add(key, p99 / base);
    }
  } finally {
    await mesh.destroy();
  }
}
