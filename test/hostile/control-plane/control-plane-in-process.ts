import { KubeConfig } from '@kubernetes/client-node';
import { Logger, LogLevels, realClock, settingsFrom } from '@ambient/runtime';
import type { Clock, LogFields } from '@ambient/runtime';

import { startControlPlane } from '../../../packages/control-plane/src/app.ts';
import type { ControlPlane } from '../../../packages/control-plane/src/app.ts';
import { KubeConnection } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { loadControlPlaneSettings } from '../../../packages/control-plane/src/settings/settings.ts';
import type { LogLine } from './control-plane-process.ts';

/** A clock that runs faster than the machine's, and can be set. Both would take minutes, or root, with a real one. */
export class TestClock implements Clock {
  readonly #speed: number;
  readonly #startedMs = Date.now();
  #setByMs = 0;

  /** @param speed seconds of this clock in one of the machine's */
  constructor(speed = 1, aheadMs = 0) {
    this.#speed = speed;
    this.#setByMs = aheadMs;
  }

  nowMs(): number {
    return Math.round(this.#startedMs + (Date.now() - this.#startedMs) * this.#speed + this.#setByMs);
  }

  /** Timers that run go on as they were: only what the clock shows is another. */
  set(byMs: number): void {
    this.#setByMs += byMs;
  }

  setTimer(ms: number, fn: () => void): Disposable {
    return realClock.setTimer(ms / this.#speed, fn);
  }
}

/** A control plane in this process, where its clock can be had. */
export class ControlPlaneInProcess implements AsyncDisposable {
  readonly log: LogLine[];
  readonly ports: { readonly secureGrpc: number; readonly plaintextXds: number };
  readonly #running: ControlPlane;
  readonly #connection: KubeConnection;

  private constructor(running: ControlPlane, connection: KubeConnection, log: LogLine[]) {
    this.#running = running;
    this.#connection = connection;
    this.log = log;
    this.ports = { secureGrpc: running.ports.secureGrpc, plaintextXds: running.ports.plaintextXds! };
  }

  /** Starts it and waits until it knows the mesh. */
  static async start(kubeconfig: string, clock: Clock): Promise<ControlPlaneInProcess> {
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    const connection = new KubeConnection(config);
    const anyPort = '127.0.0.1:0';
    const settings = loadControlPlaneSettings(
      settingsFrom({
        PLAINTEXT_XDS_ADDRESS: anyPort,
        SECURE_GRPC_ADDRESS: anyPort,
        WEBHOOK_ADDRESS: anyPort,
        MONITORING_ADDRESS: anyPort,
        HTTP_ADDRESS: anyPort,
        POD_NAME: 'istiod-0',
      }),
    );
    const lines: LogLine[] = [];
    const sink = {
      write: (level: string, scope: string, message: string, fields: LogFields | undefined) =>
        void lines.push({ ...fields, level, scope, message }),
    };
    const log = new Logger(new LogLevels('info'), sink, 'app');
    try {
      const running = await startControlPlane({ settings, connection, log, clock });
      await running.ready;
      return new ControlPlaneInProcess(running, connection, lines);
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Errors in the log, but for the remark that a clock like ours brings about. */
  errors(): LogLine[] {
    return this.log.filter(({ level, message }) => level === 'error' && !message.startsWith('the clock of'));
  }

  lines(message: string): LogLine[] {
    return this.log.filter((line) => line.message === message);
  }

  line(message: string, after = 0): Promise<LogLine> {
    return waitFor(() => this.lines(message)[after], `a line "${message}"`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop();
    this.#connection[Symbol.dispose]();
  }
}
