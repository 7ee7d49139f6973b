import { RevocationFile } from '@ambient/identity';
import type { CertificateCache, WorkloadCertificate } from '@ambient/identity';
import type { RevocationSet } from '@ambient/identity/peer';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';

export interface RevocationSupplyOptions {
  /** `CRL_PATH`; undefined: nothing is ever revoked. */
  readonly path: string | undefined;
  readonly cache: Pick<CertificateCache, 'onUpdate'>;
  readonly toWorkers: (message: ToWorker) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Hands the revocation lists to the data workers, each new set to all of them. */
export class RevocationSupply implements Disposable {
  readonly #file: RevocationFile | undefined;
  readonly #subscription: Disposable | undefined;
  /** CA certificates that came with ours, PEM. */
  readonly #issuers = new Set<string>();

  constructor({ path, cache, toWorkers, clock, log }: RevocationSupplyOptions) {
    if (path === undefined) return;
    const file = new RevocationFile({
      path,
      clock,
      onUpdate(revocations) {
        log.info('revocation lists loaded', { revoked: countSerials(revocations) });
        toWorkers({ kind: 'revocations', revocations });
      },
      onError: (error) => log.error(describeError(error), { path }),
    });
    log.info('revocation lists', { path, state: file.state, revoked: countSerials(file.current) });
    this.#file = file;
    this.#subscription = cache.onUpdate((event) => {
      if (event.kind === 'available') this.#learn(event.certificate);
    });
  }

  /** Tells a new worker what is revoked. */
  introduce(worker: WorkerLink): void {
    const revocations = this.#file?.current;
    if (revocations !== undefined && revocations.size > 0) worker.post({ kind: 'revocations', revocations });
  }

  [Symbol.dispose](): void {
    this.#subscription?.[Symbol.dispose]();
    this.#file?.[Symbol.dispose]();
  }

  #learn({ certificateChainPem, rootsPem }: WorkloadCertificate): void {
    for (const pem of certificateChainPem.slice(1)) this.#issuers.add(pem);
    for (const pem of rootsPem) this.#issuers.add(pem);
    this.#file?.setIssuers([...this.#issuers]);
  }
}

function countSerials(revocations: RevocationSet): number {
  let count = 0;
  for (const lists of revocations.values()) for (const { serials } of lists) count += serials.size;
  return count;
}
