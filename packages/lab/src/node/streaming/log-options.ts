import { badRequest } from '../../api/errors.ts';

/** What of a container's log is asked for, by the names of the API's `PodLogOptions`. */
export interface LogOptions {
  readonly follow: boolean;
  /** Of the container's run before this one. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Only the last so many lines. */
  readonly tailLines: number | undefined;
  /** Only what is behind this offset in the file, in place of `tailLines`. */
  readonly startAt?: number;
  /** Only lines of that Unix time, in milliseconds, and later. */
  readonly sinceMs: number | undefined;
  /** Nothing beyond so many bytes. */
  readonly limitBytes: number | undefined;
  /** Only what was written there. */
  readonly stream: 'stdout' | 'stderr' | undefined;
}

/** @throws ApiError 400 that names the parameter */
export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const sinceSeconds = integer(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  if (sinceSeconds !== undefined && sinceTime !== null)
    throw badRequest('sinceTime: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified');
  return {
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    tailLines: integer(query, 'tailLines', 0),
    limitBytes: integer(query, 'limitBytes', 1),
    sinceMs:
      sinceSeconds !== undefined
        ? nowMs - sinceSeconds * 1000
        : sinceTime === null
          ? undefined
          : time(sinceTime),
    stream: streamOf(query.get('stream')),
  };
}

function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1' || value === '') return true;
  throw badRequest(`${name}: Invalid value: ${JSON.stringify(value)}: must be true or false`);
}

function integer(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw badRequest(
      `${name}: Invalid value: ${JSON.stringify(text)}: must be an integer of ${least} or more`,
    );
  return value;
}

function time(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value))
    throw badRequest(`sinceTime: Invalid value: ${JSON.stringify(text)}: must be a time as RFC 3339 has it`);
  return value;
}

function streamOf(text: string | null): LogOptions['stream'] {
  switch (text?.toLowerCase()) {
    case undefined:
    case '':
    case 'all':
      return undefined;
    case 'stdout':
      return 'stdout';
    case 'stderr':
      return 'stderr';
    default:
      throw badRequest(
        `stream: Unsupported value: ${JSON.stringify(text)}: supported values: "All", "Stdout", "Stderr"`,
      );
  }
}
