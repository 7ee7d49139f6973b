/** A node for tests of streaming: its containers are processes of the test. */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LabApi } from '../../../api/lab-api.ts';
import type { ContainerDirectory, RunningContainer } from '../../containers.ts';
import { StreamingServer } from '../streaming-server.ts';

export interface FakeContainer extends RunningContainer {
  running: boolean;
  connect: RunningContainer['connect'];
  logPath: string;
  previousLogPath: string | undefined;
}

/** The API, one node, and in namespace `shop` the pod `web` with containers `app` and `side`. */
export class NodeWithProcesses implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'lab-streaming-'));
  readonly kubeconfigPath = join(this.directory, 'kubeconfig');
  readonly socketPath = join(this.directory, 'kubelet.sock');
  readonly containers = new Map<string, FakeContainer>();
  /** Faults of both servers: there must be none. */
  readonly faults: unknown[] = [];
  api!: LabApi;
  streaming!: StreamingServer;
  #last: ChildProcess | undefined;

  static async start(): Promise<NodeWithProcesses> {
    const node = new NodeWithProcesses();
    const directory: ContainerDirectory = {
      find: (namespace, pod, container = 'app') =>
        namespace === 'shop' && pod === 'web' ? node.containers.get(container) : undefined,
    };
    for (const name of ['app', 'side']) node.containers.set(name, node.#container(name));
    const onFault = (error: unknown): void => void node.faults.push(error);
    node.streaming = await StreamingServer.listen({
      socketPath: node.socketPath,
      containers: directory,
      onFault,
    });
    node.api = await LabApi.start({
      host: '127.0.0.1',
      port: 0,
      kubelets: (name) => (name === 'one' ? node.socketPath : undefined),
      onFault,
    });
    writeFileSync(node.kubeconfigPath, node.api.kubeconfig, { mode: 0o600 });
    const metadata = { namespace: 'shop', name: 'web' };
    const containers = [
      { name: 'app', image: 'x' },
      { name: 'side', image: 'x' },
    ];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: 'one', containers } };
    await node.api.load([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { ...pod, status: { phase: 'Running' } },
      {
        ...pod,
        metadata: { namespace: 'shop', name: 'far' },
        spec: { nodeName: 'two', containers: containers.slice(0, 1) },
      },
    ]);
    return node;
  }

  log(name: string, ...lines: readonly string[]): void {
    writeFileSync(this.containers.get(name)!.logPath, lines.map((line) => `${line}\n`).join(''), {
      flag: 'a',
    });
  }

  /** Settles when the process that was started last has ended. */
  async lastEnded(): Promise<void> {
    const last = this.#last!;
    if (last.exitCode === null && last.signalCode === null) await once(last, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.stop();
    await this.streaming.stop();
    rmSync(this.directory, { recursive: true });
  }

  #container(name: string): FakeContainer {
    const logPath = join(this.directory, `${name}.log`);
    writeFileSync(logPath, '');
    return {
      logPath,
      previousLogPath: undefined,
      running: true,
      spawn: (argv, { stdin }) => {
        const stdio: StdioOptions = [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'];
        this.#last = spawn(argv[0]!, argv.slice(1), { stdio });
        return this.#last;
      },
      connect: (port) => createConnection({ port, host: '127.0.0.1' }),
    };
  }
}
