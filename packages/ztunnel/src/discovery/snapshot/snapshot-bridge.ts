import type { MeshUpdate } from '@ambient/mesh';
import { updateKey } from '@ambient/xds';

/**
 * How the mesh of a snapshot gives way to that of the sources: what a source has spoken about is never taken from the
 * snapshot, and what no source has spoken about by the time of its first complete state is gone. Until then the two are
 * mixed, and the sources' word counts.
 */
export class SnapshotBridge {
  /** What the sources have spoken about, be it that it is gone. */
  readonly #spoken = new Set<string>();
  /** What holds only because the snapshot says so. */
  readonly #borrowed = new Map<string, MeshUpdate>();

  /** Updates of a source go by. */
  note(updates: readonly MeshUpdate[]): void {
    for (const update of updates) {
      const key = bridgeKey(update);
      this.#spoken.add(key);
      this.#borrowed.delete(key);
    }
  }

  /** @returns what of the snapshot is news */
  borrow(updates: readonly MeshUpdate[]): MeshUpdate[] {
    const news = updates.filter((update) => !this.#spoken.has(bridgeKey(update)));
    for (const update of news) this.#borrowed.set(bridgeKey(update), removalOf(update));
    return news;
  }

  /** The sources are complete. @returns what takes back all that is only the snapshot's */
  giveBack(): MeshUpdate[] {
    const removals = [...this.#borrowed.values()];
    this.#borrowed.clear();
    this.#spoken.clear();
    return removals;
  }
}

/** Policies have names of their own beside those of addresses. */
function bridgeKey(update: MeshUpdate): string {
  const isPolicy = update.kind === 'policy' || update.kind === 'remove-policy';
  return `${isPolicy ? 'policy' : 'address'}:${updateKey(update)}`;
}

function removalOf(update: MeshUpdate): MeshUpdate {
  return update.kind === 'policy' || update.kind === 'remove-policy'
    ? { kind: 'remove-policy', key: updateKey(update) }
    : { kind: 'remove-address', key: updateKey(update) };
}
