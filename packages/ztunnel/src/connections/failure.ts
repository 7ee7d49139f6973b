import type { HboneReason } from '@ambient/hbone';
import { HboneError, hboneFailures } from '@ambient/hbone';
import type { SystemErrorCode } from '@ambient/linux';
import { SystemError } from '@ambient/linux';
import type { InboundRefusal, RouteRefusal } from '@ambient/mesh';
import type { ResponseFlag } from '../telemetry/connection-labels.ts';

interface FailureRow {
  readonly meaning: string;
  readonly remedy: string;
  readonly flag: ResponseFlag;
}

/** Why this proxy itself gave a connection up, and what an operator most likely has to do. Stable names. */
export const proxyFailures = {
  'policy-denied': {
    meaning: 'the authorization policies of the destination do not admit the client',
    remedy: 'if it is to be admitted, name it in an ALLOW policy, or take it out of the DENY policy',
    flag: 'DENY',
  },
  'policy-changed': {
    meaning: 'the authorization policies were changed, and do not admit the client any more',
    remedy: 'nothing, if that was intended; else look at the last change of the policies',
    flag: 'DENY',
  },
  'own-workload-unknown': {
    meaning: 'the control plane has not told the workload of this pod in time',
    remedy: "check that discovery works, and that NODE_NAME is the name of the pod's node",
    flag: 'CONNECT',
  },
  'certificate-unavailable': {
    meaning: 'there is no certificate for the workload of this pod',
    remedy: 'check that the CA can be reached and accepts the token; the log has its answer',
    flag: 'IDENTITY_ERROR',
  },
  'hostname-unresolved': {
    meaning: 'the hostname of the endpoint, or the one that was asked for by SOCKS5, does not resolve',
    remedy: "check the ServiceEntry, and DNS on the proxy's node",
    flag: 'CONNECT',
  },
  'socks-request': {
    meaning: 'an application connected to the port for SOCKS5 and asked for nothing that is served there',
    remedy: 'have it ask for CONNECT, by version 5, without authentication',
    flag: 'CONNECT',
  },
  'application-unreachable': {
    meaning: 'the application in the pod does not accept the connection',
    remedy:
      "check that the application listens on this port, and on the pod's address and not on loopback only",
    flag: 'CONNECT',
  },
  'application-timeout': {
    meaning: 'the destination outside the mesh, or the application, did not accept a connection in time',
    remedy: 'it is overloaded, or a NetworkPolicy or firewall drops the traffic',
    flag: 'CONNECT',
  },
  'spoofing-required': {
    meaning: "connecting from the client's address, which ENABLE_ORIG_SRC=true requires, is not possible",
    remedy: 'give the proxy CAP_NET_ADMIN, or do not set ENABLE_ORIG_SRC',
    flag: 'CONNECT',
  },
  'pod-sockets-used-up': {
    meaning: 'the pod has as many sockets in this data worker as it may, so that others find some',
    remedy:
      'look for the pod that opens connections and does not close them; else raise the limit of open files of the proxy, or AMBIENT_POD_SOCKETS if it is set',
    flag: 'CONNECT',
  },
  'drain-deadline': {
    meaning: 'the proxy is shutting down, and the connection did not end within the grace period',
    remedy: 'have clients close idle connections, or lengthen the grace period',
    flag: 'CONNECT',
  },
  'pod-removed': {
    meaning: 'the pod was deleted or left the mesh, and the connection did not end within the grace period',
    remedy: 'nothing, if that was intended; clients should connect anew',
    flag: 'CONNECT',
  },
  'shut-down': hboneFailures['shut-down'],
} as const satisfies Record<string, FailureRow>;

/** Why this proxy itself gave a connection up. All of them are in docs/reasons.md. */
export type ProxyFailure = RouteRefusal | InboundRefusal | keyof typeof proxyFailures;

const rows: Readonly<Partial<Record<ProxyFailure, FailureRow>>> = proxyFailures;

/** The proxy refused a connection or gave it up. The text ends with the operator's likely remedy. */
export class ProxyError extends Error {
  readonly code: ProxyFailure;
  readonly responseFlag: ResponseFlag;

  /** @param detail what was met. Refusals of `@ambient/mesh` bring their remedy along; to others it is added here. */
  constructor(code: ProxyFailure, detail: string, options?: ErrorOptions) {
    const row = rows[code];
    super(row === undefined ? detail : `${detail}; ${row.remedy}`, options);
    this.name = 'ProxyError';
    this.code = code;
    this.responseFlag = row?.flag ?? 'CONNECT';
  }
}

/** A connection of a pod whose workload did not come in time. */
export function ownWorkloadUnknown(): ProxyError {
  return new ProxyError('own-workload-unknown', proxyFailures['own-workload-unknown'].meaning);
}

/** `response_flags` of the metrics for the end of a connection. */
export function responseFlagOf(error: Error | undefined): ResponseFlag {
  if (error === undefined) return '-';
  if (error instanceof HboneError && error.cause instanceof ProxyError) return error.cause.responseFlag;
  if (error instanceof ProxyError || error instanceof HboneError) return error.responseFlag;
  return 'CONNECT';
}

/** What the field `reason` of the access log may say. */
export type Reason = ProxyFailure | HboneReason | SystemErrorCode;

/** Stable code of a failure, for the field `reason` of the access log. */
export function reasonOf(error: Error): Reason {
  if (error instanceof HboneError) return error.cause instanceof ProxyError ? error.cause.code : error.reason;
  if (error instanceof ProxyError || error instanceof SystemError) return error.code;
  return 'defect';
}
