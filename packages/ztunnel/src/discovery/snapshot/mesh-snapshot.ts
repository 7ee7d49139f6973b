import type { WorkloadCertificate } from '@ambient/identity';
import { formatSpiffe } from '@ambient/identity/peer';
import type { MeshStore, MeshUpdate } from '@ambient/mesh';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { snapshotRecords } from './records.ts';
import type { SnapshotFile } from './snapshot-file.ts';

/** What the last process has left. */
export interface LoadedSnapshot {
  /** Unix time in milliseconds. */
  readonly writtenAtMs: number;
  /** The mesh in parts, in an order in which they may be applied. */
  readonly parts: readonly (readonly MeshUpdate[])[];
  /** By SPIFFE id, those that are valid still. */
  readonly certificates: Map<string, WorkloadCertificate>;
}

/** What the mesh is now, for the next snapshot. */
export interface SnapshotSource {
  readonly store: MeshStore;
  readonly certificates: () => Iterable<WorkloadCertificate>;
}

export interface SnapshotMetrics {
  inUse(delta: number): void;
  written(result: 'success' | 'failure'): void;
}

export interface MeshSnapshotOptions {
  readonly file: Pick<SnapshotFile, 'read' | 'write'>;
  /** Asked when a snapshot is to be written. */
  readonly source: () => SnapshotSource;
  /** Whether the control plane is connected, so that what is held is known to be what holds. */
  readonly current: () => boolean;
  readonly metrics: SnapshotMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A change is written so much later, with all that came meanwhile. */
const quietMs = 10_000;
/** From one snapshot to the next: each takes a look at all of the mesh. */
const intervalMs = 60_000;
/** A mesh in which nothing changes is written again, so that it does not seem old. */
const refreshMs = 3_600_000;

/**
 * The last complete mesh on this node's disk, for a start at which the control plane does not answer: read when it is
 * needed, and written when the mesh has come from the control plane itself, a while after each change.
 */
export class MeshSnapshot implements AsyncDisposable {
  readonly #options: MeshSnapshotOptions;
  #loaded: Promise<LoadedSnapshot | undefined> | undefined;
  /** Set once the mesh is the control plane's. */
  #keeping = false;
  #timer: Disposable | undefined;
  #refresh: Disposable | undefined;
  #writing: Promise<void> | undefined;
  #lastAttemptMs = -Infinity;
  /** Unix time in milliseconds. */
  #writtenMs: number | undefined;
  #dirty = false;
  #usedSinceMs: number | undefined;
  #disposed = false;

  constructor(options: MeshSnapshotOptions) {
    this.#options = options;
  }

  /** What the last process has left, read once; undefined if there is nothing that may be used, which is logged. */
  load(): Promise<LoadedSnapshot | undefined> {
    return (this.#loaded ??= this.#load());
  }

  /** The mesh is the snapshot's from now on, until {@link keep}. */
  use(writtenAtMs: number): void {
    if (this.#usedSinceMs !== undefined) return;
    this.#usedSinceMs = writtenAtMs;
    this.#options.metrics.inUse(1);
  }

  /** The mesh is the control plane's now: it is kept from here on, and what was read is let go. */
  keep(): void {
    if (this.#keeping || this.#disposed) return;
    this.#keeping = true;
    if (this.#usedSinceMs !== undefined) this.#options.metrics.inUse(-1);
    this.#usedSinceMs = undefined;
    // The certificates may still be wanted: the CA is another service.
    this.#loaded = this.#loaded?.then((loaded) => loaded && { ...loaded, parts: [] });
    this.changed();
    this.#scheduleRefresh();
  }

  /** The mesh or a certificate is another. */
  changed(): void {
    if (!this.#keeping || this.#dirty) return;
    this.#dirty = true;
    this.#schedule();
  }

  /** For dumps. */
  status(): object {
    return {
      inUse: this.#usedSinceMs !== undefined,
      ...(this.#usedSinceMs === undefined ? {} : { of: new Date(this.#usedSinceMs).toISOString() }),
      ...(this.#writtenMs === undefined ? {} : { lastWritten: new Date(this.#writtenMs).toISOString() }),
    };
  }

  /** Writes no more; settles when a write that is under way has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#refresh?.[Symbol.dispose]();
    await this.#writing;
  }

  async #load(): Promise<LoadedSnapshot | undefined> {
    const { file, log, clock } = this.#options;
    const parts: MeshUpdate[][] = [];
    const certificates = new Map<string, WorkloadCertificate>();
    try {
      const header = await file.read((records) => {
        const updates: MeshUpdate[] = [];
        for (const record of records) {
          if (record.kind === 'mesh') updates.push(record.update);
          else if (!record.certificate.expiredAt(clock.nowMs()))
            certificates.set(formatSpiffe(record.certificate.identity), record.certificate);
        }
        if (updates.length > 0) parts.push(updates);
      });
      if (header === undefined) {
        log.info('there is no snapshot of the mesh: waiting for the control plane');
        return undefined;
      }
      return { writtenAtMs: header.writtenAtMs, parts, certificates };
    } catch (error) {
      log.warn('the snapshot of the mesh is not used: waiting for the control plane', {
        error: describeError(error),
      });
      return undefined;
    }
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#disposed) return;
    const { clock } = this.#options;
    const dueMs = Math.max(clock.nowMs() + quietMs, this.#lastAttemptMs + intervalMs);
    this.#timer = clock.setTimer(dueMs - clock.nowMs(), () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#dirty) this.#schedule();
      });
    });
  }

  async #write(): Promise<void> {
    const { file, source, metrics, clock, log } = this.#options;
    const startMs = clock.nowMs();
    this.#dirty = false;
    this.#lastAttemptMs = startMs;
    try {
      const { store, certificates } = source();
      await file.write(snapshotRecords(store, certificates()));
      this.#writtenMs = startMs;
      metrics.written('success');
      log.debug('snapshot of the mesh written', { took: `${Math.round(clock.nowMs() - startMs)}ms` });
    } catch (error) {
      metrics.written('failure');
      this.#dirty = true;
      log.warn(
        'the snapshot of the mesh cannot be written: a start without the control plane would wait for it',
        {
          error: describeError(error),
        },
      );
    }
  }

  #scheduleRefresh(): void {
    this.#refresh = this.#options.clock.setTimer(refreshMs, () => {
      if (this.#options.current()) this.changed();
      this.#scheduleRefresh();
    });
  }
}
