/** Revoked certificates as they are kept in Secret `istio-ca-revocations`, with the signed lists. */
import { parseSpiffe } from '@ambient/identity';

import { CaMaterialError } from './ca-material-error.ts';
import type { CaFiles } from './ca-files.ts';

/** Reasons of RFC 5280 section 5.3.1 that an operator may give. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

export type RevocationReason = keyof typeof revocationReasons;

export interface RevokedCertificate {
  /** Lower-case hex without leading zero octets. */
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  readonly revokedMs: number;
  /** The list drops it after this; no valid certificate has the number then. */
  readonly untilMs: number;
}

/** An identity all of whose certificates up to a time are revoked; each replica adds those that it has issued. */
export interface RevokedIdentity {
  /** SPIFFE URI. */
  readonly identity: string;
  readonly reason: RevocationReason;
  readonly revokedMs: number;
  readonly untilMs: number;
}

export interface RevocationRecord {
  readonly certificates: readonly RevokedCertificate[];
  readonly identities: readonly RevokedIdentity[];
  /** Number of the newest lists; 0: none was signed yet. */
  readonly listNumber: number;
  /** When those must be replaced, Unix milliseconds. */
  readonly nextUpdateMs: number;
  /** Which authorities signed them, and what they hold: what decides whether new ones are needed. */
  readonly signedFor: string;
  /** PEM, one list of each authority; '' before the first. */
  readonly listsPem: string;
}

export const nothingRevokedYet: RevocationRecord = {
  certificates: [],
  identities: [],
  listNumber: 0,
  nextUpdateMs: 0,
  signedFor: '',
  listsPem: '',
};

export function writeRevocationRecord(record: RevocationRecord): CaFiles {
  const { listsPem, ...rest } = record;
  return { 'revocations.json': `${JSON.stringify(rest, undefined, 2)}\n`, 'ca-crl.pem': listsPem };
}

/** @throws CaMaterialError `record-malformed` */
export function readRevocationRecord(files: CaFiles, place: string): RevocationRecord {
  let json: Partial<RevocationRecord> | null;
  try {
    json = JSON.parse(files['revocations.json'] ?? '') as Partial<RevocationRecord> | null;
  } catch (cause) {
    throw malformed(place, 'revocations.json is no JSON', cause);
  }
  const { certificates, identities, listNumber, nextUpdateMs, signedFor } = json ?? {};
  if (!Array.isArray(certificates) || !certificates.every(isCertificate))
    throw malformed(place, 'certificates has an entry that is none');
  if (!Array.isArray(identities) || !identities.every(isIdentity))
    throw malformed(place, 'identities has an entry that is none');
  if (!isNumber(listNumber) || !isNumber(nextUpdateMs) || typeof signedFor !== 'string')
    throw malformed(place, 'revocations.json has not the fields that it must have');
  return {
    certificates,
    identities,
    listNumber,
    nextUpdateMs,
    signedFor,
    listsPem: files['ca-crl.pem'] ?? '',
  };
}

function isCertificate(it: Partial<RevokedCertificate>): boolean {
  return typeof it.serialNumber === 'string' && isSerialNumber(it.serialNumber) && isStage(it);
}

function isIdentity(it: Partial<RevokedIdentity>): boolean {
  return typeof it.identity === 'string' && parseSpiffe(it.identity) !== undefined && isStage(it);
}

function isStage(it: { reason?: unknown; revokedMs?: unknown; untilMs?: unknown }): boolean {
  return (
    isNumber(it.revokedMs) &&
    isNumber(it.untilMs) &&
    typeof it.reason === 'string' &&
    Object.hasOwn(revocationReasons, it.reason)
  );
}

/** Lower-case hex of 1 to 20 octets (RFC 5280 section 4.1.2.2), as certificates are compared. */
export function isSerialNumber(text: string): boolean {
  return /^(?:[0-9a-f]{2}){1,20}$/.test(text);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function malformed(place: string, what: string, cause?: unknown): CaMaterialError {
  return new CaMaterialError(
    'record-malformed',
    `${place} was changed by hand or cut short (${what}). Restore it from a backup; deleting it forgets what was revoked.`,
    { cause },
  );
}
