import type { CertificateCache, CertificateEvent, Identity, WorkloadCertificate } from '@ambient/identity';
import { formatSpiffe, parseSpiffe } from '@ambient/identity/peer';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { ToWorker } from '../worker/messages.ts';
import type { WorkerLink } from '../workers/data-workers.ts';

export interface CertificateSupplyOptions {
  readonly cache: Pick<CertificateCache, 'state' | 'request' | 'onUpdate'>;
  readonly toWorkers: (message: ToWorker) => void;
  /** The one workload of dedicated mode: the CA then issues for no other, whatever is asked. */
  readonly only: { readonly namespace: string; readonly serviceAccount: string } | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Logger;
}

/** Hands certificates to the data workers: each change to all of them, and the present one to who asks. */
export class CertificateSupply implements Disposable {
  readonly #options: CertificateSupplyOptions;
  readonly #subscription: Disposable;
  /** What the workers have been told, for those that come later. */
  readonly #current = new Map<string, WorkloadCertificate>();

  constructor(options: CertificateSupplyOptions) {
    this.#options = options;
    this.#subscription = options.cache.onUpdate((event) => this.#changed(event));
  }

  /** Answers `need-certificate`: at once if the outcome is known, else when it is. */
  need(worker: WorkerLink, spiffe: string): void {
    const identity = parseSpiffe(spiffe);
    if (identity === undefined || !this.#serves(identity)) {
      const message = `${spiffe} is not the identity that this proxy acts for; compare PROXY_WORKLOAD_INFO with what the control plane says of the workload`;
      worker.post({ kind: 'certificate-failed', identity: spiffe, message });
      return;
    }
    const state = this.#options.cache.state(identity);
    switch (state?.kind) {
      case 'available':
        worker.post(certificateMessage(spiffe, state.certificate));
        break;
      case 'unavailable':
        worker.post({ kind: 'certificate-failed', identity: spiffe, message: describeError(state.error) });
        break;
      default:
        // The event of its outcome goes to all workers; this only starts or hastens it.
        this.#options.cache.request(identity).catch(() => {});
    }
  }

  /** Tells a new worker what the others know. */
  introduce(worker: WorkerLink): void {
    for (const [spiffe, certificate] of this.#current) worker.post(certificateMessage(spiffe, certificate));
  }

  /** The certificates that are in use. */
  get current(): Iterable<WorkloadCertificate> {
    return this.#current.values();
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #serves(identity: Identity): boolean {
    const { only } = this.#options;
    return (
      only === undefined ||
      (identity.namespace === only.namespace && identity.serviceAccount === only.serviceAccount)
    );
  }

  #changed(event: CertificateEvent): void {
    const { toWorkers, clock, log } = this.#options;
    const spiffe = formatSpiffe(event.identity);
    switch (event.kind) {
      case 'available': {
        const renewed = this.#current.has(spiffe);
        this.#current.set(spiffe, event.certificate);
        log.info(renewed ? 'certificate renewed' : 'certificate obtained', {
          identity: spiffe,
          serial: event.certificate.serialNumber,
          expires: new Date(event.certificate.notAfterMs).toISOString(),
        });
        const earlyMs = event.certificate.notBeforeMs - clock.nowMs();
        if (earlyMs > 0)
          log.warn(
            'the certificate is not valid yet by the clock of this node, which so refuses those of others too: set it right',
            { identity: spiffe, early_by: `${Math.round(earlyMs / 1000)}s` },
          );
        toWorkers(certificateMessage(spiffe, event.certificate));
        break;
      }
      case 'unavailable': {
        this.#current.delete(spiffe);
        const message = describeError(event.error);
        log.error('no certificate: connections of this identity fail until the CA gives one', {
          identity: spiffe,
          error: message,
        });
        toWorkers({ kind: 'certificate-failed', identity: spiffe, message });
        break;
      }
      case 'renewal-failed':
        log.warn('certificate not renewed, the present one stays in use', {
          identity: spiffe,
          retry_in: `${Math.round(event.retryInMs)}ms`,
          error: describeError(event.error),
        });
        break;
      case 'dropped':
        this.#current.delete(spiffe);
        log.debug('certificate dropped', { identity: spiffe });
        toWorkers({
          kind: 'certificate-failed',
          identity: spiffe,
          message: 'the last workload of this identity has left the node',
        });
        break;
    }
  }
}

function certificateMessage(identity: string, certificate: WorkloadCertificate): ToWorker {
  const { certificateChainPem, privateKeyPem, rootsPem } = certificate;
  return { kind: 'certificate', identity, material: { certificateChainPem, privateKeyPem, rootsPem } };
}
