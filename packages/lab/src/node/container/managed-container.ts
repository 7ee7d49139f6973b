import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';

import { NetworkNamespace } from '@ambient/linux';

import { connectInNamespace } from '../../network/namespace-sockets.ts';
import type { RunningContainer } from '../containers.ts';
import { ContainerError, messageOf } from '../errors.ts';
import { freshRecord } from '../pod/pod-lifecycle.ts';
import type { ContainerRecord, Terminated } from '../pod/pod-lifecycle.ts';
import type { Container, HandlerAction, NodePod } from '../../objects/pod.ts';
import { isSidecar } from '../../objects/pod.ts';
import type { CrashHistory } from '../pod/restart-backoff.ts';
import { restartDelay } from '../pod/restart-backoff.ts';
import { ContainerProbes } from '../probes/container-probes.ts';
import { sendProbe } from '../probes/send-probe.ts';
import type { ProbeOutcome } from '../probes/send-probe.ts';
import type { ContainerEnd } from './container-process.ts';
import { ContainerProcess } from './container-process.ts';
import { containerOptions } from './container-setup.ts';
import type { ContainerContext } from './container-setup.ts';
import { CriLog } from './cri-log.ts';

const hookTimeoutMs = 30_000;
const startRetry = { firstMs: 1000, longestMs: 10_000 };

export interface ManagedContainerOptions {
  readonly spec: Container;
  readonly isInit: boolean;
  readonly logDirectory: string;
  readonly onChange: () => void;
  /** Of an earlier life of the node: its runs are counted on. */
  readonly restarts?: number;
}

interface Stopping {
  readonly done: Promise<void>;
  /** Shortens the time that is left. */
  hurry(graceMs: number): void;
}

/** One container of a pod over all of its runs. */
export class ManagedContainer implements RunningContainer {
  readonly spec: Container;
  readonly isInit: boolean;
  readonly #options: ManagedContainerOptions;
  #record: ContainerRecord;
  #history: CrashHistory = { crashes: 0 };
  #startFailures = 0;
  #process: ContainerProcess | undefined;
  #context: ContainerContext | undefined;
  #probes: ContainerProbes | undefined;
  #stopping: Stopping | undefined;
  #runs = 0;

  constructor(options: ManagedContainerOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.isInit = options.isInit;
    this.#runs = options.restarts ?? 0;
    this.#record = { ...freshRecord, restarts: this.#runs };
  }

  get record(): ContainerRecord {
    return this.#record;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Has been started since the node itself was. */
  get hasRun(): boolean {
    return this.#runs > (this.#options.restarts ?? 0);
  }

  get logPath(): string {
    return this.#logOf(Math.max(0, this.#runs - 1));
  }

  get previousLogPath(): string | undefined {
    const path = this.#logOf(this.#runs - 2);
    return this.#runs >= 2 && existsSync(path) ? path : undefined;
  }

  /** Forgets its runs, except for their count: the pod has got another sandbox. */
  reset(): void {
    this.#record = {
      ...this.#record,
      state: freshRecord.state,
      notBeforeMs: 0,
      started: false,
      ready: false,
    };
  }

