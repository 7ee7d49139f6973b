import { HboneError } from '@ambient/hbone';
import type { Identity, PeerCertificate } from '@ambient/identity/peer';
import { findRevoked, verifyClientPeer } from '@ambient/identity/peer';
import { readVerifiedChain } from '../connections/peer-chain.ts';
import type { WorkerContext } from '../worker/context.ts';

/** Who is at the other end of a connection, as its certificate says. */
export class ClientIdentity {
  identity: Identity | undefined;
  /** Own certificate, intermediates and root, to be compared with revocation lists that come later. */
  #chain: readonly PeerCertificate[] = [];
  readonly #context: WorkerContext;
  readonly #trustDomain: string;

  /** @param trustDomain of the workload that serves: the client must be of the same */
  constructor(context: WorkerContext, trustDomain: string) {
    this.#context = context;
    this.#trustDomain = trustDomain;
  }

  /** Checks a client whose chain has been verified. @returns what is wrong with it */
  verify(leaf: Buffer, chain: () => Buffer[]): HboneError | undefined {
    const verdict = verifyClientPeer(leaf, this.#trustDomain);
    if (!verdict.ok) return new HboneError('peer-identity', verdict.message, { reason: verdict.reason });
    this.identity = verdict.identity;
    const certificates = readVerifiedChain(chain());
    if (certificates instanceof HboneError) return certificates;
    this.#chain = certificates;
    return this.findRevocation();
  }

  /** Asks the present revocation list. */
  findRevocation(): HboneError | undefined {
    const revoked = findRevoked(this.#context.revocations(), this.#chain);
    if (revoked === undefined) return undefined;
    this.#context.countRevoked('destination');
    return new HboneError(
      'certificate-revoked',
      `the client's certificate ${revoked.serialNumber} is revoked`,
    );
  }
}
