import type { MeshUpdate } from '@ambient/mesh';
import type { Clock, Logger } from '@ambient/runtime';
import { LocalSource } from '@ambient/xds';
import type { DeltaClient, DeltaClientOptions, XdsMetrics } from '@ambient/xds';
import type { WorkerLink } from '../workers/data-workers.ts';
import { controlPlaneClient } from './control-plane.ts';
import type { ControlPlaneSettings } from './control-plane.ts';
import type { MeshSnapshot } from './snapshot/mesh-snapshot.ts';
import { SnapshotBridge } from './snapshot/snapshot-bridge.ts';

/** What discovery needs of a control plane's client; tests give a fake. */
export type ControlPlaneClient = Pick<DeltaClient, 'start' | 'stop' | 'demand' | 'status'>;

export interface DiscoveryOptions {
  readonly settings: ControlPlaneSettings;
  readonly onUpdate: (updates: readonly MeshUpdate[]) => void;
  /** Called once: every source has given its first complete state, a snapshot stands in for it, or there is none. */
  readonly onSynced: () => void;
  /** Stands in for a control plane that does not answer at the start. */
  readonly snapshot?: Pick<MeshSnapshot, 'load' | 'use' | 'keep' | 'status'> | undefined;
  readonly metrics: XdsMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly connect?: (
    address: string,
    settings: ControlPlaneSettings,
    handlers: Omit<DeltaClientOptions, 'transport' | 'node' | 'onDemand'>,
  ) => ControlPlaneClient;
}

/** A connection waits for an answer to its demand no longer than this; then it goes by what is known. */
const demandPatienceMs = 5000;
/** How long the control plane may take for its first complete state before a snapshot is used. */
export const coldStartPatienceMs = 3000;

/**
 * Where the mesh comes from: the local document, the control plane, both or neither. Updates of both go into one stream; of
 * two sources that name the same resource the later word counts.
 */
export class Discovery implements Disposable {
  readonly #options: DiscoveryOptions;
  readonly #local: LocalSource | undefined;
  readonly #client: ControlPlaneClient | undefined;
  readonly #demands = new Map<WorkerLink, Set<Disposable>>();
  readonly #unsynced = new Set<string>();
  /** While the control plane has yet to give its first complete state. */
  #bridge: SnapshotBridge | undefined;
  #patience: Disposable | undefined;

  constructor(options: DiscoveryOptions) {
    const { settings, metrics, clock, log } = options;
    const { local, address } = settings.xds;
    this.#options = options;
    const onUpdate = (updates: readonly MeshUpdate[]): void => {
      this.#bridge?.note(updates);
      options.onUpdate(updates);
    };
    if (local !== undefined) {
      const document = local.kind === 'file' ? { path: local.path } : { yaml: local.yaml };
      this.#local = new LocalSource({ document, onUpdate, log, clock });
      this.#unsynced.add('local');
    }
    if (address !== undefined) {
      this.#client = (options.connect ?? controlPlaneClient)(address, settings, {
        onUpdate,
        onReady: () => this.#controlPlaneReady(),
        metrics,
        clock,
        log,
      });
      this.#unsynced.add('control plane');
      if (options.snapshot !== undefined) this.#bridge = new SnapshotBridge();
    }
  }

  /** Loads the local document and connects to the control plane. @throws LocalSourceError */
  start(): void {
    const { log, onSynced } = this.#options;
    if (this.#unsynced.size === 0) {
      log.warn('neither a control plane nor a local mesh is configured: all traffic passes as it is');
      onSynced();
      return;
    }
    this.#client?.start();
    if (this.#bridge !== undefined)
      this.#patience = this.#options.clock.setTimer(coldStartPatienceMs, () => void this.#standIn());
    if (this.#local === undefined) return;
    this.#local.start();
    this.#synced('local');
  }

  /** Answers `demand`: when the control plane has spoken about the key, or its time is up. */
  demand(worker: WorkerLink, key: string): void {
    const answer = (): void => worker.post({ kind: 'demanded', key });
    if (this.#client === undefined) {
      answer();
      return;
    }
    let open = true;
    const finish = (): void => {
      if (!open) return;
      open = false;
      this.#demands.get(worker)?.delete(pending);
      pending[Symbol.dispose]();
      answer();
    };
    const owned = new DisposableStack();
    const pending: Disposable = { [Symbol.dispose]: () => owned.dispose() };
    const asked = this.#client.demand(key, finish);
    if (!open) return;
    owned.use(asked);
    owned.use(
      this.#options.clock.setTimer(demandPatienceMs, () => {
        this.#options.log.warn('the control plane did not answer a demand in time', { key });
        finish();
      }),
    );
    let demands = this.#demands.get(worker);
    if (demands === undefined) this.#demands.set(worker, (demands = new Set()));
    demands.add(pending);
  }

  /** Forgets what a worker that has died was waiting for. */
  forget(worker: WorkerLink): void {
    for (const pending of this.#demands.get(worker) ?? []) pending[Symbol.dispose]();
    this.#demands.delete(worker);
  }

  /** For dumps. */
  status(): object {
    return {
      local: this.#local?.status(),
      controlPlane: this.#client?.status(),
      ...(this.#options.snapshot === undefined ? {} : { snapshot: this.#options.snapshot.status() }),
    };
  }

  /** Whether the mesh is the control plane's, and it is connected. */
  get current(): boolean {
    const status = this.#client?.status();
    return status?.ready === true && status.state === 'connected';
  }

  [Symbol.dispose](): void {
    this.#bridge = undefined;
    this.#patience?.[Symbol.dispose]();
    for (const worker of this.#demands.keys()) this.forget(worker);
    this.#local?.[Symbol.dispose]();
    this.#client?.stop();
  }

  /** The control plane takes its time: the mesh is the snapshot's for now. */
  async #standIn(): Promise<void> {
    const { snapshot, onUpdate, clock, log } = this.#options;
    const loaded = await snapshot?.load();
    const bridge = this.#bridge;
    if (loaded === undefined || bridge === undefined) return;
    log.warn('the control plane does not answer: the mesh is as the snapshot on this node says', {
      age: `${Math.round((clock.nowMs() - loaded.writtenAtMs) / 1000)}s`,
      patience: `${coldStartPatienceMs}ms`,
    });
    for (const part of loaded.parts) {
      onUpdate(bridge.borrow(part));
      await new Promise((resolve) => void setImmediate(resolve)); // others have their turn
      if (this.#bridge !== bridge) return;
    }
    snapshot?.use(loaded.writtenAtMs);
    this.#synced('control plane');
  }

  #controlPlaneReady(): void {
    const { snapshot, onUpdate, log } = this.#options;
    this.#patience?.[Symbol.dispose]();
    const gone = this.#bridge?.giveBack() ?? [];
    this.#bridge = undefined;
    if (gone.length > 0) {
      log.info("the mesh is the control plane's again: what only the snapshot had is removed", {
        removed: gone.length,
      });
      onUpdate(gone);
    }
    this.#synced('control plane');
    snapshot?.keep();
  }

  #synced(source: string): void {
    if (this.#unsynced.delete(source) && this.#unsynced.size === 0) this.#options.onSynced();
  }
}
