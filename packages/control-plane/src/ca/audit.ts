/** One line for every certificate that is asked for. */
import { formatSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import type { Logger } from '@ambient/runtime';

import type { Caller } from '../auth/caller.ts';

export interface AuditedRequest {
  /** undefined: the caller did not prove who it is. */
  readonly caller: Caller | undefined;
  /** Address and port of the other side. */
  readonly remoteAddress: string;
  /** The identity that was asked for on behalf of somebody else, as sent. */
  readonly impersonated: string | undefined;
}

export interface IssuedCertificate {
  readonly identity: Identity;
  /** The node of the workload, where the caller acts for it; else the caller's, if known. */
  readonly nodeName: string | undefined;
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly notAfterMs: number;
  readonly authorityId: string;
}

/** Longest text of a caller in a line; the rest is cut. */
const maxText = 300;

/** Writes who asked, from where, for whom, and what became of it. Requests, tokens and keys are never written. */
export class CaAudit {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  issued(request: AuditedRequest, certificate: IssuedCertificate): void {
    this.#logger.info('certificate issued', {
      ...describeRequest(request),
      identity: formatSpiffe(certificate.identity),
      node: certificate.nodeName ?? 'unknown',
      serial: certificate.serialNumber,
      notAfter: new Date(certificate.notAfterMs).toISOString(),
      authority: certificate.authorityId,
    });
  }

  refused(request: AuditedRequest, reason: string, error: string): void {
    this.#logger.warn('certificate refused', {
      ...describeRequest(request),
      ...(request.impersonated === undefined ? {} : { asked: request.impersonated.slice(0, maxText) }),
      node: request.caller?.nodeName ?? 'unknown',
      reason,
      error: error.slice(0, 2 * maxText),
    });
  }
}

function describeRequest({ caller, remoteAddress }: AuditedRequest): Record<string, string> {
  return {
    caller: caller === undefined ? 'unknown' : formatSpiffe(caller.identity),
    ...(caller?.pod === undefined ? {} : { pod: caller.pod.name }),
    ...(caller === undefined ? {} : { proof: caller.proof }),
    remote: remoteAddress,
  };
}
