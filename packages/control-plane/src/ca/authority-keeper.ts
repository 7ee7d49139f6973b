/** Keeps the CA's authorities: finds or makes them, rotates them while this replica leads, and follows who leads otherwise. */
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { readCaFolder, readPluggedIn, readSelfSigned, selfSignedFiles } from './ca-files.ts';
import { CaMaterialError } from './ca-material-error.ts';
import type { CaMetricsSink } from './ca-metrics.ts';
import { advance, initialTrust, nextStepMs, offer, successorDueMs } from './rotation.ts';
import type { RotationEvent, TrustState } from './rotation.ts';
import { readRotationRecord, writeRotationRecord } from './rotation-record.ts';
import type { SecretApi, StoredSecret } from './secret-api.ts';
import { makeSelfSignedRoot } from './self-signed-root.ts';
import type { SelfSignedOptions } from './self-signed-root.ts';
import type { SigningAuthority } from './signing-authority.ts';

export interface AuthorityKeeperOptions {
  readonly secrets: SecretApi;
  /** Where `cacerts` is mounted; undefined: only the Secret of that name is looked for. */
  readonly folder: string | undefined;
  readonly selfSigned: SelfSignedOptions;
  /** See rotation.ts; longer than any leaf lives, milliseconds. */
  readonly overlapMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CaMetricsSink;
  /** Stored material is looked at again this often, milliseconds; 30 s if absent. */
  readonly pollMs?: number;
}

/** Names of the Secrets. */
export const caSecretNames = {
  selfSigned: 'istio-ca-secret',
  pluggedIn: 'cacerts',
  rotation: 'istio-ca-rotation',
} as const;

/** On `istio-ca-secret`: each new value asks for a new root, with overlap. */
export const rotateAnnotation = 'ambient.mesh/rotate-root';

const secretType = 'istio.io/ca-root';
const writeAttempts = 5;

/** Where the authority stands that shall sign. */
interface Offered {
  readonly authority: SigningAuthority;
  /** The Secret of our own root; undefined if one is plugged in. */
  readonly selfSigned: StoredSecret | undefined;
}

export class AuthorityKeeper implements Disposable {
  readonly #options: AuthorityKeeperOptions;
  readonly #listeners = new Set<(state: TrustState) => void>();
  #state: TrustState | undefined;
  #leading = false;
  #disposed = false;
  #timer: Disposable | undefined;
  /** Steps run one after another. */
  #last: Promise<void> = Promise.resolve();
  #reported = '';

  constructor(options: AuthorityKeeperOptions) {
    this.#options = options;
  }

