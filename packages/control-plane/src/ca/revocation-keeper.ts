/** Revokes certificates, and keeps signed revocation lists of every authority whose certificates may be alive. */
import { describeError } from '@ambient/runtime';
import { formatSpiffe, parseSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import { issueRevocationList, toPem } from '@ambient/identity/signing';
import type { Clock, Logger } from '@ambient/runtime';

import { CaMaterialError } from './ca-material-error.ts';
import type { CaMetricsSink } from './ca-metrics.ts';
import type { StoredCertificates } from './issued-keeper.ts';
import type { IssuedEntry, IssuedLog } from './issued-log.ts';
import { editRevocations, normalizeSerial, withIdentity, withSerials } from './revocation-edit.ts';
import type { Revocation } from './revocation-edit.ts';
import { nothingRevokedYet, revocationReasons } from './revocation-record.ts';
import type { RevocationReason, RevocationRecord, RevokedIdentity } from './revocation-record.ts';
import type { TrustState } from './rotation.ts';
import type { SecretApi } from './secret-api.ts';
import type { SigningAuthority } from './signing-authority.ts';

export interface RevocationKeeperOptions {
  readonly secrets: SecretApi;
  readonly trust: () => TrustState;
  /** What this replica has issued. */
  readonly issued: Pick<IssuedLog, 'find'>;
  /** What any replica has issued and stored, also before a restart. */
  readonly stored: (identity: Identity) => Promise<StoredCertificates>;
  /** Longest life of a leaf, milliseconds: a revoked one is remembered for that long. */
  readonly maxTtlMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CaMetricsSink;
  /** Milliseconds that a list is good for; 7 days if absent. It is replaced after half of that. */
  readonly listLifetimeMs?: number;
  readonly pollMs?: number;
}

const weekMs = 7 * 24 * 3600 * 1000;

export class RevocationKeeper implements Disposable {
  readonly #options: RevocationKeeperOptions;
  readonly #listeners = new Set<(listsPem: string) => void>();
  #record: RevocationRecord = nothingRevokedYet;
  #serials: ReadonlySet<string> = new Set();
  /** What was stored of revoked identities, by time and identity: it is looked up once. */
  readonly #found = new Map<string, readonly IssuedEntry[]>();
  #leading = false;
  #disposed = false;
  #timer: Disposable | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #reported = '';

  constructor(options: RevocationKeeperOptions) {
    this.#options = options;
  }

  /** The signed lists in PEM; undefined as long as nothing was ever revoked. */
  get listsPem(): string | undefined {
    return this.#record.listsPem === '' ? undefined : this.#record.listsPem;
  }

  /** Whether a certificate of this serial number (lower-case hex) is revoked. */
  isRevoked(serialNumber: string): boolean {
    return this.#serials.has(serialNumber);
  }

  onChange(listener: (listsPem: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  lead(): Promise<void> {
    this.#leading = true;
    return this.refresh();
  }

  stopLeading(): void {
    this.#leading = false;
  }

  /** Reads what is stored, adds what this replica must, and signs if it leads. Never rejects. */
  async refresh(): Promise<void> {
    try {
      await this.#change((record) => record);
      this.#reported = '';
    } catch (error) {
      this.#report(error);
    } finally {
      this.#arm();
    }
  }

  /**
   * Revokes one certificate.
   *
   * @param serialNumber hex, colons allowed, as tools print it
   * @throws RevocationRequestError; CaMaterialError or the API's error if it could not be stored
   */
  async revokeSerial(serialNumber: string, reason: RevocationReason): Promise<void> {
    const serial = normalizeSerial(serialNumber);
    await this.#change((record, nowMs) => withSerials(record, [serial], this.#revocation(reason, nowMs)));
  }

  /**
   * Revokes every valid certificate of an identity. Each replica adds those that it has issued, the leader those that are
   * stored from before. What a replica issued within minutes before it was killed may be missing: its audit lines have
   * the serial numbers.
   *
   * @returns how many this replica knew
   */
  async revokeIdentity(identity: Identity, reason: RevocationReason): Promise<number> {
    const nowMs = this.#options.clock.nowMs();
    const known = this.#options.issued.find(identity, nowMs, nowMs);
    await this.#change((record) => withIdentity(record, identity, this.#revocation(reason, nowMs)));
    return known.length;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  /** Reads, changes and writes the record, again if somebody else wrote in between. One at a time. */
  #change(edit: (record: RevocationRecord, nowMs: number) => RevocationRecord): Promise<void> {
    const run = async (): Promise<void> => {
      if (this.#disposed) return;
      const { secrets, clock } = this.#options;
      const record = await editRevocations(secrets, async (before) => {
        const nowMs = clock.nowMs();
        const edited = this.#prune(await this.#withIdentities(edit(before, nowMs), nowMs), nowMs);
        return this.#leading ? this.#withLists(edited, nowMs) : edited;
      });
      this.#apply(record);
    };
    const done = this.#last.then(run);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #revocation(reason: RevocationReason, revokedMs: number): Revocation {
    return { reason, revokedMs, maxTtlMs: this.#options.maxTtlMs };
  }

  /** Adds the certificates of revoked identities: those that this replica issued, and if it leads those that are stored. */
  async #withIdentities(record: RevocationRecord, nowMs: number): Promise<RevocationRecord> {
    let result = record;
    for (const { identity, reason, revokedMs } of record.identities) {
      const parsed = parseSpiffe(identity)!;
      const issued = [
        ...this.#options.issued.find(parsed, revokedMs, nowMs),
        ...(this.#leading ? await this.#stored(parsed, revokedMs, nowMs) : []),
      ];
      const serials = issued.map(({ serialNumber }) => serialNumber);
      result = withSerials(result, serials, this.#revocation(reason, revokedMs));
    }
    return result;
  }

  /** What is issued later is none of this revocation, and replicas that live add their own: so once is enough. */
  async #stored(identity: Identity, revokedMs: number, nowMs: number): Promise<readonly IssuedEntry[]> {
    const name = formatSpiffe(identity);
    const search = searchOf({ identity: name, revokedMs });
    const known = this.#found.get(search);
    if (known !== undefined) return known;
    const { entries, forgottenMs } = await this.#options.stored(identity);
    if (forgottenMs > nowMs)
      this.#options.logger.warn(
        'more was issued than is kept: certificates of a revoked identity may be missing',
        {
          identity: name,
          validUntil: new Date(forgottenMs).toISOString(),
        },
      );
    const found = entries.filter(({ issuedMs, notAfterMs }) => issuedMs <= revokedMs && notAfterMs > nowMs);
    this.#found.set(search, found);
    return found;
  }

  #prune(record: RevocationRecord, nowMs: number): RevocationRecord {
    // The command line may have been told of a shorter life than this CA grants.
    const alive = (it: { untilMs: number; revokedMs: number }): boolean =>
      Math.max(it.untilMs, it.revokedMs + this.#options.maxTtlMs) > nowMs;
    if (record.certificates.every(alive) && record.identities.every(alive)) return record;
    return {
      ...record,
      certificates: record.certificates.filter(alive),
      identities: record.identities.filter(alive),
    };
  }

  /** Signs new lists if what they hold, who signs them, or half their life says so. */
  async #withLists(record: RevocationRecord, nowMs: number): Promise<RevocationRecord> {
    const { signing, retired } = this.#options.trust();
    const authorities = [signing, ...retired.map(({ authority }) => authority)];
    // Nothing was ever revoked: proxies need no list.
    if (record.certificates.length === 0 && record.listNumber === 0) return record;
    const signedFor = describeLists(authorities, record);
    const lifetimeMs = this.#options.listLifetimeMs ?? weekMs;
    if (record.signedFor === signedFor && nowMs < record.nextUpdateMs - lifetimeMs / 2) return record;
    const number = record.listNumber + 1;
    const lists: string[] = [];
    // Each authority lists all: serial numbers are random, and one that another authority issued harms nobody.
    for (const authority of authorities)
      lists.push(await signList(authority, record, { number, nowMs, nextUpdateMs: nowMs + lifetimeMs }));
    return {
      ...record,
      listNumber: number,
      nextUpdateMs: nowMs + lifetimeMs,
      signedFor,
      listsPem: lists.join(''),
    };
  }

  #apply(record: RevocationRecord): void {
    const changed = record.listsPem !== this.#record.listsPem;
    this.#record = record;
    this.#serials = new Set(record.certificates.map(({ serialNumber }) => serialNumber));
    const searches = new Set(record.identities.map(searchOf));
    for (const search of this.#found.keys()) if (!searches.has(search)) this.#found.delete(search);
    if (changed) for (const listener of this.#listeners) listener(record.listsPem);
  }

  #arm(): void {
    if (this.#disposed) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.clock.setTimer(this.#options.pollMs ?? 30_000, () => void this.refresh());
  }

  #report(error: unknown): void {
    const code = error instanceof CaMaterialError ? error.code : 'unreadable';
    this.#options.metrics.add('ca_material_errors_total', [code]);
    const reason = describeError(error);
    if (reason === this.#reported) return;
    this.#reported = reason;
    // What cannot be read now may be as it was; what was read and is wrong needs somebody.
    const level = code === 'unreadable' ? 'warn' : 'error';
    this.#options.logger.log(level, 'the CA goes on with the last good revocation list', {
      code,
      error: reason,
    });
  }
}

function searchOf({ identity, revokedMs }: Pick<RevokedIdentity, 'identity' | 'revokedMs'>): string {
  return `${revokedMs} ${identity}`;
}

/** Equal while no new list is needed. */
function describeLists(authorities: readonly SigningAuthority[], record: RevocationRecord): string {
  const serials = record.certificates.map(({ serialNumber }) => serialNumber);
  return `${authorities.map(({ id }) => id).join()}/${serials.length}/${serials.at(-1) ?? ''}`;
}

async function signList(
  authority: SigningAuthority,
  { certificates }: RevocationRecord,
  { number, nowMs, nextUpdateMs }: { number: number; nowMs: number; nextUpdateMs: number },
): Promise<string> {
  const der = await issueRevocationList({
    issuer: authority.signer,
    entries: certificates.map(({ serialNumber, revokedMs, reason }) => ({
      serialNumber,
      revokedMs,
      reason: revocationReasons[reason],
    })),
    thisUpdateMs: nowMs,
    nextUpdateMs,
    number,
  });
  return toPem(der, 'X509 CRL');
}
