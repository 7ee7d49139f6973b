/** Stores what this replica issues, so that identities can be revoked after it is gone. */
import { describeError } from '@ambient/runtime';
import { formatSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import type { Clock, Logger } from '@ambient/runtime';

import { CaMaterialError } from './ca-material-error.ts';
import type { CaMetricsSink } from './ca-metrics.ts';
import type { IssuedEntry, IssuedLog } from './issued-log.ts';
import {
  issuedSecretName,
  mergeIssued,
  nothingIssuedYet,
  readIssuedRecord,
  writeIssuedRecord,
} from './issued-record.ts';
import type { IssuedRecord } from './issued-record.ts';
import type { SecretApi, StoredSecret } from './secret-api.ts';

export interface IssuedKeeperOptions {
  readonly secrets: SecretApi;
  /** What this replica has issued, stored or not. */
  readonly log: IssuedLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CaMetricsSink;
}

/** Stored certificates of an identity. */
export interface StoredCertificates {
  readonly entries: readonly IssuedEntry[];
  /** Some that end before this may be missing, Unix milliseconds; 0: none is. */
  readonly forgottenMs: number;
}

const writeAttempts = 8;
/** Certificates that wait to be stored; as many as the log remembers. */
const maxPending = 200_000;
/** A replica that is killed takes with it what it issued in this time at most, milliseconds. */
const soonestMs = 15_000;
const latestMs = 300_000;
/** What a replica may write to the API server on average, bytes a millisecond: large meshes are stored less often. */
const bytesPerMs = 20;

/** Gathers what is issued, and adds it to the Secrets every 15 s to 5 min, by how much there is to write. */
export class IssuedKeeper implements Disposable {
  readonly #options: IssuedKeeperOptions;
  /** By Secret, by SPIFFE URI. */
  #pending = new Map<string, Map<string, IssuedEntry[]>>();
  #pendingEntries = 0;
  #timer: Disposable | undefined;
  #storing: Promise<void> = Promise.resolve();
  #waitMs = soonestMs;
  #disposed = false;
  #reported = '';

  constructor(options: IssuedKeeperOptions) {
    this.#options = options;
  }

  add(identity: Identity, entry: IssuedEntry): void {
    this.#options.log.add(identity, entry);
    // The API server has been away for hours; that is in the log already.
    if (this.#pendingEntries >= maxPending) return;
    this.#pendingEntries += 1;
    const secret = issuedSecretName(identity);
    const shard = this.#pending.get(secret) ?? new Map<string, IssuedEntry[]>();
    this.#pending.set(secret, shard);
    const name = formatSpiffe(identity);
    const entries = shard.get(name);
    if (entries === undefined) shard.set(name, [entry]);
    else entries.push(entry);
    this.#arm();
  }

  /** Certificates of an identity that any replica has stored. @throws CaMaterialError, and the API's errors */
  async stored(identity: Identity): Promise<StoredCertificates> {
    const { record } = await this.#read(issuedSecretName(identity));
    return { entries: record.issued.get(formatSpiffe(identity)) ?? [], forgottenMs: record.forgottenMs };
  }

  /** Stores all that is not stored yet. Never rejects: what could not be stored is tried again later. */
  store(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#storing = this.#storing.then(() => this.#store());
    return this.#storing;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  async #store(): Promise<void> {
    const pending = this.#pending;
    this.#pending = new Map();
    this.#pendingEntries = 0;
    let bytes = 0;
    const outcomes = await Promise.allSettled(
      Array.from(pending, async ([secret, shard]) => {
        bytes += await this.#merge(secret, shard);
      }),
    );
    for (const [index, secret] of [...pending.keys()].entries()) {
      const outcome = outcomes[index]!;
      if (outcome.status === 'fulfilled') continue;
      this.#keep(secret, pending.get(secret)!);
      this.#report(outcome.reason);
    }
    if (outcomes.every(({ status }) => status === 'fulfilled')) this.#reported = '';
    this.#waitMs = Math.min(latestMs, Math.max(soonestMs, bytes / bytesPerMs));
    if (this.#pending.size > 0) this.#arm();
  }

  /** @returns how much was written, bytes */
  async #merge(name: string, shard: ReadonlyMap<string, readonly IssuedEntry[]>): Promise<number> {
    const { secrets, clock } = this.#options;
    for (let attempt = 0; attempt < writeAttempts; attempt++) {
      const { secret, record } = await this.#read(name);
      const files = writeIssuedRecord(mergeIssued(record, shard, clock.nowMs()));
      const written =
        secret === undefined
          ? await secrets.create({ name, type: 'Opaque', files })
          : await secrets.replace(secret, files);
      if (written) return Object.values(files).reduce((sum, text) => sum + text.length, 0);
    }
    throw new CaMaterialError(
      'contended',
      `Secret ${secrets.namespace}/${name} changes under our hands. Check that only one control plane uses this namespace.`,
    );
  }

  async #read(name: string): Promise<{ secret: StoredSecret | undefined; record: IssuedRecord }> {
    const { secrets } = this.#options;
    const secret = await secrets.read(name);
    if (secret === undefined) return { secret, record: nothingIssuedYet };
    return { secret, record: readIssuedRecord(secret.files, `Secret ${secrets.namespace}/${name}`) };
  }

  /** Puts back what could not be stored. */
  #keep(secret: string, shard: ReadonlyMap<string, IssuedEntry[]>): void {
    const nowMs = this.#options.clock.nowMs();
    const later = this.#pending.get(secret) ?? new Map<string, IssuedEntry[]>();
    this.#pending.set(secret, later);
    for (const [identity, entries] of shard) {
      const alive = entries.filter(({ notAfterMs }) => notAfterMs > nowMs);
      if (alive.length > 0) later.set(identity, [...alive, ...(later.get(identity) ?? [])]);
      this.#pendingEntries += alive.length;
    }
  }

  #arm(): void {
    if (this.#disposed || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimer(this.#waitMs, () => void this.store());
  }

  #report(error: unknown): void {
    const { logger, metrics } = this.#options;
    metrics.add('ca_material_errors_total', [error instanceof CaMaterialError ? error.code : 'unreadable']);
    const reason = describeError(error);
    if (reason === this.#reported) return;
    this.#reported = reason;
    logger.warn('what was issued cannot be stored; revoking an identity would miss it after a restart', {
      error: reason,
    });
  }
}
