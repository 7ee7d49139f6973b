import { CertificateCache, WatchedFile } from '@ambient/identity';
import type { Clock, Logger } from '@ambient/runtime';
import { coldStartPatienceMs } from '../discovery/discovery.ts';
import type { MeshSnapshot } from '../discovery/snapshot/mesh-snapshot.ts';
import type { ZtunnelSettings } from '../settings.ts';
import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';
import { CertificateSupply } from './certificate-supply.ts';
import { LocalIdentities } from './local-identities.ts';
import { openCertificateAuthority, openingAuthority } from './open-authority.ts';
import { RestoringAuthority } from './restoring-authority.ts';
import { RevocationSupply } from './revocation-supply.ts';

export interface NodeCertificatesOptions {
  readonly settings: ZtunnelSettings;
  /** Has certificates of the last process, for a start without a CA; undefined: they are not kept. */
  readonly snapshot: MeshSnapshot | undefined;
  readonly toWorkers: (message: ToWorker) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Beyond those of the CA client, which has the new roots by then. */
const credentialDebounceMs = 1000;
const credentialPollMs = 10_000;

/** The certificates of this node's identities, and what is revoked: from the CA, to the workers. */
export class NodeCertificates implements AsyncDisposable {
  /** Settles when the CA can be asked. Rejects with CaError or FakeCaDirectoryError if it never can. */
  readonly opening: Promise<unknown>;
  readonly cache: CertificateCache;
  readonly identities: LocalIdentities;
  readonly supply: CertificateSupply;
  readonly #revocations: RevocationSupply;
  readonly #owned: AsyncDisposableStack;

  constructor({ settings, snapshot, toWorkers, clock, random, log }: NodeCertificatesOptions) {
    using unwind = new DisposableStack();
    const owned = unwind.adopt(new AsyncDisposableStack(), (stack) => void stack.disposeAsync());
    const caLog = log.scope('ca');
    const opening = openCertificateAuthority(settings, clock, caLog);
    this.opening = opening;
    let authority = openingAuthority(opening);
    if (snapshot !== undefined)
      authority = new RestoringAuthority({
        authority,
        restored: async () => (await snapshot.load())?.certificates,
        patienceMs: coldStartPatienceMs,
        clock,
        log: caLog,
      });
    owned.defer(() => authority.close());
    const cache = owned.use(new CertificateCache({ ca: authority, clock, random }));
    this.cache = cache;
    owned.use(cache.onUpdate(() => snapshot?.changed()));
    // Who has waited for a token or for the roots does not wait for the next attempt, which may be minutes away.
    for (const source of [settings.token, settings.ca.rootCert])
      if (source.kind === 'file')
        owned.use(
          new WatchedFile({
            path: source.path,
            clock,
            debounceMs: credentialDebounceMs,
            pollMs: credentialPollMs,
            onChange: () => cache.retryFailed(),
          }),
        );
    const only = settings.dedicatedWorkload;
    this.identities = new LocalIdentities(cache, { nodeName: settings.place.nodeName, only });
    this.supply = owned.use(new CertificateSupply({ cache, toWorkers, only, clock, log: caLog }));
    this.#revocations = owned.use(
      new RevocationSupply({ path: settings.tls.crlPath, cache, toWorkers, clock, log: log.scope('crl') }),
    );
    this.#owned = owned;
    unwind.move();
  }

  /** Tells a new worker what the others know. */
  introduce(worker: WorkerLink): void {
    this.supply.introduce(worker);
    this.#revocations.introduce(worker);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}
