/**
 * Certificates that were issued and are still valid, as they are kept in Secrets `istio-ca-issued-0` to `-f`: what revoking
 * an identity needs after replicas were replaced. Pure.
 */
import { createHash } from 'node:crypto';
import { formatSpiffe, parseSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';

import type { CaFiles } from './ca-files.ts';
import { CaMaterialError } from './ca-material-error.ts';
import type { IssuedEntry } from './issued-log.ts';
import { isSerialNumber } from './revocation-record.ts';

/** Certificates of the identities of one Secret. */
export interface IssuedRecord {
  /** By SPIFFE URI. */
  readonly issued: ReadonlyMap<string, readonly IssuedEntry[]>;
  /** Certificates that end before this may be missing for want of room, Unix milliseconds; 0: none is. */
  readonly forgottenMs: number;
}

export const nothingIssuedYet: IssuedRecord = { issued: new Map(), forgottenMs: 0 };

const file = 'issued.json';
/** A Secret holds at most 1 MiB. All of them hold some 250,000 certificates. */
const maxLength = 900_000;

const shards = '0123456789abcdef';
export const issuedSecretNames: readonly string[] = Array.from(shards, (it) => `istio-ca-issued-${it}`);

/** The Secret in which the certificates of an identity are. */
export function issuedSecretName(identity: Identity): string {
  return `istio-ca-issued-${createHash('sha256').update(formatSpiffe(identity)).digest('hex')[0]!}`;
}

/** The record with more certificates in it, without those that have ended. */
export function mergeIssued(
  record: IssuedRecord,
  more: ReadonlyMap<string, readonly IssuedEntry[]>,
  nowMs: number,
): IssuedRecord {
  const issued = new Map<string, readonly IssuedEntry[]>();
  for (const identity of new Set([...record.issued.keys(), ...more.keys()])) {
    const bySerial = new Map(
      [...(record.issued.get(identity) ?? []), ...(more.get(identity) ?? [])].map((it) => [
        it.serialNumber,
        it,
      ]),
    );
    const alive = [...bySerial.values()].filter(({ notAfterMs }) => notAfterMs > nowMs);
    if (alive.length > 0) issued.set(identity, alive);
  }
  const forgottenMs = record.forgottenMs > nowMs ? record.forgottenMs : 0;
  return { issued, forgottenMs };
}

/** Content of the Secret. Beyond what fits, the certificates that end first are left out. */
export function writeIssuedRecord(record: IssuedRecord): CaFiles {
  let kept = record;
  for (;;) {
    const text = render(kept);
    if (text.length <= maxLength) return { [file]: text };
    // A little more than needed, so that once is nearly always enough.
    kept = withoutFirst(kept, 1 - (0.95 * maxLength) / text.length);
  }
}

/** @throws CaMaterialError `record-malformed` */
export function readIssuedRecord(files: CaFiles, place: string): IssuedRecord {
  const json = parse(files[file] ?? '', place);
  const issued = new Map<string, readonly IssuedEntry[]>();
  for (const [identity, rows] of Object.entries(json.issued)) {
    if (parseSpiffe(identity) === undefined || !Array.isArray(rows) || !rows.every(isRow))
      throw malformed(place, 'an entry is none');
    issued.set(
      identity,
      rows.map(([serialNumber, issuedS, notAfterS]) => ({
        serialNumber,
        issuedMs: issuedS * 1000,
        notAfterMs: notAfterS * 1000,
      })),
    );
  }
  return { issued, forgottenMs: json.forgottenMs };
}

/** Serial number, and Unix seconds of issue and end. */
type Row = readonly [serialNumber: string, issuedS: number, notAfterS: number];

function render({ issued, forgottenMs }: IssuedRecord): string {
  const rows = Object.fromEntries(
    Array.from(issued, ([identity, entries]) => [
      identity,
      // To the second, so that what was issued up to a time is never taken for later.
      entries.map(({ serialNumber, issuedMs, notAfterMs }): Row => [
        serialNumber,
        Math.floor(issuedMs / 1000),
        Math.ceil(notAfterMs / 1000),
      ]),
    ]),
  );
  return JSON.stringify({ version: 1, forgottenMs, issued: rows });
}

function withoutFirst({ issued, forgottenMs }: IssuedRecord, share: number): IssuedRecord {
  const ends = [...issued.values()].flat().map(({ notAfterMs }) => notAfterMs);
  ends.sort((a, b) => a - b);
  const until = ends[Math.min(ends.length - 1, Math.ceil(ends.length * share))]!;
  const kept = new Map<string, readonly IssuedEntry[]>();
  for (const [identity, entries] of issued) {
    const later = entries.filter(({ notAfterMs }) => notAfterMs > until);
    if (later.length > 0) kept.set(identity, later);
  }
  return { issued: kept, forgottenMs: Math.max(forgottenMs, until) };
}

function parse(text: string, place: string): { issued: Record<string, unknown>; forgottenMs: number } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(place, `${file} is no JSON`, cause);
  }
  const { version, issued, forgottenMs } = (json ?? {}) as Record<string, unknown>;
  if (version !== 1 || typeof issued !== 'object' || issued === null || typeof forgottenMs !== 'number')
    throw malformed(place, `${file} has not the fields that it must have`);
  return { issued: issued as Record<string, unknown>, forgottenMs };
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== 3) return false;
  const [serial, issuedS, notAfterS] = row as unknown[];
  return (
    typeof serial === 'string' &&
    isSerialNumber(serial) &&
    Number.isSafeInteger(issuedS) &&
    Number.isSafeInteger(notAfterS)
  );
}

function malformed(place: string, what: string, cause?: unknown): CaMaterialError {
  return new CaMaterialError(
    'record-malformed',
    `${place} was changed by hand or cut short (${what}). Delete it: certificates of before are then revoked by serial number only (the audit lines have them).`,
    { cause },
  );
}
