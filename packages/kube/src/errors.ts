/** The kubeconfig, or the credentials inside the cluster, cannot be used. */
export class KubeConfigError extends Error {
  readonly code = 'KUBE_CONFIG';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KubeConfigError';
  }
}

/** No complete answer came from the API server. */
export class KubeConnectionError extends Error {
  /**
   * `KUBE_CONNECT`: no connection, or it broke; `KUBE_TIMEOUT`: the answer took too long; `KUBE_BODY`: what came is not the
   * JSON that was asked for; `KUBE_CANCELLED`: the caller gave up.
   */
  readonly code: 'KUBE_CONNECT' | 'KUBE_TIMEOUT' | 'KUBE_BODY' | 'KUBE_CANCELLED';

  constructor(code: KubeConnectionError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KubeConnectionError';
    this.code = code;
  }
}

/** What an operator can do about a refusal, by its HTTP status; each a clause such as `give it this permission`. */
export interface RefusalRemedies {
  /** The API server does not know who asks. */
  readonly 401?: string;
  /** It does, and does not allow it. */
  readonly 403?: string;
}

/** For a caller that does not say more. */
const generalRemedies: Required<RefusalRemedies> = {
  401: 'check the token or client certificate that the request was made with',
  403: 'allow it (RBAC) for the account that asks',
};

/** The API server refused, by an HTTP status or by an ERROR event in a watch. */
export class KubeStatusError extends Error {
  readonly code = 'KUBE_STATUS';
  /** HTTP status, 0 if an ERROR event told none. */
  readonly status: number;
  /** metav1.Status.reason, '' if there was none: `Expired`, `Conflict`, `TooManyRequests`. */
  readonly reason: string;
  /** How long the server asks to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    where: string,
    status: number,
    reason: string,
    message: string,
    retryAfterMs?: number,
    remedies: RefusalRemedies = generalRemedies,
  ) {
    super(`${where}: ${status}${reason === '' ? '' : ` ${reason}`}: ${message}${remedy(status, remedies)}`);
    this.name = 'KubeStatusError';
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /** The resourceVersion is one that the server has not reached: it was restored from an older state. */
  get unreached(): boolean {
    return this.status === 504 && this.message.includes('Too large resource version');
  }

  /** The resourceVersion, or the continue token, is older than what the server remembers. */
  get expired(): boolean {
    return this.status === 410;
  }
}

function remedy(status: number, remedies: RefusalRemedies): string {
  if (status !== 401 && status !== 403) return '';
  return `; ${remedies[status] ?? generalRemedies[status]}`;
}

/**
 * The error of a metav1.Status, as failed requests and ERROR events carry it.
 *
 * @param where the request, for the message
 * @param httpStatus of the response; undefined for an ERROR event
 * @param remedies of who asked
 */
export function statusError(
  where: string,
  body: unknown,
  httpStatus: number | undefined,
  retryAfterMs?: number,
  remedies?: RefusalRemedies,
): KubeStatusError {
  const status = isRecord(body) ? body : {};
  const details = isRecord(status['details']) ? status['details'] : {};
  const seconds = details['retryAfterSeconds'];
  return new KubeStatusError(
    where,
    httpStatus ?? (typeof status['code'] === 'number' ? status['code'] : 0),
    typeof status['reason'] === 'string' ? status['reason'] : '',
    typeof status['message'] === 'string' ? status['message'] : 'the server gave no reason',
    retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined),
    remedies,
  );
}

/** Whether the same request may succeed later without anybody's doing: the server was away, overloaded or out of order. */
export function isPassing(error: unknown): boolean {
  if (error instanceof KubeStatusError) return error.status === 429 || error.status >= 500;
  return error instanceof KubeConnectionError && error.code !== 'KUBE_CANCELLED';
}

/** A JSON object, as opposed to a list, a scalar or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
