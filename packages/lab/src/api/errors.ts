/** What the API answers when it refuses: metav1.Status objects, worded as kubectl's users know them. */

/** One reason among several, with the field that it is about. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A `v1.Status`, as JSON. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** A request that was refused. `code` is the HTTP status, `reason` the stable word that clients look at. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** A resource as errors name it. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
  /** What details name in place of the plural. */
  readonly namedInDetails?: string;
}

function qualified(resource: ResourceName): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

function detailsOf(resource: ResourceName, name: string): StatusDetails {
  return {
    name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.namedInDetails ?? resource.plural,
  };
}

export function notFound(resource: ResourceName, name: string): ApiError {
  return new ApiError(
    404,
    'NotFound',
    `${qualified(resource)} "${name}" not found`,
    detailsOf(resource, name),
  );
}

/** The path itself is served by nothing here, as for a CRD that is not installed. */
export function unknownPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource');
}

export function alreadyExists(resource: ResourceName, name: string): ApiError {
  return new ApiError(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    detailsOf(resource, name),
  );
}

export const modifiedSince =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(resource: ResourceName, name: string, why: string): ApiError {
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );
}

export function forbidden(resource: ResourceName, name: string, why: string): ApiError {
  return new ApiError(
    403,
    'Forbidden',
    `${qualified(resource)} "${name}" is forbidden: ${why}`,
    detailsOf(resource, name),
  );
}

/** @param causes at least one; each is repeated in the message, which is all that kubectl prints */
export function invalid(
  kind: string,
  group: string,
  name: string,
  causes: readonly StatusCause[],
  cause?: unknown,
): ApiError {
  const texts = causes.map((each) =>
    each.field === undefined ? each.message : `${each.field}: ${each.message}`,
  );
  return new ApiError(
    422,
    'Invalid',
    `${group === '' ? kind : `${kind}.${group}`} "${name}" is invalid: ${texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`}`,
    { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind, causes },
    cause,
  );
}

/** Options of a request that the API does not know. */
export function invalidOptions(kind: string, reason: string, field: string, message: string): ApiError {
  return invalid(kind, 'meta.k8s.io', '', [{ reason, field, message }]);
}

export function badRequest(message: string, cause?: unknown): ApiError {
  return new ApiError(400, 'BadRequest', message, undefined, cause);
}

/** The history that a watch or a page asks for is no longer kept: list again. */
export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  );
}

export function unsupportedMediaType(type: string, supported: readonly string[]): ApiError {
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${type}) - accepted media types include: ${supported.join(', ')}`,
  );
}

/** The client reads none of the forms that the server writes. */
export function notAcceptable(supported: readonly string[]): ApiError {
  return new ApiError(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${supported.join(', ')}`,
  );
}

/** Somebody else would have to do it, and nobody is there. */
export function unavailable(message: string): ApiError {
  return new ApiError(503, 'ServiceUnavailable', message);
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

export function tooLarge(limitBytes: number): ApiError {
  return new ApiError(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: limit is ${limitBytes}; split the object`,
  );
}

export function internalError(cause: unknown): ApiError {
  return new ApiError(
    500,
    'InternalError',
    `Internal error occurred: ${cause instanceof Error ? cause.message : String(cause)}`,
    undefined,
    cause,
  );
}