  /** Who signs and what is trusted, now. Only after {@link start}. */
  get state(): TrustState {
    if (this.#state === undefined) throw new Error('The authority keeper was not started.');
    return this.#state;
  }

  /** Calls `listener` after each change; disposing ends that. */
  onChange(listener: (state: TrustState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /**
   * Reads the CA, or makes one if there is none: whichever replica comes first.
   *
   * @throws CaMaterialError if what is there cannot be used; starting with another CA would split the mesh
   */
  async start(): Promise<void> {
    const record = await this.#readRecord();
    if (record !== undefined) this.#apply(record.state);
    try {
      const { authority } = await this.#readOffer();
      if (record === undefined) {
        authority.checkValidity(this.#options.clock.nowMs(), 'The CA');
        this.#apply(initialTrust(authority));
      }
    } catch (error) {
      // With a record, what was damaged since can wait; but whoever plugs in a CA and forgets a file shall hear of it.
      if (record === undefined || !(error instanceof CaMaterialError) || error.code === 'incomplete')
        throw error;
      this.#report(error);
    }
    this.#arm();
  }

  /** From now on this replica moves the rotation. */
  lead(): Promise<void> {
    this.#leading = true;
    return this.refresh();
  }

  stopLeading(): void {
    this.#leading = false;
  }

  /** Looks at the stored material now, such as after an event of a watch. Never rejects: problems are logged and counted. */
  refresh(): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#disposed) return;
      try {
        await (this.#leading ? this.#step() : this.#follow());
        this.#reported = '';
        this.#options.metrics.set('ca_material_unusable', [], 0);
      } catch (error) {
        this.#report(error);
      }
      this.#arm();
    });
    return this.#last;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  /** What another replica has decided. */
  async #follow(): Promise<void> {
    const record = await this.#readRecord();
    if (record !== undefined) this.#apply(record.state);
  }

  /** One step of the rotation: read everything, decide, write. A conflict means that somebody else did: read again. */
  async #step(): Promise<void> {
    for (let attempt = 0; attempt < writeAttempts; attempt++) if (await this.#tryStep()) return;
    throw new CaMaterialError(
      'contended',
      `Secret ${this.#place(caSecretNames.rotation)} changes under our hands. Check that only one control plane uses this namespace.`,
    );
  }

  async #tryStep(): Promise<boolean> {
    const { clock, overlapMs } = this.#options;
    const nowMs = clock.nowMs();
    const [secret, offered] = await Promise.all([
      this.#options.secrets.read(caSecretNames.rotation),
      this.#readOffer(),
    ]);
    const record = secret === undefined ? undefined : this.#parseRecord(secret);
    // Without a record, what this replica already works with is what proxies know.
    const before = record?.state ?? this.#state ?? initialTrust(offered.authority);
    const request = offered.selfSigned?.annotations[rotateAnnotation] ?? '';
    const heeded = record?.heededRequest ?? '';

    if (offered.authority.id !== before.signing.id)
      offered.authority.checkValidity(nowMs, 'The CA that is offered');
    const events: RotationEvent[] = [];
    let state = before;
    const take = (step: { state: TrustState; events: readonly RotationEvent[] }): void => {
      state = step.state;
      events.push(...step.events);
    };
    take(offer(state, offered.authority, 'offered', nowMs));
    const wanted = request !== '' && request !== heeded;
    if (
      offered.selfSigned !== undefined &&
      offered.authority.id === state.signing.id &&
      state.waiting === undefined &&
      (wanted || nowMs >= successorDueMs(state.signing, overlapMs))
    )
      take(offer(state, await makeSelfSignedRoot(this.#options.selfSigned, nowMs), 'generated', nowMs));
    const satisfied = wanted && state.waiting?.origin === 'generated';
    take(advance(state, nowMs, overlapMs));

    // The Secret of our own root first: should we die in between, it offers what the record says is waiting.
    const own = offered.selfSigned;
    if (
      own !== undefined &&
      offered.authority.id !== state.signing.id &&
      offered.authority.id === before.signing.id
    )
      if (!(await this.#options.secrets.replace(own, selfSignedFiles(state.signing)))) return false;
    if (!(await this.#writeRecord(secret, { state, heededRequest: satisfied ? request : heeded })))
      return false;
    this.#apply(state);
    for (const event of events) this.#log(event);
    return true;
  }

  async #writeRecord(
    stored: StoredSecret | undefined,
    record: { state: TrustState; heededRequest: string },
  ): Promise<boolean> {
    const files = writeRotationRecord(record);
    const { secrets } = this.#options;
    if (stored === undefined)
      return secrets.create({ name: caSecretNames.rotation, type: secretType, files });
    if (sameFiles(stored.files, files)) return true;
    return secrets.replace(stored, files);
  }

  async #readRecord(): Promise<{ state: TrustState } | undefined> {
    const secret = await this.#options.secrets.read(caSecretNames.rotation);
    return secret === undefined ? undefined : this.#parseRecord(secret);
  }

  #parseRecord(secret: StoredSecret): ReturnType<typeof readRotationRecord> {
    return readRotationRecord(secret.files, `Secret ${this.#place(secret.name)}`);
  }

  /** A mounted `cacerts`, else the Secret of that name, else our own root, which is made if there is none. */
  async #readOffer(): Promise<Offered> {
    const { folder, secrets } = this.#options;
    if (folder !== undefined) {
      const mounted = readPluggedIn(await readCaFolder(folder), `Folder ${folder}`);
      if (mounted !== undefined) return { authority: mounted, selfSigned: undefined };
    }
    const plugged = await secrets.read(caSecretNames.pluggedIn);
    if (plugged !== undefined) {
      const place = `Secret ${this.#place(caSecretNames.pluggedIn)}`;
      const authority = readPluggedIn(plugged.files, place);
      if (authority !== undefined) return { authority, selfSigned: undefined };
    }
    const { name, secret } = await this.#readOwn();
    return { authority: readSelfSigned(secret.files, `Secret ${this.#place(name)}`), selfSigned: secret };
  }

  async #readOwn(): Promise<{ name: string; secret: StoredSecret }> {
    const { secrets, selfSigned, clock } = this.#options;
    const name = caSecretNames.selfSigned;
    for (let attempt = 0; attempt < writeAttempts; attempt++) {
      const secret = await secrets.read(name);
      if (secret !== undefined) return { name, secret };
      // Deleted by hand while its root signs: the same again, so that nothing changes for the proxies.
      const signing = this.#state?.signing;
      const authority =
        signing !== undefined && signing.intermediatesPem.length === 0
          ? signing
          : await makeSelfSignedRoot(selfSigned, clock.nowMs());
      // Whoever loses the race reads what the winner wrote.
      await secrets.create({ name, type: secretType, files: selfSignedFiles(authority) });
    }
    throw new CaMaterialError(
      'contended',
      `Secret ${this.#place(name)} vanishes as soon as it is written. Look for who deletes it.`,
    );
  }

  #place(name: string): string {
    return `${this.#options.secrets.namespace}/${name}`;
  }

  #apply(state: TrustState): void {
    const before = this.#state;
    this.#state = state;
    this.#options.metrics.set(
      'ca_signing_certificate_expiry_seconds',
      [],
      Math.floor(state.signing.notAfterMs / 1000),
    );
    if (before !== undefined && sameTrust(before, state)) return;
    for (const listener of this.#listeners) listener(state);
  }

  #arm(): void {
    if (this.#disposed) return;
    const { clock, overlapMs, pollMs = 30_000 } = this.#options;
    const nextMs =
      this.#leading && this.#state !== undefined ? nextStepMs(this.#state, overlapMs) : undefined;
    const waitMs = nextMs === undefined ? pollMs : Math.min(pollMs, Math.max(1000, nextMs - clock.nowMs()));
    this.#timer?.[Symbol.dispose]();
    this.#timer = clock.setTimer(waitMs, () => void this.refresh());
  }

  #report(error: unknown): void {
    const code = error instanceof CaMaterialError ? error.code : 'unreadable';
    const { logger, metrics } = this.#options;
    metrics.add('ca_material_errors_total', [code]);
    metrics.set('ca_material_unusable', [], 1);
    const reason = describeError(error);
    // The same trouble at every look is one line.
    if (reason === this.#reported) return;
    this.#reported = reason;
    // What cannot be read now may be as it was; what was read and is wrong needs somebody.
    logger.log(
      code === 'unreadable' ? 'warn' : 'error',
      'the CA goes on with the last good certificates and keys',
      {
        code,
        error: reason,
      },
    );
  }

  #log(event: RotationEvent): void {
    const { logger, overlapMs } = this.#options;
    const { id } = event.authority;
    switch (event.kind) {
      case 'waiting':
        logger.info('a new authority is made known; it signs once every proxy trusts its root', {
          authority: id,
          overlap: `${overlapMs}ms`,
        });
        break;
      case 'withdrawn':
        logger.warn('an authority that waited to sign was taken back', { authority: id });
        break;
      case 'signing':
        if (event.early)
          logger.warn('an authority signs before every proxy trusts its root, since the one before it ends', {
            authority: id,
          });
        else logger.info('an authority signs from now on', { authority: id });
        break;
      case 'retired-gone':
        logger.info('a retired authority is forgotten; none of its certificates is valid any more', {
          authority: id,
        });
        break;
    }
  }
}

function sameTrust(a: TrustState, b: TrustState): boolean {
  const roots = (state: TrustState): string => state.roots.map(({ id }) => id).join();
  return a.signing.id === b.signing.id && roots(a) === roots(b) && a.retired.length === b.retired.length;
}

function sameFiles(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
