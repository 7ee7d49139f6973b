/** What is known of one identity's certificate, and how the admin page `/config_dump` shows it. */
import { dumpCertificates } from './certificate.ts';
import type { CertificateDump, WorkloadCertificate } from './certificate.ts';
import { formatSpiffe } from './spiffe.ts';
import type { Identity } from './spiffe.ts';

/** The state of one identity's certificate, as a tagged union. */
export type CertificateState =
  /** The first fetch is waiting or running; nobody knows yet. */
  | { readonly kind: 'initializing' }
  | {
      readonly kind: 'available';
      readonly certificate: WorkloadCertificate;
      /** Why the last renewal failed; undefined after one that did not. */
      readonly renewalError: Error | undefined;
    }
  /** No valid certificate, and the last fetch failed; a retry is waiting or running. */
  | { readonly kind: 'unavailable'; readonly error: Error };

/** An entry of the admin page `/config_dump`. */
export interface CertificateStateDump {
  readonly identity: string;
  readonly state: 'Initializing' | 'Available' | 'Unavailable';
  /** Why it is not available, or why it was not renewed. */
  readonly reason?: string;
  readonly certChain: readonly CertificateDump[];
  readonly rootCerts: readonly CertificateDump[];
}

/** @param state as it is now: one whose certificate has ended is `unavailable` */
export function dumpState(identity: Identity, state: CertificateState): CertificateStateDump {
  const name = formatSpiffe(identity);
  switch (state.kind) {
    case 'initializing':
      return { identity: name, state: 'Initializing', certChain: [], rootCerts: [] };
    case 'unavailable':
      return {
        identity: name,
        state: 'Unavailable',
        reason: state.error.message,
        certChain: [],
        rootCerts: [],
      };
    case 'available':
      return {
        identity: name,
        state: 'Available',
        ...(state.renewalError === undefined ? {} : { reason: state.renewalError.message }),
        certChain: dumpCertificates(state.certificate.certificateChainPem),
        rootCerts: dumpCertificates(state.certificate.rootsPem),
      };
  }
}