  /** One run. A failure is kept as its state, with the time of the next attempt. */
  async start(context: ContainerContext): Promise<void> {
    const { host, pod } = context;
    const { name } = this.spec;
    this.#context = context;
    const containerId = randomBytes(32).toString('hex');
    // The last run and the one before can be read.
    const old = this.#logOf(this.#runs - 2);
    for (const path of [old, `${old}.1`]) rmSync(path, { force: true });
    const log = new CriLog(this.#logOf(this.#runs), host.clock);
    try {
      const options = containerOptions(this.spec, context);
      this.#process = await ContainerProcess.start(options, (stdout, stderr) => {
        log.follow(stdout, 'stdout');
        log.follow(stderr, 'stderr');
      });
    } catch (error) {
      log.close();
      this.#startFailed(error);
      return;
    }
    const process_ = this.#process;
    this.#startFailures = 0;
    this.#runs += 1;
    host.hostProc.addPodProcess(process_.pid, pod.metadata.uid, containerId);
    const startedAtMs = host.clock.nowMs();
    const { state, last, restarts } = this.#record;
    this.#record = {
      state: { kind: 'running', startedAtMs, containerId: `containerd://${containerId}` },
      last: state.kind === 'terminated' ? state : last,
      restarts: this.#runs === 1 ? restarts : this.#runs - 1,
      started: false,
      ready: false,
      notBeforeMs: 0,
    };
    host.events.record(pod, 'Normal', 'Started', `Started container ${name}`);
    const finish = (end: ContainerEnd): void => {
      log.close();
      host.hostProc.remove(process_.pid);
      this.#ended(end, startedAtMs);
    };
    void process_.ended.then(finish);
    void this.#watch(process_);
    this.#options.onChange();
  }

  /**
   * Ends the present run: preStop, SIGTERM, and SIGKILL when the time is over. Called again, it can only shorten the time.
   */
  async stop(graceMs: number, reason = 'Stopping container'): Promise<void> {
    const process_ = this.#process;
    if (process_ === undefined) return;
    if (this.#stopping === undefined) {
      const { host, pod } = this.#context!;
      host.events.record(pod, 'Normal', 'Killing', `${reason} ${this.spec.name}`);
      this.#stopping = this.#stop(process_, graceMs);
    } else this.#stopping.hurry(graceMs);
    await this.#stopping.done;
  }

  spawn(argv: readonly string[], options: { tty: boolean; stdin: boolean }): ChildProcess {
    if (this.#process === undefined)
      throw new ContainerError('CONTAINER_NOT_RUNNING', `container ${this.spec.name} is not running`);
    return this.#process.spawn(argv, options);
  }

  connect(port: number): Socket {
    if (this.#context === undefined)
      throw new ContainerError('CONTAINER_NOT_RUNNING', `container ${this.spec.name} is not running`);
    using namespace = NetworkNamespace.open(`/proc/${this.#context.sandboxPid}/ns/net`);
    return connectInNamespace(namespace, '127.0.0.1', port);
  }

  /** Removes its logs. */
  forget(): void {
    rmSync(this.#options.logDirectory, { recursive: true, force: true });
  }

  #logOf(run: number): string {
    return join(this.#options.logDirectory, this.spec.name, `${run}.log`);
  }

  #startFailed(error: unknown): void {
    const { host, pod } = this.#context!;
    const code = error instanceof ContainerError ? error.code : 'RunContainerError';
    const delayMs = Math.min(startRetry.longestMs, startRetry.firstMs * 2 ** this.#startFailures);
    this.#startFailures += 1;
    const message = messageOf(error);
    const { last, state } = this.#record;
    this.#record = {
      ...this.#record,
      state: { kind: 'waiting', reason: code, message },
      last: state.kind === 'terminated' ? state : last,
      notBeforeMs: host.clock.nowMs() + delayMs,
    };
    host.events.record(pod, 'Warning', 'Failed', `Error: ${message}`);
    this.#options.onChange();
  }

  #ended({ exitCode, signal }: ContainerEnd, startedAtMs: number): void {
    const { host, pod } = this.#context!;
    this.#process = undefined;
    this.#probes?.[Symbol.dispose]();
    this.#probes = undefined;
    const finishedAtMs = host.clock.nowMs();
    const { state } = this.#record;
    const ended: Terminated = {
      kind: 'terminated',
      exitCode,
      ...(signal === undefined ? {} : { signal }),
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAtMs,
      finishedAtMs,
      containerId: state.kind === 'running' ? state.containerId : '',
    };
    const { history, delayMs } = restartDelay(this.#history, finishedAtMs - startedAtMs);
    const again = this.#isRestarted(pod, exitCode);
    if (again) this.#history = history;
    if (again && delayMs > 0)
      host.events.record(
        pod,
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${this.spec.name} in pod ${pod.metadata.name}`,
      );
    this.#record = {
      ...this.#record,
      state: ended,
      started: false,
      ready: this.isInit && !isSidecar(this.spec) && exitCode === 0,
      notBeforeMs: again && delayMs > 0 ? finishedAtMs + delayMs : 0,
    };
    this.#options.onChange();
  }

  #isRestarted({ spec }: NodePod, exitCode: number): boolean {
    if (isSidecar(this.spec)) return true;
    const { restartPolicy = 'Always' } = spec;
    if (this.isInit) return restartPolicy !== 'Never' && exitCode !== 0;
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
  }

  /** What follows a start: the hook, then the probes. */
  async #watch(process_: ContainerProcess): Promise<void> {
    const { host, pod } = this.#context!;
    const { lifecycle, startupProbe, livenessProbe, readinessProbe } = this.spec;
    if (lifecycle?.postStart !== undefined) {
      const { success, message } = await this.#act(lifecycle.postStart, hookTimeoutMs);
      if (this.#process !== process_) return;
      if (!success) {
        host.events.record(pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${message}`);
        await this.stop(graceMsOf(pod), 'FailedPostStartHook of container');
        return;
      }
    }
    this.#probes = new ContainerProbes({
      startup: startupProbe,
      liveness: livenessProbe,
      readiness: readinessProbe,
      clock: host.clock,
      send: (probe, timeoutMs) => this.#act(probe, timeoutMs),
      onStarted: () => this.#mark({ started: true }),
      onReady: (ready) => this.#mark({ ready }),
      onFatal: (kind, probe) => {
        const { terminationGracePeriodSeconds: own } = probe;
        const graceMs = own === undefined ? graceMsOf(pod) : own * 1000;
        void this.stop(graceMs, `${kind} probe failed, will be restarted: container`);
      },
      onFailure: (kind, message) => {
        const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
        host.events.record(pod, 'Warning', 'Unhealthy', `${title} probe failed: ${message}`);
      },
    });
    this.#probes.start();
  }

  #mark(change: Partial<Pick<ContainerRecord, 'started' | 'ready'>>): void {
    const before = this.#record;
    this.#record = { ...before, ...change };
    if (this.#record.started !== before.started || this.#record.ready !== before.ready)
      this.#options.onChange();
  }

  #act(action: HandlerAction, timeoutMs: number): Promise<ProbeOutcome> {
    const { host, podIps } = this.#context!;
    const target = {
      container: this.spec,
      podIp: podIps[0] ?? '127.0.0.1',
      connect: host.connect,
      spawn: (argv: readonly string[]) => this.spawn(argv, { tty: false, stdin: false }),
      clock: host.clock,
    };
    return sendProbe(action, target, timeoutMs);
  }

  #stop(process_: ContainerProcess, graceMs: number): Stopping {
    const { clock, events } = this.#context!.host;
    this.#probes?.[Symbol.dispose]();
    this.#probes = undefined;
    this.#mark({ ready: false });
    let deadlineMs = clock.nowMs() + graceMs;
    const arm = (): Disposable =>
      clock.setTimer(Math.max(0, deadlineMs - clock.nowMs()), () => process_.kill());
    let timer = arm();
    const ask = async (): Promise<void> => {
      const { preStop } = this.spec.lifecycle ?? {};
      if (preStop !== undefined && graceMs > 0) {
        const { success, message } = await this.#act(preStop, graceMs);
        if (!success)
          events.record(this.#context!.pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${message}`);
      }
      process_.terminate();
    };
    if (graceMs > 0) void ask();
    const done = process_.ended.then(() => {
      timer[Symbol.dispose]();
      this.#stopping = undefined;
    });
    return {
      done,
      hurry(ms) {
        if (clock.nowMs() + ms >= deadlineMs) return;
        deadlineMs = clock.nowMs() + ms;
        timer[Symbol.dispose]();
        timer = arm();
      },
    };
  }
}

/** How long a pod's containers are given to end, milliseconds. */
export function graceMsOf({ metadata, spec }: NodePod): number {
  return (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30) * 1000;
}
