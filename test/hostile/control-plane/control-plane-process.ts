import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { waitFor } from '@ambient/testkit/lab';

/** A line of the log; the fields of the message beside the fixed ones. */
export interface LogLine {
  readonly level: string;
  readonly scope: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

const program = join(import.meta.dirname, '../../../packages/control-plane/bin/control-plane');

/** On ports of its own. */
const loopback = {
  PLAINTEXT_XDS_ADDRESS: '127.0.0.1:0',
  SECURE_GRPC_ADDRESS: '127.0.0.1:0',
  WEBHOOK_ADDRESS: '127.0.0.1:0',
  MONITORING_ADDRESS: '127.0.0.1:0',
  HTTP_ADDRESS: '127.0.0.1:0',
  LOG_FORMAT: 'json',
  POD_NAME: 'istiod-0',
  CA_TRUSTED_NODE_ACCOUNTS: 'istio-system/ztunnel',
};

/** The whole program as its users run it. */
export class ControlPlaneProcess implements AsyncDisposable {
  readonly log: LogLine[] = [];
  /** What came on standard error. */
  errors = '';
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #exited = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => this.log.push(JSON.parse(line) as LogLine));
    child.stderr!.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    this.exit = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#exited = true;
        resolve({ code, signal });
      });
    });
  }

  /** Starts it; see {@link serving} and {@link ready}. */
  static spawn(kubeconfigFile: string, env: Readonly<Record<string, string>> = {}): ControlPlaneProcess {
    const { PATH } = process.env;
    const child = spawn(program, ['--kubeconfig', kubeconfigFile], {
      env: { PATH, ...loopback, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ControlPlaneProcess(child);
  }

  get running(): boolean {
    return !this.#exited;
  }

  /** Its ports, once it listens. */
  async serving(): Promise<{
    readonly grpc: number;
    readonly plaintextXds: number;
    readonly monitoring: number;
  }> {
    const { grpc, plaintextXds, monitoring } = await this.line({ message: 'serving' });
    return { grpc: Number(grpc), plaintextXds: Number(plaintextXds), monitoring: Number(monitoring) };
  }

  /** Waits until it knows the mesh. */
  async ready(): Promise<void> {
    await this.line({ message: 'the mesh is known' });
  }

  /** Lines with these fields; a regular expression is to match, anything else to be equal. */
  lines(fields: Readonly<Record<string, unknown>>): LogLine[] {
    return this.log.filter((line) =>
      Object.entries(fields).every(([name, wanted]) =>
        wanted instanceof RegExp ? wanted.test(String(line[name])) : line[name] === wanted,
      ),
    );
  }

  /** Waits for such a line. */
  line(fields: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<LogLine> {
    const what = `a line of the control plane with ${Object.entries(fields)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(' ')}`;
    return waitFor(
      () => {
        const found = this.lines(fields)[0];
        if (found === undefined && this.#exited)
          throw new Error(`the control plane ended before ${what}: ${this.errors}${this.#tail()}`);
        return found;
      },
      what,
      timeoutMs,
    ).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${this.#tail()}`);
    });
  }

  /** A page of its debug server, JSON. */
  async page(path: string): Promise<unknown> {
    const { monitoring } = await this.serving();
    const response = await fetch(`http://127.0.0.1:${monitoring}${path}`);
    return path === '/metrics' ? response.text() : response.json();
  }

  /** SIGSTOP and SIGCONT, which do not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill();
  }

  #tail(): string {
    return this.log
      .slice(-15)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}
