import { formatSpiffe } from '@ambient/identity';
import { CrlError, parseRevocationLists } from '@ambient/identity/signing';

import { editRevocations, withIdentity, withSerials } from '../ca/revocation-edit.ts';
import type { Revocation } from '../ca/revocation-edit.ts';
import type { RevocationRecord } from '../ca/revocation-record.ts';
import type { SecretApi } from '../ca/secret-api.ts';
import { crlConfigMapName } from '../ca/trust-configmaps.ts';
import type { RevocationTarget } from '../command-line.ts';
import { OperatorError } from './operator-error.ts';
import { waitUntil } from './patience.ts';
import type { OperatorContext } from './patience.ts';

export interface RevokeOptions extends OperatorContext {
  readonly secrets: SecretApi;
  /** Text of ConfigMap `istio-ca-crl` in the control plane's namespace; undefined if there is none. */
  readonly publishedLists: () => Promise<string | undefined>;
  readonly target: RevocationTarget;
  readonly reason: Revocation['reason'];
  readonly maxTtlMs: number;
}

/** A leader that died is replaced within 15 s or so. */
const takeUpMs = 60_000;
/** Replicas add what they have issued to an identity as soon as they see the record. */
const replicasMs = 3000;

/**
 * Writes what is revoked into the record, and waits until the control plane has published a list with it.
 *
 * @returns the serial numbers that are revoked by it
 * @throws OperatorError `not-taken-up`; CaMaterialError, and the API's errors
 */
export async function revoke(options: RevokeOptions): Promise<readonly string[]> {
  const { secrets, target, reason, maxTtlMs, clock, say } = options;
  const revocation: Revocation = { reason, revokedMs: clock.nowMs(), maxTtlMs };
  let before: ReadonlySet<string> = new Set();
  const record = await editRevocations(secrets, (stored) => {
    before = serialsOf(stored);
    return target.kind === 'serial'
      ? withSerials(stored, [target.serialNumber], revocation)
      : withIdentity(stored, target.identity, revocation);
  });
  if (target.kind === 'serial') {
    say(`certificate ${target.serialNumber} is on record as revoked (${reason})`);
    await publish(options, [target.serialNumber]);
    return [target.serialNumber];
  }
  const name = formatSpiffe(target.identity);
  say(`${name} is on record as revoked (${reason}); each replica adds the certificates that it knows of`);
  const revoked = await collect(options, record, before);
  if (revoked.length > 0) await publish(options, revoked);
  say(
    revoked.length === 0
      ? `no valid certificate of ${name} is known that was not revoked before`
      : `${revoked.length} certificates of ${name} are revoked: ${revoked.join(', ')}`,
  );
  return revoked;
}

/** What the replicas have added, once nothing has come for a while. */
async function collect(
  { secrets, clock }: RevokeOptions,
  record: RevocationRecord,
  before: ReadonlySet<string>,
): Promise<readonly string[]> {
  let found = serialsOf(record);
  for (;;) {
    const more = await waitUntil(clock, replicasMs, async () => {
      const now = serialsOf(await editRevocations(secrets, (stored) => stored));
      return now.size > found.size ? now : undefined;
    });
    if (more === undefined) return [...found].filter((serial) => !before.has(serial));
    found = more;
  }
}

async function publish(
  { clock, say, publishedLists }: RevokeOptions,
  serials: readonly string[],
): Promise<void> {
  say(`waiting for the list in ConfigMap ${crlConfigMapName}`);
  const published = await waitUntil(clock, takeUpMs, async () => {
    const listed = listedSerials((await publishedLists()) ?? '');
    return serials.every((serial) => listed.has(serial)) ? true : undefined;
  });
  if (published === undefined)
    throw new OperatorError(
      'not-taken-up',
      `no list with it was published within ${takeUpMs / 1000} s. It stays on record, and is published when a control plane leads: see that one runs, and its log.`,
    );
  say('published: proxies that mount the list refuse it as soon as they have read it');
}

function serialsOf({ certificates }: RevocationRecord): Set<string> {
  return new Set(certificates.map(({ serialNumber }) => serialNumber));
}

/** What the published lists hold; nothing if they were damaged by hand, which the leader mends. */
function listedSerials(listsPem: string): ReadonlySet<string> {
  if (listsPem === '') return new Set();
  try {
    return new Set(parseRevocationLists(Buffer.from(listsPem)).flatMap(({ serials }) => [...serials]));
  } catch (error) {
    if (!(error instanceof CrlError)) throw error;
    return new Set();
  }
}
