import { Cidr, parseIp } from '@ambient/mesh';
import type { FieldReader } from './field-reader.ts';
import { quote } from './field-reader.ts';

// The forms of values that many kinds share. Each check reports through the reader that it is given.

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/i;
const words = new Uint32Array(4);

/** Whether text is an IP address of either family. */
export function isIp(text: string): boolean {
  return parseIp(text, words) !== 0;
}

/** Whether text is an address, or `address/length` with a length that its family has. Host bits may be set. */
export function isIpBlock(text: string): boolean {
  return parseIpBlock(text) !== undefined;
}

/**
 * An address or a range of addresses, by the rules of Istio's API: plain decimal lengths, no zones. An address alone is a
 * range of one. The address keeps its host bits; an IPv4-mapped IPv6 range is the IPv4 range.
 */
export function parseIpBlock(text: string): { readonly ip: string; readonly length: number } | undefined {
  const slash = text.indexOf('/');
  const ip = slash < 0 ? text : text.slice(0, slash);
  const family = parseIp(ip, words);
  if (family === 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (slash < 0) return { ip, length: bits };
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined;
  const length = Number(digits) - (family === 4 && ip.includes(':') ? 96 : 0);
  return Cidr.from(ip, length) === undefined ? undefined : { ip, length };
}

/** A TCP or UDP port as a number. */
export function portNumber(field: FieldReader): number | undefined {
  return field.integer(1, 65535);
}

/** Whether text is a DNS name (RFC 1123), a trailing dot allowed. */
export function isDnsName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return (
    name.length > 0 &&
    name.length <= 253 &&
    name.split('.').every((part) => part.length <= 63 && label.test(part))
  );
}

/** A host as VirtualService, DestinationRule and ServiceEntry name it: a DNS name, whose first label may be `*`. */
export function host(field: FieldReader, wildcard: 'any' | 'with a domain' | 'none'): string | undefined {
  const text = field.required();
  if (text === undefined) return undefined;
  if (text === '*') {
    if (wildcard === 'any') return text;
    field.error('"*" stands for every host, which is not allowed here: name a host or a domain');
    return undefined;
  }
  const isWildcard = text.startsWith('*.');
  if (isWildcard && wildcard === 'none') {
    field.error('a wildcard is not allowed here: name one host');
    return undefined;
  }
  const name = isWildcard ? text.slice(2) : text.startsWith('*-') ? text.slice(2) : text;
  if (isDnsName(name)) return text;
  field.error(
    `${quote(text)} is no DNS name${wildcard === 'none' ? '' : ' (a wildcard may only be its first label)'}`,
  );
  return undefined;
}

const durationUnits: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of a duration as Go and protobuf write it (`1h30m`, `0.5s`), or undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const parts = /^([-+]?)((?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|ns))+$/.exec(text);
  if (parts === null) return text === '0' ? 0 : undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g))
    total += Number(amount) * durationUnits[unit!]!;
  return parts[1] === '-' ? -total : total;
}

/** A duration within bounds of milliseconds. Istio's own floor is one millisecond. */
export function duration(field: FieldReader, least = 1, most = Number.MAX_SAFE_INTEGER): void {
  const text = field.string();
  if (text === undefined) return;
  const ms = parseDuration(text);
  if (ms === undefined) field.error(`${quote(text)} is no duration (as 1h, 5m, 2s or 100ms)`);
  else if (ms < least || ms > most)
    field.error(
      `${quote(text)} is out of range: at least ${least}ms${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}ms` : ''}`,
    );
}

/** Whether text may stand as the key of a label: an optional DNS prefix and a name of up to 63 characters. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash >= 0 && !isDnsName(text.slice(0, slash))) return false;
  return /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text.slice(slash + 1));
}

/** Whether text may stand as the value of a label. */
export function isLabelValue(text: string): boolean {
  return text === '' || /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(text);
}

/** The labels of a workload or of a subset. */
export function labels(field: FieldReader): void {
  for (const [key, value] of field.entries()) {
    if (!isLabelKey(key)) value.error(`${quote(key)} is no label name`);
    const text = value.string();
    if (text !== undefined && !isLabelValue(text)) value.error(`${quote(text)} is no label value`);
  }
}

/** The name of an HTTP header (RFC 9110 section 5.1). */
export function headerName(field: FieldReader, text: string): void {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)) field.error(`${quote(text)} is no HTTP header name`);
}

/** Namespaces that a resource is visible in: `.` (its own), `*` (all), `~` (none) or names. */
export function exportTo(field: FieldReader, namespace: string): void {
  const seen = new Set<string>();
  const items = field.items();
  for (const item of items) {
    const text = item.required();
    if (text === undefined) continue;
    const name = text === '.' ? namespace : text;
    if (text !== '.' && text !== '*' && text !== '~' && !label.test(text))
      item.error(`${quote(text)} is none of a namespace, ".", "*" and "~"`);
    if (seen.has(name)) item.error(`${quote(text)} stands there twice`);
    seen.add(name);
    if ((text === '*' || text === '~') && items.length > 1) item.error(`${quote(text)} must stand alone`);
  }
}
