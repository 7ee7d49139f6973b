import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { NetworkNamespace } from '@ambient/linux';

import { LabNetworkError } from './errors.ts';

/**
 * A network namespace and the process that lives in it and does nothing else. The kernel kills that process when this one
 * ends, whatever way it does, and the namespace goes with it.
 */
export class NamespaceHolder implements AsyncDisposable {
  readonly namespace: NetworkNamespace;
  readonly #process: ChildProcess;

  private constructor(process_: ChildProcess, namespace: NetworkNamespace) {
    this.#process = process_;
    this.namespace = namespace;
  }

  /** Its loopback is up. @throws LabNetworkError LAB_NETWORK_FORBIDDEN, LAB_NETWORK_TOOL */
  static async create(): Promise<NamespaceHolder> {
    const script = 'ip link set lo up && echo held && exec sleep infinity';
    const child = spawn('setpriv', ['--pdeathsig=KILL', 'unshare', '--net', '--', 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let problem = '';
    child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', (cause) => {
          const message = 'cannot run setpriv; install util-linux';
          reject(new LabNetworkError('LAB_NETWORK_TOOL', message, { cause }));
        });
        child.once('close', () =>
          reject(
            new LabNetworkError(
              'LAB_NETWORK_FORBIDDEN',
              `cannot make a network namespace (${problem.trim()}): run as root, or inside a user namespace`,
            ),
          ),
        );
        child.stdout.once('data', () => resolve());
      });
      return new NamespaceHolder(child, NetworkNamespace.open(`/proc/${child.pid!}/ns/net`));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** `/proc/PID/net` and `/proc/PID/ns/net` are the namespace's. */
  get pid(): number {
    return this.#process.pid!;
  }

  /** A file that names the namespace, valid until it is disposed. */
  get path(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.namespace.close();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
