import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Clock } from '@ambient/runtime';

import { SandboxError } from '../errors.ts';
import type { PluginAnswer, RunPlugin } from './chain.ts';
import type { NetworkConfigList } from './network-config.ts';
import { chooseConfigFile, parseConfigList } from './network-config.ts';

/** A plugin that has not answered for so long is killed; milliseconds. */
const deadlineMs = 120_000;
const longestAnswerBytes = 1024 * 1024;

export interface NodePluginsOptions {
  /** The node's `/opt/cni/bin`, as this process sees it. */
  readonly binDirectory: string;
  /** A process in the namespaces of the node: plugins see its files and its network. */
  readonly nodePid: number;
  readonly clock: Clock;
}

/**
 * The configuration that counts on a node now.
 *
 * @throws SandboxError SANDBOX_NO_NETWORK_CONFIG
 */
export function readNetworkConfig(configDirectory: string): NetworkConfigList {
  const file = chooseConfigFile(readdirSync(configDirectory));
  if (file === undefined)
    throw new SandboxError(
      'SANDBOX_NO_NETWORK_CONFIG',
      'no CNI configuration file in /etc/cni/net.d of the node; has the network provider started?',
    );
  return parseConfigList(readFileSync(join(configDirectory, file), 'utf8'), file);
}

/** Runs plugins as the runtime of a node does: in the node's namespaces, from its folder of plugins. */
export function nodePluginRunner({ binDirectory, nodePid, clock }: NodePluginsOptions): RunPlugin {
  return async (type, environment, input) => {
    if (!readdirSync(binDirectory).includes(type))
      throw new SandboxError(
        'SANDBOX_PLUGIN_MISSING',
        `failed to find plugin "${type}" in path [/opt/cni/bin]`,
      );
    const argv = [
      ...['--pdeathsig=KILL', 'nsenter', '--target', String(nodePid), '--net', '--mount'],
      `/opt/cni/bin/${type}`,
    ];
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const child = spawn('setpriv', argv, {
      env: { PATH: path, ...environment, CNI_PATH: '/opt/cni/bin' },
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    using _timer = clock.setTimer(
      deadlineMs,
      () => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')),
    );
    return new Promise<PluginAnswer>((resolve, reject) => {
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding('utf8').on('data', (text: string) => {
          if (output[name].length < longestAnswerBytes) output[name] += text;
        });
      child.once('error', (cause) =>
        reject(new SandboxError('SANDBOX_PLUGIN', `plugin type="${type}" could not be run`, { cause })),
      );
      child.once('close', (code) => resolve({ exitCode: code ?? 255, ...output }));
      child.stdin.on('error', () => undefined); // one may end without reading its input
      child.stdin.end(input);
    });
  };
}
