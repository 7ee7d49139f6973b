/** One field of a resource or of the local file that cannot be used. */
export class FieldError extends Error {
  readonly code = 'FIELD_INVALID';
  /** Where, as in `workload.addresses[1]`. */
  readonly path: string;
  /** What is wrong and what would be right. */
  readonly problem: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.name = 'FieldError';
    this.path = path;
    this.problem = problem;
  }
}

/**
 * A resource that was refused; the version of it that was in force before, if any, stays. The message names the resource and
 * the field, for the operator and for the control plane that gets it in a NACK.
 */
export class RejectedResourceError extends Error {
  readonly code = 'RESOURCE_REJECTED';
  /** Resource name as the control plane or the local file gives it. */
  readonly resource: string;

  constructor(resource: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${resource === '' ? '(resource without a name)' : resource}: ${reason}`, { cause });
    this.name = 'RejectedResourceError';
    this.resource = resource;
  }
}

/** The local mesh file could not be read or is no YAML; what was in force stays. */
export class LocalSourceError extends Error {
  readonly code: 'LOCAL_XDS_UNREADABLE' | 'LOCAL_XDS_MALFORMED';

  constructor(code: LocalSourceError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalSourceError';
    this.code = code;
  }
}

/** Why a discovery stream ended or could not start. */
export class XdsStreamError extends Error {
  /**
   * `XDS_CONNECT`: no stream came about (network, TLS, refusal); `XDS_STATUS`: an established stream ended with a gRPC
   * status; `XDS_SETUP`: something on this side, such as an unreadable root certificate.
   */
  readonly code: 'XDS_CONNECT' | 'XDS_STATUS' | 'XDS_SETUP';
  /** gRPC status code where one was given. */
  readonly status: number | undefined;
  /** The status message as the peer, or the gRPC library, gave it. */
  readonly details: string;

  constructor(
    code: XdsStreamError['code'],
    message: string,
    details: string,
    status?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'XdsStreamError';
    this.code = code;
    this.details = details;
    this.status = status;
  }
}
