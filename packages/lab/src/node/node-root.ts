import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { ContainerProcess } from './container/container-process.ts';
import { machineFiles } from './container/machine-files.ts';
import { mountPlan } from './container/mount-plan.ts';
import type { Mount } from './container/mount-plan.ts';

/** The files of one node below a lab's directory. */
export interface NodeDirectories {
  readonly node: string;
  /** What hostPath volumes name. */
  readonly host: string;
  readonly pods: string;
  readonly logs: string;
  readonly stage: string;
}

/** Makes them; what pods of an earlier life of the node left is removed. */
export function nodeDirectories(runDirectory: string, nodeName: string): NodeDirectories {
  const node = join(runDirectory, 'nodes', nodeName);
  const directories = {
    node,
    host: join(node, 'host'),
    pods: join(node, 'pods'),
    logs: join(node, 'logs'),
    stage: join(node, 'stage'),
  };
  for (const left of [directories.pods, join(directories.host, 'run')])
    rmSync(left, { recursive: true, force: true });
  for (const directory of [directories.pods, directories.logs, directories.stage])
    mkdirSync(directory, { recursive: true });
  for (const path of ['etc/cni/net.d', 'opt/cni/bin', 'run/netns', 'var/lib/cni', 'var/log'])
    mkdirSync(join(directories.host, path), { recursive: true });
  // As on every Linux of today: /var/run and /run are one.
  const varRun = join(directories.host, 'var/run');
  if (machineFiles.kind(varRun) === 'none') symlinkSync('../run', varRun);
  return directories;
}

/**
 * A process in the node's network that sees the node's files at their own places: what the runtime of a node starts, such as
 * CNI plugins, is started in its namespaces.
 *
 * @param networkPid a process in the node's network namespace
 * @param keep directories that stay visible wherever they are
 */
export function startNodeRoot(
  directories: NodeDirectories,
  networkPid: number,
  keep: readonly string[],
): Promise<ContainerProcess> {
  const { host, stage } = directories;
  const bound = (source: string, target: string): Mount => ({ source, target, file: false, readOnly: false });
  const mounts = [
    ...['/etc/cni', '/opt/cni', '/run', '/var/lib/cni'].map((path) => bound(join(host, path), path)),
    ...keep.filter((path) => path.startsWith('/run/')).map((path) => bound(path, path)),
  ];
  return ContainerProcess.start(
    {
      sandboxPid: networkPid,
      ownHostName: false,
      ownProcesses: false,
      steps: mountPlan(mounts, machineFiles),
      stage,
      readOnlyRoot: false,
      workingDirectory: undefined,
      user: undefined,
      environment: new Map([['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']]),
      command: ['sleep', 'infinity'],
    },
    (stdout, stderr) => {
      stdout.resume();
      stderr.resume();
    },
  );
}

/** Whether the kernel lets a container have a /proc of its own; inside some container runtimes it does not. */
export function canOwnProcesses(): boolean {
  const probe = spawnSync('unshare', ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'true']);
  return probe.status === 0;
}
