import { createReadStream, writeSync } from 'node:fs';

import { describeError, Logger, LogLevels, openLogOutput } from '@ambient/runtime';

import type { LabRun } from './command-line.ts';
import { joinEntrance } from './entrance.ts';
import { LabCluster } from './lab-cluster.ts';
import { removeLabFiles } from './lab-files.ts';
import type { ProgressLine } from './progress.ts';
import { LIFELINE_FD } from './run-outside.ts';
import { samplePath } from './samples.ts';

/**
 * The half of the program in the lab's own namespaces: the whole cluster.
 *
 * @returns exit code
 */
export async function runInside(run: LabRun): Promise<number> {
  const output = await openLogOutput('plain');
  const log = new Logger(new LogLevels('info', 'lab'), output, 'lab');
  const tell = (line: ProgressLine): void => {
    try {
      writeSync(run.readyFd!, `${JSON.stringify(line)}\n`);
    } catch {
      // Whoever started this has gone; it will end by the lifeline, or was meant to stay.
    }
  };
  const asked = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => asked.resolve());
  createReadStream('', { fd: LIFELINE_FD })
    .on('data', () => undefined)
    .on('error', () => asked.resolve())
    .on('close', () => asked.resolve());
  try {
    const starting = LabCluster.start({
      directory: run.directory,
      nodes: run.nodes,
      ipv6: run.ipv6,
      ...(run.mtu === undefined ? {} : { mtu: run.mtu }),
      mesh: run.mesh ? {} : undefined,
      manifests: run.samples ? [samplePath('shop')] : [],
      publicUrl: run.publicUrl!,
      onProgress: tell,
      log,
    });
    // Told to end before it has started: what is there by then ends with this process.
    const cluster = await Promise.race([starting, asked.promise]);
    if (cluster === undefined) return 0;
    await using _cluster = cluster;
    using _entrance = await joinEntrance(run.directory, cluster.api.url);
    tell({ ready: true, kubeconfig: cluster.kubeconfigPath });
    await asked.promise;
    return 0;
  } catch (error) {
    log.error('the lab cannot run', { error: describeError(error) });
    tell({ failed: describeError(error) });
    return 1;
  } finally {
    output.flush();
    // Also of a start that was not waited for.
    removeLabFiles(run.directory);
  }
}
