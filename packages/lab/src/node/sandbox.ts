import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CniChain, resultAddresses } from './plugins/chain.ts';
import type { Attachment, CachedAttachment, RunPlugin } from './plugins/chain.ts';
import { readNetworkConfig } from './plugins/node-plugins.ts';
import { SandboxError } from './errors.ts';
import type { NodePod } from '../objects/pod.ts';

export interface SandboxOptions {
  /** The node's files as its hostPath volumes name them. */
  readonly hostDirectory: string;
  readonly runPlugin: RunPlugin;
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
// Pods may listen on low ports as any user, as container runtimes have it. Host names matter to people only.
const pause =
  'hostname "$0" 2>/dev/null || :; ip link set lo up; ' +
  'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || :; echo held; exec sleep infinity';

/**
 * The network namespace (with host name and IPC) of a pod, held by a process that does nothing, and attached to the network by
 * the CNI plugins of the node.
 */
export class Sandbox {
  readonly id: string;
  readonly #pause: ChildProcess;
  readonly #options: SandboxOptions;
  readonly #attachment: Attachment;
  readonly #link: string;
  readonly #cache: string;
  #podIps: readonly string[] = [];
  /** Settles when the holding process has ended, and with it the namespace. */
  readonly ended: Promise<void>;

  private constructor(pod: NodePod, held: ChildProcess, options: SandboxOptions) {
    const { name, namespace = '', uid } = pod.metadata;
    this.id = randomBytes(32).toString('hex');
    this.#pause = held;
    this.#options = options;
    const file = `cni-${this.id.slice(0, 32)}`;
    this.#link = join(options.hostDirectory, 'run/netns', file);
    this.#cache = join(options.hostDirectory, 'var/lib/cni/cache/results', `${this.id}-eth0`);
    this.#attachment = {
      containerId: this.id,
      netns: `/var/run/netns/${file}`,
      ifname: 'eth0',
      namespace,
      pod: name,
      uid,
    };
    this.ended = new Promise((resolve) => held.once('close', () => resolve()));
  }

  /**
   * Nothing is left of one that fails.
   *
   * @throws SandboxError
   */
  static async create(pod: NodePod, options: SandboxOptions): Promise<Sandbox> {
    const configDirectory = join(options.hostDirectory, 'etc/cni/net.d');
    const list = readNetworkConfig(configDirectory);
    const sandbox = new Sandbox(pod, await holdNamespaces(hostNameOf(pod)), options);
    mkdirSync(join(options.hostDirectory, 'run/netns'), { recursive: true });
    symlinkSync(`/proc/${sandbox.pid}/ns/net`, sandbox.#link);
    try {
      const result = await new CniChain(options.runPlugin).add(list, sandbox.#attachment);
      sandbox.#remember({ list, result });
      sandbox.#podIps = resultAddresses(result);
      return sandbox;
    } catch (error) {
      sandbox.#remember({ list, result: undefined });
      await sandbox.close().catch(() => undefined); // what is wrong with the plugins has been said already
      throw error;
    }
  }

  /** IPv4 first. */
  get podIps(): readonly string[] {
    return this.#podIps;
  }

  /** A process in the namespaces. */
  get pid(): number {
    return this.#pause.pid!;
  }

  /**
   * Detaches it and ends the namespace. Safe to repeat.
   *
   * @throws SandboxError of a plugin's DEL; the namespace is gone all the same
   */
  async close(): Promise<void> {
    try {
      await new CniChain(this.#options.runPlugin).delete(this.#cached(), this.#attachment);
    } finally {
      this.#pause.kill('SIGKILL');
      await this.ended;
      rmSync(this.#link, { force: true });
      rmSync(this.#cache, { force: true });
    }
  }

  /** Ends the namespace without a word to the plugins, as when a node loses its power: they collect what is left later. */
  async discard(): Promise<void> {
    this.#pause.kill('SIGKILL');
    await this.ended;
    rmSync(this.#link, { force: true });
  }

  /** DEL is run with the configuration of ADD, whatever has become of the file. */
  #remember(cached: CachedAttachment): void {
    mkdirSync(join(this.#cache, '..'), { recursive: true });
    writeFileSync(this.#cache, JSON.stringify({ kind: 'cniCacheV1', containerId: this.id, ...cached }));
  }

  #cached(): CachedAttachment {
    return JSON.parse(readFileSync(this.#cache, 'utf8')) as CachedAttachment;
  }
}

export function hostNameOf({ metadata, spec }: NodePod): string {
  return (spec.hostname ?? metadata.name).slice(0, 63).replace(/[-.]+$/, '');
}

async function holdNamespaces(hostName: string): Promise<ChildProcess> {
  const argv = ['--pdeathsig=KILL', 'unshare', '--net', '--uts', '--ipc', '--', 'sh', '-c', pause, hostName];
  const child = spawn('setpriv', argv, {
    env: { PATH: systemPath },
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let problem = '';
  child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    const fail = (cause?: Error): void =>
      reject(
        new SandboxError(
          'SANDBOX_NAMESPACE',
          `no network namespace can be made (${problem.trim() || (cause?.message ?? 'the process ended')}); run as root or in a user namespace, with util-linux and iproute2 installed`,
          { cause },
        ),
      );
    child.once('error', fail);
    child.once('close', () => fail());
    child.stdout.once('data', () => resolve());
  });
  return child;
}
