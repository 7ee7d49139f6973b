import { MeshStore, UpdatePacker } from '@ambient/mesh';
import type { MeshChange, MeshUpdate } from '@ambient/mesh';
import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';

/** Updates in one message: a whole mesh in one would be copied in one piece, and hold up the workers as long. */
const updatesPerMessage = 500;

/**
 * The main thread's copy of the mesh, and the one stream of updates by which every worker keeps its own. Whatever source
 * an update comes from, all copies see the same updates in the same order.
 */
export class MeshReplicator {
  readonly store = new MeshStore();
  readonly #toWorkers: (message: ToWorker) => void;
  readonly #packer = new UpdatePacker();
  #generation = 0;
  readonly #onChange: (change: MeshChange) => void;

  /** @param onChange called after the workers have been sent what changed */
  constructor(toWorkers: (message: ToWorker) => void, onChange: (change: MeshChange) => void) {
    this.#toWorkers = toWorkers;
    this.#onChange = onChange;
  }

  /** Counts changes, for what is derived from the store and kept. */
  get generation(): number {
    return this.#generation;
  }

  apply(updates: readonly MeshUpdate[]): void {
    const change = this.store.apply(updates);
    this.#generation++;
    for (let i = 0; i < updates.length; i += updatesPerMessage)
      this.#toWorkers(this.#message(this.#packer, updates.slice(i, i + updatesPerMessage)));
    this.#onChange(change);
  }

  /** Sends a new worker the whole mesh: policies before the workloads that they protect, services before endpoints. */
  introduce(worker: WorkerLink): void {
    // What the others have been told in short is news to this one, now and in what all are told from here on.
    this.#packer.restart();
    const packer = new UpdatePacker();
    let batch: MeshUpdate[] = [];
    const flush = (): void => {
      if (batch.length > 0) worker.post(this.#message(packer, batch));
      batch = [];
    };
    for (const update of this.#everything()) {
      batch.push(update);
      if (batch.length === updatesPerMessage) flush();
    }
    flush();
  }

  #message(packer: UpdatePacker, updates: readonly MeshUpdate[]): ToWorker {
    return { kind: 'mesh', updates: packer.pack(updates, (uid) => this.store.workload(uid)) };
  }

  *#everything(): IterableIterator<MeshUpdate> {
    for (const { key, policy } of this.store.allPolicies()) yield { kind: 'policy', key, policy };
    for (const { service } of this.store.allServices()) yield { kind: 'service', service };
    for (const workload of this.store.allWorkloads()) yield { kind: 'workload', workload };
  }
}
