import type { Clock, Logger, Readiness } from '@ambient/runtime';
import type { ZtunnelSettings } from '../settings.ts';
import type { AgentProtocolError } from './errors.ts';
import { NodePods } from './node-pods.ts';
import type { NodePodsMetrics, NodePodsOptions } from './node-pods.ts';
import { ZdsClient } from './zds-client.ts';

/** What readiness waits for in shared mode, as Istio's ztunnel names it. */
const captureBlocker = 'workload proxy manager';

export interface CaptureOptions {
  readonly settings: Pick<ZtunnelSettings, 'inpod' | 'drainDeadlineMs'>;
  readonly readiness: Readiness;
  /** Of pods whose workload the control plane has not told yet. */
  readonly trustDomain: () => string;
  readonly identities: NodePodsOptions['identities'];
  readonly metrics: NodePodsMetrics;
  /** The node agent breaks the protocol: the process has to end. */
  readonly onFatal: (error: AgentProtocolError) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Shared mode: which pods of the node are served, by the word of the node agent. */
export class Capture implements AsyncDisposable {
  readonly pods: NodePods;
  readonly #client: ZdsClient;
  readonly #readiness: Readiness;
  #blocker: Disposable | undefined;

  constructor(options: CaptureOptions) {
    const { settings, readiness, trustDomain, identities, metrics, onFatal, clock, log } = options;
    this.#readiness = readiness;
    this.#blocker = readiness.block(captureBlocker);
    this.pods = new NodePods({
      clock,
      drainMs: settings.drainDeadlineMs,
      trustDomain,
      identities,
      metrics,
      log,
    });
    this.#client = new ZdsClient({
      path: settings.inpod.udsPath,
      pods: this.pods,
      onReady: (ready) => this.#setReady(ready),
      onFatal,
      clock,
      log,
    });
  }

  /** Dials the node agent. The mesh must be known: a pod that is captured is carried at once. */
  start(): void {
    this.#client.start();
  }

  /** Leaves the node agent, which gives new pods to another ztunnel; what is served is served on. */
  leaveAgent(): Promise<void> {
    return this.#client.stop();
  }

  /** To be called when the workers have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.stop();
    this.pods[Symbol.dispose]();
  }

  #setReady(ready: boolean): void {
    if (ready) {
      this.#blocker?.[Symbol.dispose]();
      this.#blocker = undefined;
    } else this.#blocker ??= this.#readiness.block(captureBlocker);
  }
}
