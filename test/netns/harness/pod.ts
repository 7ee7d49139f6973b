import { sampleApp } from '@ambient/testkit/lab';
import type { LabProcess, Netns, RunOptions, SampleApp } from '@ambient/testkit/lab';
import { logEntries, waitForAccess } from './access-log.ts';
import type { LogEntry, LogMatch } from './access-log.ts';
import type { LocalWorkload } from './local-mesh.ts';

export interface HttpAnswer {
  /** 0 if there was no answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** An errno name, `TIMEOUT`, or null. */
  readonly error: string | null;
  readonly ms: number;
}

export interface ExchangeAnswer {
  readonly end: string;
  readonly connected: boolean;
  readonly received: number;
  readonly text: string;
  readonly ms: number;
}

export interface TransferAnswer {
  readonly ok: boolean;
  readonly streams: number;
  readonly ms: number;
  readonly failures: readonly unknown[];
}

export interface ExchangeOptions {
  readonly send?: string;
  readonly 'half-close'?: boolean;
  readonly 'timeout-ms'?: number;
  readonly until?: number;
}

/** One pod: a namespace, the workload it is in the mesh, its applications, and its proxy unless it has none. */
export class Pod {
  readonly workload: LocalWorkload;
  readonly netns: Netns;
  readonly #apps: LabProcess[] = [];
  #proxy: LabProcess | undefined;

  constructor(workload: LocalWorkload, netns: Netns) {
    this.workload = workload;
    this.netns = netns;
  }

  get name(): string {
    return this.workload.name;
  }

  /** As peers see it in certificates. */
  get principal(): string {
    const { trustDomain, namespace, serviceAccount } = this.workload;
    return `${trustDomain ?? 'cluster.local'}/ns/${namespace}/sa/${serviceAccount}`;
  }

  get ipv4(): string {
    return this.netns.ipv4;
  }

  get ipv6(): string {
    return this.netns.ipv6;
  }

  /** Throws for a pod that the test gave no proxy. */
  get proxy(): LabProcess {
    if (this.#proxy === undefined) throw new Error(`pod ${this.name} has no proxy`);
    return this.#proxy;
  }

  get hasProxy(): boolean {
    return this.#proxy !== undefined;
  }

  /** Called by the harness at the start, and by tests that replace a proxy. */
  setProxy(proxy: LabProcess): void {
    this.#proxy = proxy;
  }

  /** Starts a server and resolves when it listens. */
  async serve(
    app: SampleApp,
    options: Readonly<Record<string, string | number | boolean>>,
  ): Promise<LabProcess> {
    const server = await this.spawn(sampleApp(app, options), { name: app });
    await server.waitForLine(/^ready /);
    return server;
  }

  /** Starts any program inside the pod; the harness ends it before it looks for leaks. */
  async spawn(argv: readonly string[], options: RunOptions = {}): Promise<LabProcess> {
    const app = await this.netns.spawn(argv, options);
    this.#apps.push(app);
    return app;
  }

  /** One HTTP GET from inside the pod. Failures to connect are answers with `error`, not rejections. */
  get(url: string, timeoutMs = 5000): Promise<HttpAnswer> {
    return this.#ask<HttpAnswer>('http-get', { url, 'timeout-ms': timeoutMs });
  }

  /** The same with another method. */
  request(method: string, url: string): Promise<HttpAnswer> {
    return this.#ask<HttpAnswer>('http-get', { url, method });
  }

  /** One TCP exchange from inside the pod. */
  exchange(host: string, port: number, options: ExchangeOptions = {}): Promise<ExchangeAnswer> {
    return this.#ask<ExchangeAnswer>('exchange-client', { host, port, ...options });
  }

  /** A checked stream both ways at once, against `transfer-server`. */
  transfer(
    host: string,
    port: number,
    bytes: { readonly up: number; readonly down: number; readonly streams?: number },
    deadlineMs = 60_000,
  ): Promise<TransferAnswer> {
    return this.#ask<TransferAnswer>('transfer-client', { host, port, ...bytes }, deadlineMs);
  }

  /** A request to the proxy's admin port, from inside the pod as it listens on loopback only. */
  admin(path: string, method = 'GET'): Promise<HttpAnswer> {
    return this.request(method, `http://127.0.0.1:15000${path}`);
  }

  /** The proxy's metrics by series, as `istio_tcp_connections_opened_total{reporter="source",...}`. */
  async metrics(): Promise<Map<string, number>> {
    const { body } = await this.get('http://127.0.0.1:15020/metrics');
    const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      series.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }

  /** The proxy's log so far. */
  log(): LogEntry[] {
    return logEntries(this.proxy);
  }

  /** The proxy's first access log line, past or to come, that matches. */
  waitForAccess(match: LogMatch, deadlineMs?: number): Promise<LogEntry> {
    return waitForAccess(this.proxy, match, deadlineMs);
  }

  /** Ends the pod's applications. */
  async stopApps(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.stop()));
  }

  async #ask<T>(
    app: SampleApp,
    options: Readonly<Record<string, string | number | boolean>>,
    deadlineMs = 30_000,
  ): Promise<T> {
    const { stdout, output } = await this.netns.run(sampleApp(app, options), { name: app }, deadlineMs);
    const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
    if (line === undefined) throw new Error(`${app} in pod ${this.name} said nothing:\n${output.join('\n')}`);
    return JSON.parse(line) as T;
  }
}
