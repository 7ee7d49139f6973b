/** The revocation lists of `CRL_PATH`, kept current. Main thread only; data workers get the {@link RevocationSet}. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Clock } from '@ambient/runtime';

import { CrlError, crlIssuer, parseRevocationLists, verifyRevocationList } from './crl.ts';
import type { CrlIssuer, RevocationList } from './crl.ts';
import { nothingRevoked } from './revocation-set.ts';
import type { RevocationSet, RevokedSerials } from './revocation-set.ts';
import { WatchedFile } from './watched-file.ts';

export interface RevocationFileOptions {
  readonly path: string;
  readonly clock: Clock;
  /** A new set is in force: give it to the workers, and cut live connections that it revokes. */
  readonly onUpdate: (revocations: RevocationSet) => void;
  /** To be logged as an error; the message says what stays in force. */
  readonly onError: (error: Error) => void;
}

/**
 * - `absent`: there was no file yet; nothing is revoked until it appears
 * - `loaded`: lists are in force
 * - `off`: the file was unreadable at start; it is not looked at again until a restart
 */
export type RevocationState = 'absent' | 'loaded' | 'off';

/** The revocation file cannot be used; the message says what is in force instead. */
export class RevocationFileError extends Error {
  override readonly name = 'RevocationFileError';
  readonly code = 'crl-unusable';
}

const debounceMs = 2000;
const pollMs = 10_000;

/**
 * Watches a file of revocation lists, as Istio's ztunnel does: absent at start means none until it appears; unreadable
 * or malformed at start turns revocation off until a restart, with an error; a reload that fails, or a file that
 * vanishes, leaves the last good lists in force.
 *
 * Lists of a CA that we know must be signed by it; of other CAs (intermediates that only peers send) they are believed,
 * since the file is the operator's, and dropping them would let revoked certificates in.
 */
export class RevocationFile implements Disposable {
  readonly #options: RevocationFileOptions;
  readonly #watch: WatchedFile | undefined;
  #state: RevocationState;
  #lists: readonly RevocationList[] = [];
  #issuers: readonly CrlIssuer[] = [];
  #issuersPem = '';
  #current: RevocationSet = nothingRevoked;

  constructor(options: RevocationFileOptions) {
    this.#options = options;
    const { path, clock } = options;
    const watched = new WatchedFile({ path, clock, debounceMs, pollMs, onChange: () => this.#reload() });
    this.#state = this.#readFirst();
    if (this.#state === 'off') watched[Symbol.dispose]();
    else this.#watch = watched;
  }

  get state(): RevocationState {
    return this.#state;
  }

  /** What is revoked now. */
  get current(): RevocationSet {
    return this.#current;
  }

  /**
   * Tells which CAs are known: roots and intermediates that came with our own certificates, PEM. Lists in force that
   * one of them should have signed, and did not, are put out of force.
   */
  setIssuers(certificatesPem: readonly string[]): void {
    const joined = certificatesPem.join('');
    if (joined === this.#issuersPem) return;
    this.#issuersPem = joined;
    this.#issuers = certificatesPem.flatMap((pem) => crlIssuer(new X509Certificate(pem)) ?? []);
    const good = this.#lists.filter((list) => verifyRevocationList(list, this.#issuers) !== 'invalid');
    if (good.length === this.#lists.length) return;
    this.#options.onError(
      this.#error(
        'holds a list that its CA did not sign; that list is out of force. Have the CA issue it again',
        undefined,
      ),
    );
    this.#enforce(good);
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  #readFirst(): RevocationState {
    try {
      const lists = this.#read();
      if (lists === undefined) return 'absent';
      this.#lists = lists;
      this.#current = toSet(lists);
      return 'loaded';
    } catch (cause) {
      this.#options.onError(
        this.#error('is unusable; revocation is off until a restart. Put it right, then restart', cause),
      );
      return 'off';
    }
  }

  #reload(): void {
    try {
      const lists = this.#read();
      if (lists === undefined) {
        if (this.#state === 'loaded')
          this.#options.onError(this.#error('is gone; the last good lists stay in force', undefined));
        return;
      }
      this.#state = 'loaded';
      this.#enforce(lists);
    } catch (cause) {
      const kept = this.#state === 'loaded' ? 'the last good lists stay in force' : 'nothing is revoked yet';
      this.#options.onError(this.#error(`is unusable; ${kept}. Put it right, and it is read again`, cause));
    }
  }

  #read(): RevocationList[] | undefined {
    let content: Buffer;
    try {
      content = readFileSync(this.#options.path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    const lists = parseRevocationLists(content);
    if (lists.some((list) => verifyRevocationList(list, this.#issuers) === 'invalid'))
      throw new CrlError(
        'crl-signature',
        'A list is not signed by the CA that it names, or with an algorithm that is not known.',
      );
    return lists;
  }

  #enforce(lists: readonly RevocationList[]): void {
    this.#lists = lists;
    this.#current = toSet(lists);
    this.#options.onUpdate(this.#current);
  }

  #error(what: string, cause: unknown): RevocationFileError {
    const reason = cause instanceof Error ? ` (${cause.message})` : '';
    return new RevocationFileError(`The revocation file ${this.#options.path} ${what}.${reason}`, { cause });
  }
}

function toSet(lists: readonly RevocationList[]): RevocationSet {
  const set = new Map<string, RevokedSerials[]>();
  for (const { issuerKey, authorityKeyId, serials } of lists) {
    const known = set.get(issuerKey);
    if (known === undefined) set.set(issuerKey, [{ authorityKeyId, serials }]);
    else known.push({ authorityKeyId, serials });
  }
  return set;
}
