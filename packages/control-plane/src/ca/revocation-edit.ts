/** What revoking changes in the record, and the way of such a change into the Secret; replicas and the command line share it. */
import { formatSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';

import { CaMaterialError } from './ca-material-error.ts';
import {
  isSerialNumber,
  nothingRevokedYet,
  readRevocationRecord,
  writeRevocationRecord,
} from './revocation-record.ts';
import type { RevocationReason, RevocationRecord, RevokedCertificate } from './revocation-record.ts';
import type { SecretApi } from './secret-api.ts';

/** The request to revoke cannot be heeded. */
export class RevocationRequestError extends Error {
  override readonly name = 'RevocationRequestError';
  readonly code = 'revocation-request';
}

export const revocationSecretName = 'istio-ca-revocations';
const writeAttempts = 8;

/** What is common to all that is revoked in one step. */
export interface Revocation {
  readonly reason: RevocationReason;
  /** Unix milliseconds. */
  readonly revokedMs: number;
  /** Longest life of a leaf, milliseconds: it is remembered for that long. */
  readonly maxTtlMs: number;
}

/**
 * A serial number as certificates are compared by it: lower-case hex without leading zero octets.
 *
 * @param text hex, colons allowed, as tools print it
 * @throws RevocationRequestError
 */
export function normalizeSerial(text: string): string {
  const serial = text.replaceAll(':', '').toLowerCase();
  const even = serial.padStart(serial.length + (serial.length % 2), '0').replace(/^(?:00)+(?=.)/, '');
  if (!isSerialNumber(even))
    throw new RevocationRequestError(
      `${JSON.stringify(text.slice(0, 100))} is no serial number. Give it in hex, as the audit line of the CA or openssl x509 -serial prints it.`,
    );
  return even;
}

/** The record with these certificates revoked; the same record if all of them were. */
export function withSerials(
  record: RevocationRecord,
  serials: readonly string[],
  { reason, revokedMs, maxTtlMs }: Revocation,
): RevocationRecord {
  const known = new Set(record.certificates.map(({ serialNumber }) => serialNumber));
  const added = [...new Set(serials)]
    .filter((serialNumber) => !known.has(serialNumber))
    .map((serialNumber): RevokedCertificate => ({
      serialNumber,
      reason,
      revokedMs,
      untilMs: revokedMs + maxTtlMs,
    }));
  return added.length === 0 ? record : { ...record, certificates: [...record.certificates, ...added] };
}

/** The record with an identity revoked: every certificate that it got up to now. Replicas add the serial numbers. */
export function withIdentity(
  record: RevocationRecord,
  identity: Identity,
  { reason, revokedMs, maxTtlMs }: Revocation,
): RevocationRecord {
  const name = formatSpiffe(identity);
  const entry = { identity: name, reason, revokedMs, untilMs: revokedMs + maxTtlMs };
  // A later time covers the earlier one.
  const others = record.identities.filter((it) => it.identity !== name);
  return { ...record, identities: [...others, entry] };
}

/**
 * Reads, changes and writes the record, again if somebody else wrote in between.
 *
 * @param edit returns its argument if there is nothing to change
 * @throws CaMaterialError; the API's errors
 */
export async function editRevocations(
  secrets: SecretApi,
  edit: (record: RevocationRecord) => RevocationRecord | Promise<RevocationRecord>,
): Promise<RevocationRecord> {
  const place = `Secret ${secrets.namespace}/${revocationSecretName}`;
  for (let attempt = 0; attempt < writeAttempts; attempt++) {
    const stored = await secrets.read(revocationSecretName);
    const before = stored === undefined ? nothingRevokedYet : readRevocationRecord(stored.files, place);
    const record = await edit(before);
    if (record === before) return record;
    const files = writeRevocationRecord(record);
    const written =
      stored === undefined
        ? await secrets.create({ name: revocationSecretName, type: 'Opaque', files })
        : await secrets.replace(stored, files);
    if (written) return record;
  }
  throw new CaMaterialError(
    'contended',
    `${place} changes under our hands. Check that only one control plane uses this namespace.`,
  );
}
