import type { WorkloadCertificate } from './certificate.ts';
import type { Identity } from './spiffe.ts';

/** Where certificates come from: a CA over gRPC, or a throwaway one in this process. */
export interface CertificateAuthority {
  /**
   * Fetches a certificate with a new key.
   *
   * @param signal aborts the call; it then rejects
   * @throws an Error with a stable `code` and a message that names the likely remedy
   */
  fetch(identity: Identity, signal?: AbortSignal): Promise<WorkloadCertificate>;
  /** Closes connections and watches; nothing may be fetched after. */
  close(): void;
}
