import type { InboundRefusal, RouteRefusal } from '@ambient/mesh';
import { HboneError } from '@ambient/hbone';
import { SystemError } from '@ambient/linux';
import type { ResponseFlag } from '../telemetry/connection-labels.ts';

/** Why this proxy itself gave a connection up. Stable: see docs/reasons.md. */
export type ProxyFailure =
  | RouteRefusal
  | InboundRefusal
  | 'policy-denied'
  | 'policy-changed'
  | 'own-workload-unknown'
  | 'certificate-unavailable'
  | 'hostname-unresolved'
  | 'application-unreachable'
  | 'application-timeout'
  | 'spoofing-required'
  | 'drain-deadline'
  | 'shut-down';

const flags: Partial<Record<ProxyFailure, ResponseFlag>> = {
  'policy-denied': 'DENY',
  'policy-changed': 'DENY',
  'certificate-unavailable': 'IDENTITY_ERROR',
};

/** The proxy refused a connection or gave it up. */
export class ProxyError extends Error {
  readonly code: ProxyFailure;
  readonly responseFlag: ResponseFlag;

  constructor(code: ProxyFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProxyError';
    this.code = code;
    this.responseFlag = flags[code] ?? 'CONNECT';
  }
}

/** `response_flags` of the metrics for the end of a connection. */
export function responseFlagOf(error: Error | undefined): ResponseFlag {
  if (error === undefined) return '-';
  if (error instanceof ProxyError || error instanceof HboneError) return error.responseFlag;
  return 'CONNECT';
}

/** Stable code of a failure, for the field `reason` of the access log. */
export function reasonOf(error: Error): string {
  if (error instanceof HboneError) return error.reason;
  if (error instanceof ProxyError || error instanceof SystemError) return error.code;
  return 'defect';
}
