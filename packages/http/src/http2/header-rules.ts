import type { HeaderBlock } from './header-block.ts';

/** What a valid message says about its own framing. */
export interface MessageShape {
  /** Response status, 100..999; 0 for requests. */
  status: number;
  /** Value of content-length, -1 without one. */
  contentLength: number;
  /** Request: whether it is a CONNECT without `:protocol`, whose stream becomes a tunnel. */
  tunnel: boolean;
}

/**
 * The shape of the message checked last. One object for all, so that a check makes no garbage: read it before the next
 * check.
 */
export const checkedShape: MessageShape = { status: 0, contentLength: -1, tunnel: false };

const COLON = 58;
const ABSENT = '\0'; // cannot be a value

/**
 * Checks the header section of a request (RFC 9113, sections 8.2, 8.3.1 and 8.5; RFC 8441, section 4).
 *
 * @param extendedConnect whether `:protocol` was allowed by our SETTINGS.
 * @returns what is wrong, '' when nothing is; then {@link checkedShape} holds.
 */
export function checkRequest(headers: HeaderBlock, extendedConnect: boolean): string {
  let method = ABSENT;
  let scheme = ABSENT;
  let authority = ABSENT;
  let path = ABSENT;
  let protocol = ABSENT;
  let at = 0;
  for (; at < headers.length && headers[at]!.charCodeAt(0) === COLON; at += 2) {
    const value = headers[at + 1]!;
    switch (headers[at]) {
      case ':method':
        if (method !== ABSENT) return 'duplicate :method';
        method = value;
        break;
      case ':scheme':
        if (scheme !== ABSENT) return 'duplicate :scheme';
        scheme = value;
        break;
      case ':authority':
        if (authority !== ABSENT) return 'duplicate :authority';
        authority = value;
        break;
      case ':path':
        if (path !== ABSENT) return 'duplicate :path';
        path = value;
        break;
      case ':protocol':
        if (protocol !== ABSENT || !extendedConnect) return 'unexpected :protocol';
        protocol = value;
        break;
      default:
        return 'unknown pseudo-header in a request';
    }
  }
  const wrong = checkFields(headers, at);
  if (wrong !== '') return wrong;
  checkedShape.status = 0;
  checkedShape.tunnel = false;
  if (method === ABSENT || method === '') return 'no :method';
  if (protocol !== ABSENT && method !== 'CONNECT') return ':protocol without CONNECT';
  if (method === 'CONNECT' && protocol === ABSENT) {
    checkedShape.tunnel = true;
    if (scheme !== ABSENT || path !== ABSENT) return 'CONNECT with :scheme or :path';
    return authority === ABSENT || authority === '' ? 'CONNECT without :authority' : '';
  }
  return checkTarget(method, scheme, authority, path, foundHost);
}

function checkTarget(method: string, scheme: string, authority: string, path: string, host: string): string {
  if (scheme === ABSENT || scheme === '') return 'no :scheme';
  if (path === ABSENT || path === '') return 'no :path';
  if (scheme !== 'http' && scheme !== 'https') return '';
  if (path.charCodeAt(0) !== 47 /* slash */ && !(path === '*' && method === 'OPTIONS'))
    return ':path is not absolute';
  if (authority === ABSENT) return host === ABSENT || host === '' ? 'no :authority and no host' : '';
  if (authority === '') return 'empty :authority';
  if (authority.includes('@')) return 'user information in :authority';
  if (host !== ABSENT && host !== authority && host.toLowerCase() !== authority.toLowerCase())
    return 'host differs from :authority';
  return '';
}

/**
 * Checks the header section of a response (RFC 9113, sections 8.2 and 8.3.2).
 *
 * @returns what is wrong, '' when nothing is; then {@link checkedShape} holds.
 */
export function checkResponse(headers: HeaderBlock): string {
  let status = ABSENT;
  let at = 0;
  for (; at < headers.length && headers[at]!.charCodeAt(0) === COLON; at += 2) {
    if (headers[at] !== ':status') return 'unknown pseudo-header in a response';
    if (status !== ABSENT) return 'duplicate :status';
    status = headers[at + 1]!;
  }
  const wrong = checkFields(headers, at);
  if (wrong !== '') return wrong;
  if (status.length !== 3) return 'no valid :status';
  const code = parseDigits(status);
  if (code < 100) return 'no valid :status';
  if (code === 101) return ':status 101, which HTTP/2 has not';
  checkedShape.status = code;
  checkedShape.tunnel = false;
  return '';
}

/** Checks a trailer section: no pseudo-header, else as any field (RFC 9113, section 8.1). */
export function checkTrailers(headers: HeaderBlock): string {
  return checkFields(headers, 0);
}

/** The value of `host` that {@link checkFields} met, or ABSENT. */
let foundHost = ABSENT;

/** Checks the fields from `at` on, which may not be pseudo-headers, and finds content-length and host. */
function checkFields(headers: HeaderBlock, at: number): string {
  let contentLength = -1;
  foundHost = ABSENT;
  for (; at < headers.length; at += 2) {
    const name = headers[at]!;
    if (name.charCodeAt(0) === COLON) return 'pseudo-header out of place';
    // Only names of these lengths are of interest here, and most are not.
    switch (name.length) {
      case 2:
        if (name === 'te' && headers[at + 1]!.toLowerCase() !== 'trailers') return 'te is not trailers';
        break;
      case 4:
        if (name === 'host') {
          if (foundHost !== ABSENT && foundHost !== headers[at + 1]) return 'two hosts';
          foundHost = headers[at + 1]!;
        }
        break;
      case 7:
        if (name === 'upgrade') return 'upgrade';
        break;
      case 10:
        if (name === 'connection' || name === 'keep-alive') return name;
        break;
      case 14:
        if (name === 'content-length') {
          const length = parseDigits(headers[at + 1]!);
          if (length < 0) return 'content-length is not a number';
          if (contentLength >= 0 && contentLength !== length) return 'two lengths of content';
          contentLength = length;
        }
        break;
      case 16:
        if (name === 'proxy-connection') return name;
        break;
      case 17:
        if (name === 'transfer-encoding') return name;
        break;
      default:
        break;
    }
  }
  checkedShape.contentLength = contentLength;
  return '';
}

/** A decimal number of at most 15 digits; -1 for anything else. */
function parseDigits(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
